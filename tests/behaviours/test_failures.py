"""When the model or the platform fails, people are told what is saved, and the work goes on when the cause is gone."""

from random import Random  # noqa: TID251  the seed is in the test

import pytest

from tests.behaviours.chat import Chat
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.outside import Outside
from tests.behaviours.payments import ask_for_payment
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import DISCORD_CHANNELS, STRANGER
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply
from tests.fakes.discord.world import PUBLIC_THREADS

pytestmark = pytest.mark.asyncio(loop_scope="module")

AWAY = (
    Reply(status=429, retry_after=30),
    Reply(status=529, retry_after=30),
    Reply(status=500, retry_after=30),
)


@pytest.mark.parametrize("failure", AWAY, ids=lambda reply: str(reply.status))
async def test_while_the_model_is_away_the_person_is_told_and_later_answered(
    world: World, chat: Chat, failure: Reply
) -> None:
    world.model.queue(failure)
    spot = await chat.ask("ann", "are you well?")
    told = await chat.answer(spot, "I can't think right now; your request is saved")
    assert told.buttons == ("Cancel",)
    world.clock.advance(minutes=6)
    answer = await chat.answer(spot, "You said: are you well?")
    assert answer.id == told.id
    assert len(await chat.answers(spot)) == 1


async def test_a_stream_that_breaks_off_is_begun_again(world: World, chat: Chat) -> None:
    world.model.queue(Reply("Half of an answer", pieces=4, drop_after=4))
    spot = await chat.ask("ann", "the whole of it")
    await chat.answer(spot, "You said: the whole of it")
    assert len(await chat.answers(spot)) == 1


async def test_a_refusal_of_the_model_is_told(world: World, chat: Chat) -> None:
    world.model.queue(Reply(stop="refusal", detail="This is harmful."))
    spot = await chat.ask("ann", "something bad")
    await chat.answer(spot, "I could not finish this", "declined to answer this: This is harmful")


async def test_an_answer_that_is_cut_at_the_limit_is_continued(world: World, chat: Chat) -> None:
    world.model.queue(Reply("One, two, ", stop="max_tokens"), Reply("three, four."))
    spot = await chat.ask("ann", "count")
    await chat.answer(spot, "One, two, three, four.")


async def test_an_answer_without_an_end_is_shown_as_cut(world: World, chat: Chat) -> None:
    world.model.queue(*[Reply(f"part {number} ", stop="max_tokens") for number in range(5)])
    spot = await chat.ask("ann", "count for ever")
    await chat.answer(spot, "part 0", "cut at the length limit")


async def test_an_empty_answer_is_asked_for_again_and_then_told_with_a_way_to_retry(world: World, chat: Chat) -> None:
    world.model.queue(Reply(""), Reply(""))
    spot = await chat.ask("ann", "say something")
    told = await chat.answer(spot, "I could not finish this", "empty answer")
    assert told.buttons == ("Retry", "Details")
    await chat.click("ann", told, "Details")
    await chat.notice("ann", "say something", "The run has failed: The language model gave an empty answer twice")
    await chat.click("ann", told, "Retry")
    await chat.answer(spot, "You said: say something")


async def test_a_retry_does_nothing_twice(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    world.model.queue(Reply(""), Reply(""))
    await chat.click("bo", asked.card, "Approve")
    told = await chat.answer(asked.spot, "I could not finish this", "Done so far", "queue_payment")
    await chat.click("ann", told, "Retry")
    await chat.answer(asked.spot, "Done.")
    assert len(await world.paid(asked.reference)) == 1


async def test_a_stranger_cannot_retry_what_another_person_began(world: World, chat: Chat) -> None:
    world.model.queue(Reply(""), Reply(""))
    spot = await chat.ask("ann", "only mine")
    told = await chat.answer(spot, "I could not finish this")
    await chat.click("eve", told, "Retry")
    await chat.notice("eve", "Only the person who began")


async def test_a_request_that_waits_for_the_model_can_be_cancelled(world: World, chat: Chat) -> None:
    world.model.queue(Reply(status=529, retry_after=120))
    spot = await chat.ask("ann", "never mind me")
    told = await chat.answer(spot, "I can't think right now")
    await chat.click("ann", told, "Cancel")
    await chat.answer(spot, "Stopped by Ann")
    world.clock.advance(minutes=6)
    await world.quiet()
    assert [run.state for run in await world.runs("never mind me")][-1] == "stopped"


# -- stop ---------------------------------------------------------------------------------------------------------


@pytest.mark.behaviour(10)
async def test_stop_ends_the_work_at_once_and_keeps_what_was_said(world: World, chat: Chat) -> None:
    await world.tune("time_to_progress", chat.platform, 0.05)
    world.model.queue(Reply("The beginning of a long answer that goes on", pieces=2, hold_after=4))
    spot = await chat.ask("ann", "tell me everything")
    await chat.answer(spot, "The beginning")
    await chat.say("ann", "stop", spot)
    said = await chat.answer(spot, "Stopped by Ann")
    assert "The beginning" in said.text
    await chat.shows(spot, "active")


@pytest.mark.behaviour(10)
async def test_a_stranger_cannot_stop_it(world: World, chat: Chat) -> None:
    world.model.queue(Reply("Finished.", hold_after=2))
    spot = await chat.ask("ann", "keep going")
    await world.held()
    await chat.say("eve", "@bosun stop", spot)
    await chat.notice("eve", "Only the person who began", "may stop it")
    world.model.release()
    await chat.answer(spot, "Finished.")


async def test_an_admin_can_stop_it(world: World, chat: Chat) -> None:
    world.model.queue(Reply("Finished.", hold_after=2))
    spot = await chat.ask("ann", "go on and on")
    await world.held()
    await chat.say("dee", "stop", spot)
    await chat.answer(spot, "Stopped by Dee")


@pytest.mark.behaviour(10)
async def test_the_native_stop_of_slack_stops(world: World, slack: SlackChat) -> None:
    world.model.queue(Reply("Finished.", hold_after=2))
    spot = await slack.ask("ann", "carry on then")
    await world.held()
    await world.slack.press_stop(slack.channel(spot), spot.root, STRANGER)
    await slack.notice(STRANGER, "Only the person who began")
    await world.slack.press_stop(slack.channel(spot), spot.root, slack.user("ann"))
    await slack.answer(spot, "Stopped by Ann")
    await slack.shows(spot, "active")


async def test_the_native_stop_ends_the_sign_of_work_also_where_nothing_is_running(
    world: World, slack: SlackChat
) -> None:
    spot = await slack.ask("ann", "hello there")
    await slack.answer(spot, "hello there")
    await world.quiet()
    world.slack.world.statuses[slack.channel(spot), spot.root] = ["processing"]  # as a lost sign leaves it
    await world.slack.press_stop(slack.channel(spot), spot.root, slack.user("ann"))
    await slack.notice("ann", "Nothing is running")
    await slack.shows(spot, "active")


# -- the platform -------------------------------------------------------------------------------------------------


@pytest.mark.behaviour(9)
@pytest.mark.parametrize("fault", ["429", "500", "500_after", "drop", "drop_before"])
async def test_an_answer_arrives_once_whatever_happens_to_the_post(world: World, outside: Outside, fault: str) -> None:
    outside.fail(outside.posting, fault)
    spot = await outside.ask("ann", f"through {fault}")
    await outside.answer(spot, f"You said: through {fault}")
    await world.quiet()
    assert len(await outside.answers(spot)) == 1


@pytest.mark.behaviour(9)
@pytest.mark.parametrize("fault", ["429", "500", "drop"])
async def test_a_card_follows_its_state_whatever_happens_to_the_edit(
    world: World, outside: Outside, fault: str
) -> None:
    asked = await ask_for_payment(outside)
    outside.fail(outside.editing, fault, times=2)
    await outside.click("bo", asked.card, "Approve")
    await outside.answer(asked.spot, "Done.")
    await world.quiet()
    cards = await outside.copies(asked.ref, asked.spot)
    assert ["Approved by Bo" in card.text for card in cards] == [True, True]
    assert len(await world.paid(asked.reference)) == 1


async def test_an_answer_for_an_archived_channel_reaches_the_person_directly(world: World, slack: SlackChat) -> None:
    channel = world.slack.world.add_channel("C0OLD", "old", slack.user("ann"))
    world.model.queue(Reply("Here it is.", hold_after=2))
    await slack.ask("ann", "quickly now", channel="C0OLD")
    await world.held()
    channel.archived = True
    world.model.release()
    said = await slack.answer(slack.home("ann"), "Here it is.")
    assert "could not post this where you asked" in said.text


@pytest.mark.behaviour(27)
async def test_bosun_answers_where_its_signs_cannot_be_shown(world: World, slack: SlackChat) -> None:
    world.slack.faults.fail("reactions.add", "missing_scope")
    world.slack.faults.fail("agents.sessions.setStatus", "unknown_method", times=3)
    world.slack.faults.fail("assistant.threads.setStatus", "feature_disabled", times=3)
    spot = await slack.ask("ann", "no signs today")
    await slack.answer(spot, "no signs today")


@pytest.mark.behaviour(27)
async def test_bosun_answers_where_it_may_open_no_thread(world: World, discord: DiscordChat) -> None:
    general = world.discord.world.channels[DISCORD_CHANNELS["general"]]
    general.denied = PUBLIC_THREADS
    try:
        spot = await discord.ask("ann", "no threads today")
        said = await discord.answer(spot, "You said: no threads today")
        assert said.raw["message_reference"]["message_id"] == spot.root
        await world.quiet()
        assert len(await discord.answers(spot)) == 1
        assert spot.root not in world.discord.world.channels
    finally:
        general.denied = 0


async def test_a_tool_that_fails_is_told_to_the_agent_and_the_run_goes_on(world: World, chat: Chat) -> None:
    world.model.queue(Reply(calls=[("read_file", {"path": "no/such/file.md"})]), Reply("There is no such file."))
    spot = await chat.ask("ann", "ops: read it")
    await chat.answer(spot, "There is no such file.")


async def test_a_call_that_cannot_succeed_says_so_on_its_card_and_does_nothing(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat, amount=1.234)
    assert "at most 2 decimals" in asked.card.text
    await chat.click("bo", asked.card, "Approve")
    await chat.answer(asked.spot, "Done.", "decimals")
    assert await world.paid(asked.reference) == []


async def test_a_platform_that_is_away_at_the_start_is_reached_later_and_nobody_waits_for_it(
    world: World, outside: Outside, web: WebChat
) -> None:
    await world.quiet()
    await world.stop()
    outside.fail("*", "drop_before", times=1_000_000)
    await world.start(reached=False)
    assert list(world.app.connections.missing) == [outside.platform]
    await web.answer(await web.ask("ann", "is anybody here?"), "You said: is anybody here?")
    world.slack.faults.heal()
    world.discord.faults.heal()
    await world.ask("reached")
    await outside.answer(await outside.ask("ann", "and here?"), "You said: and here?")


@pytest.mark.behaviour(28)
async def test_answers_come_once_while_every_fifth_call_fails(world: World, outside: Outside) -> None:
    outside.storm(Random(4), 0.2)
    spots = [await outside.ask(person, f"through the storm, {person}") for person in ("ann", "bo", "cy", "eve")]
    for spot in spots:
        await outside.answer(spot, "You said: through the storm")
    await world.quiet()
    assert [len(await outside.answers(spot)) for spot in spots] == [1, 1, 1, 1]
    assert len(await world.runs("through the storm")) >= 4


@pytest.mark.behaviour(28)
async def test_an_approval_is_executed_and_shown_once_while_every_fifth_call_fails(
    world: World, outside: Outside
) -> None:
    outside.storm(Random(5), 0.2)
    asked = await ask_for_payment(outside)
    await outside.click("bo", asked.card, "Approve")
    await outside.answer(asked.spot, "Done.")
    await world.quiet()
    assert len(await world.paid(asked.reference)) == 1
    cards = await outside.copies(asked.ref, asked.spot)
    assert ["Approved by Bo" in card.text for card in cards] == [True, True]
