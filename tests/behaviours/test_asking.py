"""Other ways to ask than by a mention: direct messages, the menu of a message, what is suggested to say."""

import pytest

from tests.behaviours.chat import Chat, Spot
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.outside import Outside
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import SLACK_USERS
from tests.behaviours.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


# -- direct messages ----------------------------------------------------------------------------------------------


async def test_in_a_direct_message_no_mention_is_needed(chat: Chat) -> None:
    home = chat.home("ann")
    root = await chat.say("ann", "just between us", home)
    spot = Spot(channel=home.channel, root=root)
    await chat.answer(spot, "You said: just between us", reader="ann")


async def test_a_first_look_at_the_direct_messages_is_greeted_once(world: World, slack: SlackChat) -> None:
    home = slack.home("cy")
    for _ in range(2):
        at = world.slack.world.next_ts()
        await world.slack.event(
            {
                "type": "app_home_opened",
                "tab": "messages",
                "user": SLACK_USERS["cy"],
                "channel": home.channel,
                "event_ts": at,
            }
        )
    await slack.answer(home, "Hello, I'm Bosun")
    await world.quiet()
    assert len(await slack.answers(home)) == 1


async def test_the_first_words_in_a_direct_message_are_greeted_once_where_a_look_is_not_told(
    world: World, discord: DiscordChat
) -> None:
    home = discord.home("cy")
    root = await discord.say("cy", "good morning", home)
    spot = Spot(channel=home.channel, root=root)
    hello = await discord.answer(spot, "Hello, I'm Bosun", reader="cy")
    await discord.answer(spot, "You said: good morning", reader="cy")
    await discord.click("cy", hello, "Ask something")
    assert await discord.dialog("cy") == {"question": "How long do refunds take?"}
    await discord.submit("cy", question="who are you?")
    await discord.answer(spot, "asks: who are you?", reader="cy")
    await discord.answer(spot, "You said: who are you?", reader="cy")
    await world.quiet()
    assert sum("Hello, I'm Bosun" in said.text for said in await discord.answers(spot)) == 1


# -- the menu of a message ----------------------------------------------------------------------------------------


async def test_whoever_asks_about_a_message_is_answered_in_its_thread(world: World, chat: Chat) -> None:
    general = Spot(channel="general")
    message = await chat.say("bo", "The boiler makes 4 bar since Tuesday", general)
    await chat.about("ann", message, general, "is that too much?")
    thread = Spot(channel="general", root=message)
    await chat.answer(thread, "asks: is that too much?")
    await chat.answer(thread, "You said: is that too much?")
    await world.quiet()
    assert len(await chat.answers(thread)) == 2
    (run,) = [run for run in await world.runs("is that too much?") if run.where.platform == chat.platform]
    assert (run.requester, run.where.thread) == ("ann", message)
    assert "makes 4 bar" in str(world.model.requests[-1])


async def test_nobody_is_left_without_an_answer_about_a_message_that_has_gone(world: World, outside: Outside) -> None:
    general = Spot(channel="general")
    message = await outside.say("bo", "soon to be forgotten", general)
    await outside.pick_about("ann", message, general)
    await outside.dialog("ann")
    await outside.delete(message, general)
    await outside.submit("ann", question="what is it?")
    await outside.notice("ann", "I can't read that message")
