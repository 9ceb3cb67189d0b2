"""One human on two platforms: linked by a code, one vote, unlinked."""

import re

import pytest

from tests.behaviours.accounts import link_stranger_to_bo
from tests.behaviours.chat import Chat, Spot
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.outside import Outside
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
    await link_stranger_to_bo(web, discord)
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


async def test_a_code_counts_once_on_another_platform_and_for_ten_minutes(
    world: World, chat: Chat, slack: SlackChat, discord: DiscordChat
) -> None:
    other: Outside = slack if chat.platform == "discord" else discord
    stranger, code = other.strangers["stranger"], await code_of(chat, "bo")
    before = len(await chat.notices("eve"))
    await chat.ask("eve", f"link {code}")
    await chat.notice("eve", "too. Use it from your account on another platform", after=before)

    await told_directly(other, stranger, f"link {code}", "of the account **Bo**")
    await told_directly(other, stranger, f"link {code} yes", "Linked")
    await told_directly(other, "eve", f"link {code}", "or it was used")
    before = len(await chat.notices("dee"))
    await chat.ask("dee", "links")
    await chat.notice("dee", "Stan", "Bo", after=before)
    before = len(await chat.notices("bo"))
    await chat.ask("bo", "unlink")
    await chat.notice("bo", "Unlinked: Stan on", after=before)

    code = await code_of(chat, "bo")
    world.clock.advance(minutes=11)
    await told_directly(other, "cy", f"link {code}", "its ten minutes are over")


async def code_of(chat: Chat, person: str) -> str:
    """The code that this person is given."""
    before = len(await chat.notices(person))
    await chat.ask(person, "link")
    code = re.search(r"link (\w{8})", await chat.notice(person, "Your code is", after=before))
    assert code is not None
    return code[1]


async def told_directly(chat: Outside, person: str, said: str, told: str) -> None:
    """Say something directly, and wait until these words are read there once more, in a thread or not."""
    home = chat.home(person)

    async def times() -> int:
        texts = await chat.notices(person)
        for root in await chat.read(home):
            texts += [one.text for one in await chat.answers(Spot(channel=home.channel, root=root.id))]
        return sum(told in text for text in texts)

    before = await times()
    await chat.say(person, said, home)

    async def once_more() -> bool:
        return await times() > before

    await chat.world.until(once_more)


async def test_an_administrator_lists_what_is_linked_and_nobody_else_does(world: World, web: WebChat) -> None:
    for person, told in (("dee", "Nothing is linked"), ("eve", "Nothing is linked")):
        before = len(await web.notices(person))
        await web.command(person, "/links", Spot(channel="general"))
        await web.notice(person, told, after=before)
