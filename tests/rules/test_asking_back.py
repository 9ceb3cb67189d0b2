"""Before a decision: a question to whoever asked, taking a request back, looking at a card where one is."""

from typing import Any

import pytest

from kernel.errors import NotAllowed
from kernel.store import approvals as rows
from kernel.store import runs
from kernel.types import Form, Place, Press, RunFacts
from tests.rules.people import account
from tests.rules.world import RULES, World, failure

BIG: dict[str, Any] = {"account": "DE12345", "amount": 500.0}


async def asked(world: World, **more: Any) -> tuple[str, RunFacts]:
    facts = world.run("pay 500 to DE12345", **more)
    return await world.park(facts, "pay", **BIG), facts


def text_of(world: World, ref: str) -> str:
    card = world.cards(ref)[0].content
    assert card.type == "card"
    return card.text


async def press(world: World, who: str, ref: str, verb: str, **fields: str) -> Form | str:
    pressed = Press(subject=ref, revision=world.approval(ref).revision, verb=verb, fields=fields)
    return await world.approvals.answer(pressed, account(who))


async def test_a_question_is_posted_in_the_thread_and_its_answer_stands_on_every_copy(either_world: World) -> None:
    world = either_world
    ref, _ = await asked(world)
    form = await press(world, "bo", ref, "ask")
    assert isinstance(form, Form)
    assert form.fields[0].id == "text"
    said = await press(world, "bo", ref, "ask", text="Which *invoice* is it?")
    assert said == "Asked Ann; the answer will stand on the card."
    [question] = [row for row in world.outbox() if row.content.type == "text"]
    assert question.where.thread == "m1"
    assert "Which \\*invoice\\* is it?" in getattr(question.content, "markdown", "")
    assert "not answered yet" in text_of(world, ref)
    answering = await press(world, "ann", ref, "answer")
    assert isinstance(answering, Form)
    assert answering.note == "Bo asks: Which *invoice* is it?"
    assert await press(world, "ann", ref, "answer", text="INV-7, due today") == "Your answer stands on the card."
    for copy in world.cards(ref):
        assert "Ann: “INV-7, due today”" in getattr(copy.content, "text", "")
    assert world.approval(ref).state == rows.PENDING
    assert world.ledger()[-2:] == ["approval.question", "approval.answer"]
    assert (await world.vote("bo", ref)).ok


async def test_only_those_who_decide_ask_and_only_who_asked_answers(world: World) -> None:
    ref, _ = await asked(world)
    assert "Only those who decide can ask" in await world.approvals.ask(ref, "Why?", account("lea"))
    assert "3 to 1000 characters" in await world.approvals.ask(ref, "?", account("bo"))
    assert "No question about" in await world.approvals.answer_question(ref, "Because", account("ann"))
    await world.approvals.ask(ref, "Why now?", account("bo"))
    assert "Only Ann" in await world.approvals.answer_question(ref, "Because", account("cy"))
    with pytest.raises(NotAllowed, match="Only Ann"):
        await press(world, "cy", ref, "answer")
    assert await world.approvals.ask("AP-NONE", "Why?", account("bo")) == "There is no approval AP-NONE."
    assert world.approval(ref).state == rows.PENDING


async def test_an_answer_is_no_vote(world: World) -> None:
    ref, facts = await asked(world)
    await world.approvals.ask(ref, "May I approve?", account("bo"))
    await world.approvals.answer_question(ref, "approve", account("ann"))
    assert world.approval(ref).outcome.get("votes") is None
    assert world.run_row(facts).state == runs.WAITING


async def test_who_asked_takes_it_back_and_the_run_goes_on(either_world: World) -> None:
    world = either_world
    ref, facts = await asked(world)
    await world.vote("bo", ref)
    form = await press(world, "ann", ref, "withdraw")
    assert isinstance(form, Form)
    assert not form.fields[0].required
    said = await press(world, "ann", ref, "withdraw", reason="paid by card already")
    assert said == "Withdrawn: Pay: DE12345. The agent is told."
    assert world.run_row(facts).state == runs.QUEUED
    assert "Ann took it back: paid by card already" in failure(await world.go_on(facts, "pay", **BIG))
    assert "withdrawn" in (await world.vote("cy", ref)).text
    assert world.happened == []
    for copy in world.cards(ref):
        assert getattr(copy.content, "actions", None) == ()
        assert "Withdrawn" in getattr(copy.content, "state", "")


async def test_only_who_asked_and_an_admin_take_it_back(world: World) -> None:
    ref, _ = await asked(world)
    for who in ("bo", "lea", "zoe"):
        assert "Only Ann" in await world.approvals.withdraw_one(ref, "", account(who))
    assert world.approval(ref).state == rows.PENDING
    assert "Withdrawn" in await world.approvals.withdraw_one(ref, "", account("dee"))
    assert "was withdrawn" in await world.approvals.withdraw_one(ref, "", account("ann"))


async def test_what_was_approved_and_has_not_begun_can_still_be_taken_back_and_what_has_begun_cannot(
    world: World,
) -> None:
    ref, facts = await asked(world)
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    assert "Withdrawn" in await world.approvals.withdraw_one(ref, "", account("ann"))
    assert "took it back" in failure(await world.go_on(facts, "pay", **BIG))
    assert world.happened == []
    ref, facts = await asked(world)
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    await world.go_on(facts, "pay", **BIG)
    assert "was approved" in await world.approvals.withdraw_one(ref, "", account("ann"))
    assert world.happened == ["pay DE12345 500"]


async def test_a_request_whose_time_is_up_expires_and_is_not_taken_back(world: World) -> None:
    ref, _ = await asked(world)
    world.clock.advance(hours=5)
    assert "nobody decided in time" in await world.approvals.withdraw_one(ref, "", account("ann"))
    assert world.approval(ref).state == rows.EXPIRED


async def test_details_say_who_decides_and_why(world: World) -> None:
    ref, _ = await asked(world)
    said = await press(world, "bo", ref, "details")
    assert "Rule pay-small would allow it alone, but amount is 500.0, more than 100." in str(said)
    assert "2 of finance, not the requester; within 4h" in str(said)


async def test_the_card_is_shown_to_who_decides_wherever_they_are(world: World) -> None:
    world.rules(RULES.replace(', where: "#finance"', ""))
    home = Place(platform="web", tenant="local", channel="dm-ann", kind="dm")
    ref, _ = await asked(world, place=home)
    assert await press(world, "bo", ref, "review") == f"{ref} is in your direct messages."
    assert "cannot decide" in str(await press(world, "lea", ref, "review"))
    shown = [row for row in world.cards(ref) if row.to is not None]
    assert [row.to.user for row in shown if row.to] == ["bo"]
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    assert getattr(world.cards(ref)[-1].content, "actions", None) == ()
