"""Decisions that come late, from a process that did not show the card, in words, or not at all."""

import json

import pytest

from tests.behaviours.chat import Chat, Spot, ref_of
from tests.behaviours.payments import ask_for_payment, new_reference, payment
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import STRANGER
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply
from tests.fakes.slack import BOT

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.behaviour(18)
async def test_what_nobody_decides_expires_and_a_late_click_is_told_so(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    world.clock.advance(hours=25)
    said = await chat.answer(asked.spot, "Nobody decided in time")
    assert "rejected it either" in said.text
    await world.quiet()
    card = (await chat.copies(asked.ref, asked.spot))[0]
    assert "Expired" in card.text
    assert card.buttons == ()
    await chat.click("bo", asked.card, "Approve")
    await chat.notice("bo", asked.ref, "expired on", "nobody decided in time")
    await world.quiet()
    assert await world.paid(asked.reference) == []


@pytest.mark.behaviour(19)
async def test_a_card_that_was_shown_before_a_restart_still_decides(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await world.quiet()
    await world.restart()
    await chat.click("bo", asked.card, "Approve")
    await chat.answer(asked.spot, "Done.")
    await world.quiet()
    assert len(await world.paid(asked.reference)) == 1
    assert len(await chat.copies(asked.ref, asked.spot)) == 2


@pytest.mark.behaviour(19)
async def test_a_dialog_that_stood_open_during_a_restart_still_counts(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.click("bo", asked.card, "Reject…")
    await chat.dialog("bo")
    await world.restart()
    await chat.submit("bo", reason="paid twice already")
    await chat.answer(asked.spot, "Done.", "paid twice already")
    await world.quiet()
    assert "Rejected by Bo" in (await chat.copies(asked.ref, asked.spot))[0].text


async def test_why_tells_the_whole_way_from_the_request_to_what_came_back(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.click("bo", asked.card, "Approve")
    await chat.answer(asked.spot, "Done.")
    await world.quiet()
    spot = await chat.ask("eve", f"why {asked.ref}")
    await chat.answer(spot, "borne by the ledger")
    told = "\n".join(said.text for said in await chat.answers(spot))  # it may be too long for one message
    for words in (
        "people were asked by payment",
        "Bo says approve to revision 1",
        "as approved by Bo",
        "What came back: Queued P-",
        "The run is done; 2 model calls",
        "borne by the ledger",
    ):
        assert words in told, told


async def test_why_tells_nothing_to_those_who_cannot_read_where_it_was_asked(world: World, slack: SlackChat) -> None:
    reference = new_reference()
    spot = await slack.ask("bo", f"finance: use queue_payment {payment(reference)}", channel="finance")
    ref = ref_of(await slack.card(spot, reference))
    hidden = await slack.answer(await slack.ask("eve", f"why {ref}"), "where you cannot read")
    assert "ACME" not in hidden.text
    await slack.answer(await slack.ask("cy", f"why {ref}"), "ACME")


# -- in words -----------------------------------------------------------------------------------------------------


@pytest.mark.behaviour(30)
async def test_approve_in_words_counts_like_the_button(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.say("bo", f"approve {asked.ref}", asked.spot)
    await chat.answer(asked.spot, "Done.")
    await chat.notice("bo", "Approved: Queue a payment")
    assert len(await world.paid(asked.reference)) == 1
    await world.quiet()
    assert "Approved by Bo" in (await chat.copies(asked.ref, asked.spot))[0].text


async def test_reject_in_words_carries_its_reason(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.say("cy", f"@bosun reject {asked.ref.lower()} because it is not ours", asked.spot)
    await chat.answer(asked.spot, "Done.", "it is not ours")
    assert await world.paid(asked.reference) == []


@pytest.mark.parametrize("person", ["ann", "eve"])
async def test_approve_in_words_by_whoever_may_not_is_refused_in_private(world: World, chat: Chat, person: str) -> None:
    asked = await ask_for_payment(chat)
    before = len(await chat.answers(asked.spot))
    await chat.say(person, f"approve {asked.ref}", asked.spot)
    await chat.notice(person, asked.ref)
    await world.quiet()
    assert len(await chat.answers(asked.spot)) == before
    assert await world.paid(asked.reference) == []


async def test_why_says_which_rule_asked_and_who_decides(chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.say("bo", f"why {asked.ref}", asked.spot)
    said = await chat.answer(asked.spot, "Why it is asked")
    for words in ("A payment needs somebody from finance", "payment", "revision 1", "typed by the person who asked"):
        assert words in said.text


@pytest.mark.behaviour(24)
async def test_what_waits_is_listed_for_whoever_may_decide_it_and_for_nobody_else(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.say("bo", "approvals", asked.spot)
    await chat.notice("bo", "Waiting for you", asked.ref)
    before = len(await chat.notices("ann"))
    await chat.say("ann", "approvals", asked.spot)
    assert asked.ref not in await chat.notice("ann", after=before)
    await world.quiet()
    assert not any("Waiting for you" in said.text for said in await chat.answers(asked.spot))


@pytest.mark.behaviour(30)
async def test_status_says_that_a_decision_is_waited_for(chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.say("ann", "status", asked.spot)
    await chat.answer(asked.spot, "waiting for a decision")


async def test_stopping_a_run_withdraws_what_it_asked_for(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.say("ann", "stop", asked.spot)
    await chat.answer(asked.spot, "Stopped by Ann", "Not done: queue_payment" if chat.platform == "web" else "Not done")
    await chat.click("bo", asked.card, "Approve")
    await chat.notice("bo", asked.ref, "withdrawn")
    await world.quiet()
    assert await world.paid(asked.reference) == []


async def test_help_and_agents_say_what_there_is(chat: Chat) -> None:
    spot = await chat.ask("ann", "help")
    assert "help approvals" in (await chat.answer(spot, "Ask me anything")).text
    await chat.say("ann", "@bosun help approvals", spot)
    await chat.answer(spot, "approve AP-7F3K")
    await chat.say("ann", "@bosun agents", spot)
    await chat.answer(spot, "finance", "research", "writer")


@pytest.mark.behaviour(29)
async def test_what_people_asked_in_private_is_listed_for_them_alone(world: World, chat: Chat) -> None:
    home = chat.home("dee")
    root = await chat.say("dee", f"a secret of {chat.platform}", home)
    await chat.answer(Spot(channel=home.channel, root=root), "a secret of", reader="dee")
    spot = await chat.ask("ann", "runs")
    assert "a secret of" not in await chat.notice("ann", "request")
    home_thread = Spot(channel=home.channel, root=root)
    await chat.say("dee", "runs", home_thread)

    async def listed() -> bool:
        return sum("a secret of" in said.text for said in await chat.answers(home_thread, "dee")) == 2

    await world.until(listed)
    await world.quiet()
    assert await chat.answers(spot) == []


# -- slash commands -----------------------------------------------------------------------------------------------


async def test_the_slash_command_answers_in_private(world: World, slack: SlackChat) -> None:
    asked = await ask_for_payment(slack)
    channel = slack.channel(asked.spot)
    before = len(await slack.read(Spot(channel="general")))
    for text, told in (
        ("help", "Ask me anything"),
        ("approvals", asked.ref),
        (f"why {asked.ref}", "Why it is asked"),
        ("frobnicate", "I don't know the command"),
        ("runs", "request"),
        ("schedules", "digest"),
    ):
        known = len(await slack.notices("bo"))
        sent = await world.slack.slash(channel, slack.user("bo"), text)
        await sent.settled.wait()
        assert sent.acknowledged
        await slack.notice("bo", told, after=known)
    assert len(await slack.read(Spot(channel="general"))) == before


async def test_the_slash_command_decides_and_refuses_as_the_button_does(world: World, slack: SlackChat) -> None:
    asked = await ask_for_payment(slack)
    channel = slack.channel(asked.spot)
    await world.slack.slash(channel, STRANGER, f"approve {asked.ref}")
    await slack.notice(STRANGER, asked.ref)
    assert await world.paid(asked.reference) == []
    await world.slack.slash(channel, slack.user("bo"), f"approve {asked.ref}")
    await slack.answer(asked.spot, "Done.")


async def test_the_slash_command_answers_also_where_bosun_is_no_member(world: World, slack: SlackChat) -> None:
    channel = world.slack.world.add_channel("C0ELSEWHERE", "elsewhere", slack.user("bo"))
    channel.members.discard(BOT)
    before = len(await slack.notices("bo"))
    await world.slack.slash("C0ELSEWHERE", slack.user("bo"), "help")
    await slack.notice("bo", "Ask me anything", after=before)


async def test_a_slash_in_the_web_chat_is_a_command_and_no_message(world: World, web: WebChat) -> None:
    asked = await ask_for_payment(web)
    before = len(await web.read(Spot(channel="general")))
    await web.command("bo", "/approvals", Spot(channel="general"))
    await web.notice("bo", asked.ref)
    assert len(await web.read(Spot(channel="general"))) == before


# -- the dashboard ------------------------------------------------------------------------------------------------


@pytest.mark.behaviour(24)
async def test_the_dashboard_shows_everybody_their_own_and_decides(world: World, web: WebChat) -> None:
    world.clock.advance(hours=25)  # it lists ten; what was asked before has expired

    async def nothing_waits() -> bool:
        return not (await web.browser("bo").get("/api/home"))["waiting"]

    await world.until(nothing_waits)
    asked = await ask_for_payment(web)
    of_bo, of_eve = [await web.browser(person).get("/api/home") for person in ("bo", "eve")]
    mine = [one["card"] for one in of_bo["waiting"] if asked.ref in one["card"]["footer"]]
    assert len(mine) == 1
    assert of_eve["waiting"] == []
    await web.press("bo", next(action for action in mine[0]["actions"] if action["verb"] == "approve"))
    await web.answer(asked.spot, "Done.")
    await world.quiet()
    assert "Approved by Bo" in (await web.copies(asked.ref, asked.spot))[0].text


async def test_what_was_asked_in_a_direct_message_is_shown_to_the_deciders_alone(world: World, chat: Chat) -> None:
    home, reference = chat.home("ann"), new_reference()
    root = await chat.say("ann", f"finance: use queue_payment {payment(reference)}", home)
    shown = await chat.answer(chat.home("bo"), reference, reader="bo")
    stub = await chat.answer(Spot(channel="approvals"), ref_of(shown))
    assert "Ann asks in private" in stub.text
    assert "Ann through finance in a direct message" in shown.text
    assert reference not in stub.text
    assert stub.buttons == ("Show me",)
    await chat.click("bo", shown, "Approve")
    await chat.answer(Spot(channel=home.channel, root=root), "Done.", reader="ann")
    assert len(await world.paid(reference)) == 1
    await chat.answer(Spot(channel="approvals"), ref_of(shown), "Approved by Bo")


@pytest.mark.behaviour(8, 12)
async def test_the_answer_stands_below_the_card_also_where_work_was_shown_above_it(world: World, chat: Chat) -> None:
    await world.tune("time_to_progress", chat.platform, 0.05)
    reference = new_reference()
    call = ("queue_payment", json.loads(payment(reference)))
    world.model.queue(Reply("I look into it.", calls=[call], pieces=2, hold_after=4), Reply("It is queued."))
    spot = await chat.ask("ann", f"finance: please make this payment: {payment(reference)}")
    working = await chat.answer(spot, "is working on it")
    world.model.release()
    card = await chat.card(spot, reference)
    await chat.click("bo", card, "Approve")
    said = await chat.answer(spot, "It is queued.")
    await world.quiet()
    answers = await chat.answers(spot)
    assert [one.id for one in answers] == [working.id, card.id, said.id], answers
    assert "went on below" in answers[0].text
    assert answers[0].buttons == ()
