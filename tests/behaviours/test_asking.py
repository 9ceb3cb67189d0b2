"""Other ways to ask than by a mention: direct messages, commands, the menu of a message, what is suggested to say."""

import pytest

from tests.behaviours.chat import Chat, Said, Spot
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.outside import Outside
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import ROBOT, SLACK_USERS
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply
from tests.fakes.slack import BOT

pytestmark = pytest.mark.asyncio(loop_scope="module")


# -- direct messages ----------------------------------------------------------------------------------------------


async def test_in_a_direct_message_no_mention_is_needed(chat: Chat) -> None:
    home = chat.home("ann")
    root = await chat.say("ann", "just between us", home)
    spot = Spot(channel=home.channel, root=root)
    await chat.answer(spot, "You said: just between us", reader="ann")


async def test_a_direct_message_without_threads_begins_anew_after_half_an_hour_and_says_so(
    world: World, discord: DiscordChat
) -> None:
    home = discord.home("dee")
    spot = Spot(channel=home.channel, root=await discord.say("dee", "my cat is called Mia", home))
    await discord.answer(spot, "You said: my cat is called Mia", reader="dee")
    world.clock.advance(minutes=29)
    await discord.say("dee", "what is she called?", home)
    await discord.answer(spot, "You said: what is she called?", reader="dee")
    assert "Mia" in str(world.model.requests[-1]["messages"])
    assert not [said for said in await discord.answers(spot) if "new conversation" in said.text]
    world.clock.advance(minutes=31)
    await discord.say("dee", "and how old is she?", home)
    await discord.answer(spot, "You said: and how old is she?", reader="dee")
    assert "Mia" not in str(world.model.requests[-1]["messages"])
    assert [said for said in await discord.answers(spot) if "this is a new conversation" in said.text]


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
    hello = await slack.answer(home, "Hello, I'm Bosun")
    await world.quiet()
    assert len(await slack.answers(home)) == 1
    await slack.click("cy", hello, "Link my account")
    await slack.notice("cy", "Your code is")
    await slack.click("cy", hello, "Open dashboard")
    await slack.answer(home, "Home of Cy", "Waiting for you")


async def test_who_invites_it_to_a_channel_is_greeted_there_once_and_a_bot_is_not(
    world: World, slack: SlackChat
) -> None:
    for channel, inviter in (("C0CROWD", "U0ANN"), ("C0CROWD", "U0BO"), ("C0ROBOTS", ROBOT)):
        if channel not in world.slack.world.channels:
            world.slack.world.add_channel(channel, channel[2:].lower(), "U0ANN", "U0BO", ROBOT)
        event = {"type": "member_joined_channel", "user": BOT, "channel": channel, "inviter": inviter}
        await world.slack.event({**event, "event_ts": world.slack.world.next_ts()})
    await slack.answer(Spot(channel="C0CROWD"), "Hello, I'm Bosun", "Mention me here")
    await world.quiet()
    assert len(await slack.answers(Spot(channel="C0CROWD"))) == 1
    assert await slack.answers(Spot(channel="C0ROBOTS")) == []


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
    await discord.click("cy", hello, "Open dashboard")
    await discord.notice("cy", "Home of Cy", "Waiting for you")


# -- nothing said, and commands -----------------------------------------------------------------------------------


async def test_a_mention_in_which_nothing_is_said_is_told_what_can_be_said(world: World, chat: Chat) -> None:
    asked = len(world.model.requests)
    spot = await chat.ask("ann", "")
    told = await chat.answer(spot, "I'm here", "`help`" if chat.platform != "web" else "help")
    assert told.buttons[0] == "Ask something"
    assert len(told.buttons) == 3
    assert len(world.model.requests) == asked
    await chat.click("ann", told, "Ask something")
    assert await chat.dialog("ann") == {"question": "How long do refunds take?"}
    await chat.submit("ann", question="and now?")
    await chat.answer(spot, "You said: and now?")


async def test_what_is_asked_by_command_is_shown_and_answered_below_it(world: World, chat: Chat) -> None:
    question, spot = f"agent:writer shorten this on {chat.platform}", Spot(channel="general")
    if isinstance(chat, SlackChat):
        await world.slack.slash(chat.channel(spot), chat.user("ann"), f"ask {question}")
    elif isinstance(chat, DiscordChat):
        options = {"question": question.removeprefix("agent:writer "), "agent": "writer"}
        world.discord.slash(chat.channel(spot), chat.user("ann"), "ask", **options)
    else:
        await chat.say("ann", f"/ask {question}", spot)

    async def shown() -> Said | None:
        said = [one for one in await chat.read(spot) if f"shorten this on {chat.platform}" in one.text]
        return said[0] if said else None

    root = (await world.until(shown)).id
    answer = await chat.answer(Spot(channel="general", root=root), f"You said: shorten this on {chat.platform}")
    assert "Writer" in answer.text
    (run,) = await world.runs(f"shorten this on {chat.platform}")
    assert (run.agent, run.requester, run.where.thread) == ("writer", "ann", root)


async def test_where_bosun_is_no_member_it_says_so_instead_of_taking_the_question(
    world: World, slack: SlackChat
) -> None:
    world.slack.world.add_channel("C0CLOSED", "closed", slack.user("bo")).members.discard(BOT)
    await world.slack.slash("C0CLOSED", slack.user("bo"), "ask is anybody here?")
    await slack.notice("bo", "invite me first")
    await world.slack.slash("C0GENERAL", slack.user("bo"), "ask")
    await slack.notice("bo", "Say behind it what you want to know")
    assert await world.runs("is anybody here?") == []


# -- the menu of a message ----------------------------------------------------------------------------------------


async def test_whoever_asks_about_a_message_is_answered_in_its_thread(world: World, chat: Chat) -> None:
    general = Spot(channel="general")
    message = await chat.say("bo", "The boiler makes 4 bar since Tuesday", general)
    await chat.about("ann", message, general, "is that too much?")
    thread = Spot(channel="general", root=message)
    await chat.answer(thread, "asks about", "this message", "boiler makes 4 bar since Tuesday", "is that too much?")
    await chat.answer(thread, "You said: is that too much?")
    await world.quiet()
    assert len(await chat.answers(thread)) == 2
    (run,) = [run for run in await world.runs("is that too much?") if run.where.platform == chat.platform]
    assert (run.requester, run.where.thread) == ("ann", message)
    assert "makes 4 bar" in str(world.model.requests[-1])


async def test_in_a_busy_thread_people_and_the_agent_are_told_which_message_is_asked_about(
    world: World, chat: Chat
) -> None:
    spot = await chat.ask("ann", "how is the boiler?")
    mine = await chat.answer(spot, "You said: how is the boiler?")
    await chat.say("bo", "@cy it makes 4 bar", spot)
    theirs = await chat.say("cy", "@bo it makes 5 bar", spot)
    await chat.say("bo", "@cy no, 6 bar", spot)
    for about, question, words in ((mine.id, "who says so?", "how is the boiler?"), (theirs, "is it?", "makes 5 bar")):
        await chat.about("ann", about, spot, question)
        await chat.answer(spot, f"You said: {question}")
        await chat.answer(spot, "asks about", "this message", words, question)
        told = str(world.model.requests[-1]["messages"][-1])
        assert words in told.partition("The message that the request is about:")[2]
        assert "6 bar" not in told


async def test_what_is_asked_about_during_the_work_is_still_known_afterwards(world: World, chat: Chat) -> None:
    world.model.queue(Reply("First things first.", hold_after=2))
    spot = await chat.ask("ann", "look at the boiler")
    await world.held()
    theirs = await chat.say("bo", "@cy it makes 7 bar", spot)
    await chat.about("ann", theirs, spot, "is that bad?")
    await chat.notice("ann", "take this next")
    world.model.release()
    await chat.answer(spot, "You said: is that bad?")
    told = str(world.model.requests[-1]["messages"][-1])
    assert "it makes 7 bar" in told.partition("The message that the request is about:")[2]


@pytest.mark.behaviour(22)
async def test_files_of_a_message_are_read_when_somebody_asks_about_it(world: World, chat: Chat) -> None:
    general, name = Spot(channel="general"), f"boiler-{chat.platform}"
    text = f"# {name}\n\nValve walrus of {name} opens at 3 bar.\n".encode()
    message = await chat.say("bo", "the papers", general, files=[(f"{name}.md", text), ("setup.exe", b"MZ\x90\x00")])
    await chat.about("ann", message, general, "read them")
    thread = Spot(channel="general", root=message)
    await chat.answer(thread, "You said: read them")
    await chat.answer(thread, "I read 1 of 2 files", "setup.exe")
    assert f"Attached: {name}.md, setup.exe" in str(world.model.requests[-1]["messages"])
    await world.indexed()
    world.model.queue(Reply(calls=[("search_knowledge", {"query": f"valve walrus {name}"})]), Reply("At 3 bar [1]."))
    later = await chat.ask("bo", f"research: when does the valve walrus of {name} open?")
    await chat.answer(later, "At 3 bar")
    assert f"of {name} opens at 3 bar" in str(world.model.requests[-1]["messages"])


async def test_nobody_is_left_without_an_answer_about_a_message_that_has_gone(world: World, outside: Outside) -> None:
    general = Spot(channel="general")
    message = await outside.say("bo", "soon to be forgotten", general)
    await outside.pick_about("ann", message, general)
    await outside.dialog("ann")
    await outside.delete(message, general)
    await outside.submit("ann", question="what is it?")
    await outside.notice("ann", "I can't read that message")
