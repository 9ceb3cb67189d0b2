"""Budgets and limits hold whatever runs at the same time, people are told in time, and their owner may raise them."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from kernel.store import approvals, meters, outbox, runs
from kernel.types import Card, RunFacts
from rules.engine.metering import Metering
from rules.engine.meters import meters_of
from rules.engine.outcome import Finished, Outcome, Parked
from rules.engine.receipts import receipt
from tests.rules.world import World, failure, result

ALLOWS = """
version: 1
rules:
  - id: small
    why: Small payments go through within the budget.
    tool: pay
    budget: {amount: 100, per: day, owner: finance}
    decision: allow
  - id: rest
    why: Other payments are asked.
    tool: pay
    otherwise: ask
    approval: {who: finance}
"""

ASKS = """
version: 1
rules:
  - id: capped
    why: Payments are asked, up to a budget.
    tool: pay
    budget: {amount: 100, per: day, each: person, owner: legal}
    decision: ask
    approval: {who: finance}
"""

LIMITED = """
version: 1
rules:
  - {id: looks, why: A few looks an hour., tool: look, limit: {calls: 2, per: hour}, decision: allow}
  - {id: no-more, why: Enough., tool: look, otherwise: deny}
"""


@pytest.fixture(autouse=True)
def counted(world: World) -> None:
    count(world)


def count(world: World) -> None:
    """As the composition root does."""
    object.__setattr__(world.services, "sources", (Metering(),))


async def pay(world: World, facts: RunFacts, amount: float, use: str = "u1", **more: Any) -> Outcome:
    return await world.act(facts, "pay", use, account="DE1", amount=amount, **more)


def used(world: World) -> list[Decimal]:
    rules = world.book.current.rules
    keys = [meter.key for rule in rules for meter in meters_of(rule)]
    rows = world.store.read_now(lambda session: [row for key in keys for row in meters.in_use(session, key)])
    return [meters.decimal(row.used) for row in rows]


def said(world: World) -> list[str]:
    rows = world.store.read_now(lambda session: list(session.exec(select(outbox.OutboxRow))))
    return [row.body["markdown"] for row in rows if row.body["type"] == "text"]


async def test_calls_at_the_same_time_never_overspend(either_world: World) -> None:
    world = either_world
    count(world)
    world.rules(ALLOWS)
    asking = [world.run("pay") for _ in range(12)]
    outcomes = await asyncio.gather(*(pay(world, facts, 15) for facts in asking))
    assert sum(isinstance(outcome, Finished) for outcome in outcomes) == 6
    assert sum(isinstance(outcome, Parked) for outcome in outcomes) == 6
    assert len(world.happened) == 6
    assert used(world) == [Decimal(90)]


async def test_what_was_taken_by_a_call_that_failed_is_free_again(world: World) -> None:
    world.rules(ALLOWS)
    facts = world.run("pay")
    assert "bank refused" in failure(await pay(world, facts, 90, memo="fail"))
    assert used(world) == [Decimal(0)]
    assert result(await pay(world, facts, 90, "u2")) == "paid 90 to DE1"
    assert used(world) == [Decimal(90)]


async def test_the_same_call_is_charged_once_whoever_hands_it_in_again(world: World) -> None:
    world.rules(ALLOWS)
    facts = world.run("pay")
    await asyncio.gather(*(pay(world, facts, 60) for _ in range(4)))
    assert used(world) == [Decimal(60)]


async def test_a_new_day_is_a_new_budget(world: World) -> None:
    world.rules(ALLOWS)
    facts = world.run("pay")
    assert isinstance(await pay(world, facts, 90, "a"), Finished)
    assert isinstance(await pay(world, facts, 90, "b"), Parked)
    world.clock.advance(days=1)
    assert isinstance(await pay(world, facts, 90, "c"), Finished)


async def test_people_are_told_once_when_four_fifths_are_used(world: World) -> None:
    world.rules(ALLOWS)
    facts = world.run("pay")
    await pay(world, facts, 79, "a")
    assert said(world) == []
    await pay(world, facts, 2, "b")
    await pay(world, facts, 3, "c")
    texts = said(world)
    assert len(texts) == 2  # in the thread, and where approvals go
    assert set(texts) == {
        "**81 % of the budget of 100 per day is used**: 81 (rule `small`). Nothing goes beyond it without a decision."
    }
    assert "budget.notice" in world.ledger()


async def test_beyond_a_budget_its_owner_is_asked_to_raise_it_and_then_the_call_is_asked_about(world: World) -> None:
    world.rules(ASKS)
    facts = world.run("pay 150 to DE1")
    ref = await world.park(facts, "pay", account="DE1", amount=150)
    card = world.cards(ref)[0].content
    assert isinstance(card, Card)
    assert card.headline == "Raise the budget of 100 per day for each person by 50"
    assert not (await world.vote("bo", ref)).ok  # finance approves payments and does not own the budget
    assert (await world.vote("lea", ref)).ok
    outcome = await world.go_on(facts, "pay", account="DE1", amount=150)
    assert isinstance(outcome, Parked)
    assert world.happened == []
    again = world.approval(outcome.refs[0])
    assert (again.kind, again.preview["headline"]) == ("call", "Pay: DE1")
    world.wait(facts)
    assert (await world.vote("bo", again.ref)).ok
    assert result(await world.go_on(facts, "pay", account="DE1", amount=150)) == "paid 150 to DE1"
    assert used(world) == [Decimal(150)]
    assert "budget.raised" in world.ledger()
    found = world.store.read_now(lambda session: receipt(session, facts.ref, str))
    assert found is not None
    assert found.problems == ()


async def test_beyond_the_budget_of_a_rule_that_allows_its_owner_is_asked_where_the_other_rules_deny(
    world: World,
) -> None:
    denies = ALLOWS.replace("otherwise: ask\n    approval: {who: finance}", "otherwise: deny")
    world.rules(denies)
    facts = world.run("pay")
    assert isinstance(await pay(world, facts, 90), Finished)
    outcome = await pay(world, facts, 30, "u2")
    assert isinstance(outcome, Parked)
    ref = outcome.refs[0]
    assert (world.approval(ref).kind, world.cards(ref)[0].content.headline) == (  # type: ignore[union-attr]
        "raise", "Raise the budget of 100 per day by 20",
    )  # fmt: skip
    world.wait(facts)
    assert not (await world.vote("lea", ref)).ok  # of legal: does not own it
    assert (await world.vote("bo", ref)).ok
    assert isinstance(await world.go_on(facts, "pay", "u2", account="DE1", amount=30), Finished)
    assert used(world) == [Decimal(120)]
    other = world.run("pay")
    other_ref = await world.park(other, "pay", account="DE1", amount=1)
    await world.vote("bo", other_ref, "reject", reason="enough")
    assert "Bo" in failure(await world.go_on(other, "pay", account="DE1", amount=1))
    world.rules(denies.replace(", owner: finance", ""))  # nobody owns it
    assert "Other payments" in failure(await pay(world, world.run("pay"), 500))


async def test_a_rejected_raise_leaves_the_budget_as_it_is(world: World) -> None:
    world.rules(ASKS)
    facts = world.run("pay")
    ref = await world.park(facts, "pay", account="DE1", amount=150)
    await world.vote("lea", ref, "reject", reason="not this month")
    assert "not this month" in failure(await world.go_on(facts, "pay", account="DE1", amount=150))
    other = world.run("pay")
    assert world.approval(await world.park(other, "pay", account="DE1", amount=101)).kind == "raise"
    assert world.approval(await world.park(world.run("pay"), "pay", account="DE1", amount=99)).kind == "call"


async def test_two_approved_calls_share_what_is_left(world: World) -> None:
    world.rules(ASKS)
    one, two = world.run("pay"), world.run("pay")
    refs = [await world.park(facts, "pay", account="DE1", amount=60) for facts in (one, two)]
    for ref in refs:
        await world.vote("bo", ref)
    outcomes = await asyncio.gather(*(world.go_on(facts, "pay", account="DE1", amount=60) for facts in (one, two)))
    assert len(world.happened) == 1
    assert used(world) == [Decimal(60)]
    [refused] = [outcome for outcome in outcomes if isinstance(outcome, Finished) and outcome.result.error]
    assert "60 is used, and 60 more would go beyond it" in refused.result.content


async def test_a_person_has_a_budget_of_their_own(world: World) -> None:
    world.rules(ALLOWS.replace("per: day", "per: day, each: person"))
    assert isinstance(await pay(world, world.run("pay", by="ann"), 90), Finished)
    assert isinstance(await pay(world, world.run("pay", by="ann"), 90), Parked)
    assert isinstance(await pay(world, world.run("pay", by="bo"), 90), Finished)


async def test_a_limit_of_calls_holds_for_reading_too(world: World) -> None:
    world.rules(LIMITED)
    facts = world.run("look")
    outcomes = await asyncio.gather(*(world.act(facts, "look", f"u{n}", text="x") for n in range(5)))
    assert [outcome.result.error for outcome in outcomes if isinstance(outcome, Finished)].count(False) == 2
    world.clock.advance(hours=1)
    assert result(await world.act(facts, "look", "later", text="x")) == "found x"


async def test_the_cost_of_the_model_stops_a_run_by_its_rule(world: World) -> None:
    world.rules(LIMITED.replace("limit: {calls: 2, per: hour}", "budget: {cost: 0.5, per: run}"))
    facts = world.run("look")

    def spend(amount: float) -> None:
        of = {"run_id": facts.run_id, "agent": "ops", "person": "ann", "channel": "#general", "workflow": ""}
        world.store.write_now(lambda session: meters.add_cost(session, world.clock.now(), amount, **of))

    spend(0.3)
    assert result(await world.act(facts, "look", "a", text="x")) == "found x"
    spend(0.15)
    assert result(await world.act(facts, "look", "b", text="x")) == "found x"
    assert any("90 % of the model budget of 0.5 USD per run is used" in text for text in said(world))
    spend(0.1)
    assert "Enough" in failure(await world.act(facts, "look", "c", text="x"))
    other = world.run("look")
    assert result(await world.act(other, "look", text="x")) == "found x"


COSTS = ALLOWS.replace("budget: {amount: 100, per: day, owner: finance}", "budget: {cost: 1, per: day, owner: finance}")


def answering(world: World, usd: float) -> RunFacts:
    """A run in which the next answer of the model may cost so much."""
    return world.run("pay").model_copy(update={"next_answer_usd": usd})


async def test_runs_at_the_same_time_never_overspend_what_the_model_may_cost_by_a_rule(either_world: World) -> None:
    count(either_world)
    world = either_world
    world.rules(COSTS)
    asking = [answering(world, 0.15) for _ in range(12)]
    outcomes = await asyncio.gather(*(pay(world, facts, 1) for facts in asking))
    assert sum(isinstance(outcome, Finished) for outcome in outcomes) == 6
    assert len(world.store.read_now(lambda session: list(session.exec(select(meters.ModelReservation))))) == 6
    parked = [outcome.refs[0] for outcome in outcomes if isinstance(outcome, Parked)]
    assert len(parked) == 6
    assert {world.approval(ref).rules["ids"][0] for ref in parked} == {"rest"}


async def test_what_an_answer_did_not_cost_is_free_for_the_calls_of_others(world: World) -> None:
    world.rules(COSTS)
    one, two = answering(world, 0.6), answering(world, 0.6)
    assert isinstance(await pay(world, one, 1), Finished)
    assert isinstance(await pay(world, one, 1, "u2"), Finished)  # the answer to both is the same one
    assert isinstance(await pay(world, two, 1), Parked)
    world.store.write_now(lambda session: meters.release_cost(session, one.run_id))
    assert isinstance(await pay(world, two, 1, "u2"), Finished)


async def test_a_rule_that_asks_begins_nothing_whose_answer_goes_beyond_its_budget(world: World) -> None:
    asks = ASKS.replace("{amount: 100, per: day, each: person, owner: legal}", "{cost: 1, per: day, owner: legal}")
    world.rules(asks)
    one, two = answering(world, 0.6), answering(world, 0.6)
    refs = [(await pay(world, facts, 1)).refs[0] for facts in (one, two)]  # type: ignore[union-attr]
    for facts, ref in zip((one, two), refs, strict=True):
        world.wait(facts)
        await world.vote("bo", ref)
    assert isinstance(await world.go_on(one, "pay", account="DE1", amount=1), Finished)
    told = failure(await world.go_on(two, "pay", account="DE1", amount=1))
    why = "Of the model budget of 1 USD per day, 1.2 is used or kept free for answers"
    assert told == f"The request was withdrawn (the rules now deny it: {why}). It was not done."


async def test_a_call_that_may_have_happened_keeps_what_it_took(world: World) -> None:
    world.rules(ALLOWS)
    facts = world.run("pay")
    outcome = await pay(world, facts, 90, memo="explode")
    assert isinstance(outcome, Parked)
    assert used(world) == [Decimal(90)]
    world.wait(facts)
    await world.vote("ann", outcome.refs[0], "done")
    assert world.run_row(facts).state == runs.QUEUED
    await world.go_on(facts, "pay", account="DE1", amount=90, memo="explode")
    assert used(world) == [Decimal(90)]
    assert world.approval(outcome.refs[0]).state == approvals.CONSUMED
