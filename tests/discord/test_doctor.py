"""`bosun doctor` says what is wrong with the set-up on Discord, and what to do."""

from bot.discord import permissions
from bot.discord.doctor import check
from bot.engine.doctor import Finding
from kernel.config import Secret, Settings
from tests.discord.conftest import FINANCE, GENERAL
from tests.fakes.discord import APP, BOT_ROLE, FakeDiscord
from tests.fakes.discord.world import BASE, HISTORY, SEND

CHANNELS = {"#general": GENERAL, "#finance": FINANCE}


async def look(discord: FakeDiscord, token: str = "", channels: dict[str, str] = CHANNELS) -> list[Finding]:
    """What doctor finds."""
    settings = Settings(
        discord_bot_token=Secret(token or discord.token),
        discord_api_url=discord.api_url,
        discord_gateway_url=discord.gateway_url,
    )
    return await check(settings, "", channels)


def said(findings: list[Finding]) -> str:
    return "\n".join(f"{one.level}: {one.text} {one.hint}" for one in findings)


async def test_all_is_well(discord: FakeDiscord) -> None:
    findings = await look(discord)
    assert {one.level for one in findings} == {"ok"}, said(findings)
    assert "connected to Work as bosun" in said(findings)
    assert "message content intent is on" in said(findings)


async def test_a_wrong_token(discord: FakeDiscord) -> None:
    (finding,) = await look(discord, token="wrong")
    assert finding.level == "error"
    assert "DISCORD_BOT_TOKEN" in finding.text


async def test_a_missing_intent_says_what_it_costs(discord: FakeDiscord) -> None:
    discord.world.app_flags = 0
    assert "warn: Discord: the message content intent is off: in threads people have to mention" in said(
        await look(discord)
    )


async def test_no_server_gives_the_link_with_exactly_the_needed_permissions(discord: FakeDiscord) -> None:
    discord.in_guild = False
    assert f"client_id={APP}" in said(await look(discord))
    assert "permissions=309237763136" in said(await look(discord))
    assert permissions.wanted().value == BASE == 309237763136


async def test_a_permission_that_is_missing_in_the_server_or_in_one_channel(discord: FakeDiscord) -> None:
    discord.world.roles[BOT_ROLE]["permissions"] = str(BASE & ~HISTORY)
    discord.world.channels[FINANCE].denied = SEND
    findings = said(await look(discord))
    assert "warn: Discord: read message history is missing in the server Work" in findings
    assert "error: Discord: send messages is missing in #finance" in findings
    assert "in #general" not in findings


async def test_a_channel_of_the_charter_that_is_not_there(discord: FakeDiscord) -> None:
    assert "error: Discord: #old (1) is not there" in said(await look(discord, channels={"#old": "1"}))
