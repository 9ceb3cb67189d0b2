"""One human on two platforms: linked by a code, one vote, unlinked."""

import re

import pytest

from tests.behaviours.chat import Spot
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.payments import ask_for_payment
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import DISCORD_STRANGER
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.behaviour(15)
async def test_the_same_human_votes_once_from_wherever_they_click(
    world: World, web: WebChat, slack: SlackChat, discord: DiscordChat
) -> None:
    before = len(await web.notices("bo"))
    await web.command("bo", "/link", Spot(channel="general"))
    code = re.search(r"link (\w{8})", await web.notice("bo", "Your code is", after=before))
    assert code is not None
    home = discord.home(DISCORD_STRANGER)
    await discord.say(DISCORD_STRANGER, f"link {code[1]}", home)
    await discord.notice(DISCORD_STRANGER, "of the account **Bo** on the web chat")
    await discord.say(DISCORD_STRANGER, f"link {code[1]} yes", home)
    await discord.notice(DISCORD_STRANGER, "Linked", "one vote")
    await web.notice("bo", "Stan", "on Discord are one person")

    asked = await ask_for_payment(discord, amount=5000)
    await discord.click(DISCORD_STRANGER, asked.card, "Approve")
    await discord.notice(DISCORD_STRANGER, "1 of 2 approvals (Bo)")
    await slack.say("bo", f"@bosun approve {asked.ref}", Spot(channel="general"))
    await slack.notice("bo", "You have voted on", asked.ref)

    await web.command("bo", "/unlink", Spot(channel="general"))
    await web.notice("bo", "Unlinked: Stan on Discord")
    await discord.notice(DISCORD_STRANGER, "Bo has unlinked this account")
    before = len(await discord.notices(DISCORD_STRANGER))
    await discord.click(DISCORD_STRANGER, asked.card, "Approve")
    await discord.notice(DISCORD_STRANGER, "needs 2 of finance", after=before)
    await world.quiet()
    assert await world.paid(asked.reference) == []
    await discord.click("cy", asked.card, "Approve")
    await discord.answer(asked.spot, "Done.")
    assert len(await world.paid(asked.reference)) == 1


async def test_an_administrator_lists_what_is_linked_and_nobody_else_does(world: World, web: WebChat) -> None:
    for person, told in (("dee", "Nothing is linked"), ("eve", "Nothing is linked")):
        before = len(await web.notices(person))
        await web.command(person, "/links", Spot(channel="general"))
        await web.notice(person, told, after=before)
