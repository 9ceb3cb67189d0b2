"""Budgets for what models cost hold before every turn, whatever runs at the same time; their owner may raise them."""

import asyncio
from decimal import Decimal

import pytest
from sqlmodel import select

from kernel.store import approvals, meters, outbox, runs
from kernel.types import Card, RunFacts
from rules.engine.budget_text import listing, uses
from rules.engine.meter_words import ModelBudget
from rules.engine.meters import of_models
from rules.engine.model_budgets import ModelBudgets, Refused, Spender
from rules.engine.outcome import Parked
from rules.engine.receipts import receipt
from tests.rules.people import account
from tests.rules.world import RULES, World

TEAM = ModelBudget(cost=1, per="day", owner=("finance",))


def budgets(world: World, *known: ModelBudget) -> ModelBudgets:
    return ModelBudgets(world.services, world.approvals.requests, lambda: of_models(known or (TEAM,)))


def spender(facts: RunFacts) -> Spender:
    return Spender(
        run_id=facts.run_id,
        agent=facts.agent,
        person=facts.requester.id,
        channel=facts.channel_name,
        workflow=facts.workflow or "",
    )


async def begin(of: ModelBudgets, world: World, facts: RunFacts, most: float, turn: int = 0) -> Parked | Refused | None:
    return await of.begin(world.now(facts), spender(facts), turn, most)


def spent(of: ModelBudgets, world: World, facts: RunFacts, cost: float) -> None:
    world.store.write_now(lambda session: of.spent(session, spender(facts), cost, facts.place))


async def parked(of: ModelBudgets, world: World, facts: RunFacts, most: float, turn: int = 0) -> str:
    outcome = await begin(of, world, facts, most, turn)
    assert isinstance(outcome, Parked), outcome
    world.wait(facts)
    return outcome.refs[0]


async def refused(of: ModelBudgets, world: World, facts: RunFacts, most: float, turn: int = 0) -> str:
    outcome = await begin(of, world, facts, most, turn)
    assert isinstance(outcome, Refused), outcome
    return outcome.told


def said(world: World) -> list[str]:
    rows = world.store.read_now(lambda session: list(session.exec(select(outbox.OutboxRow))))
    return [row.body["markdown"] for row in rows if row.body["type"] == "text"]


async def test_turns_at_the_same_time_never_overspend(either_world: World) -> None:
    world, of = either_world, budgets(either_world)
    asking = [world.run("hello") for _ in range(12)]
    outcomes = await asyncio.gather(*(begin(of, world, facts, 0.15) for facts in asking))
    assert outcomes.count(None) == 6
    assert sum(isinstance(outcome, Parked) for outcome in outcomes) == 6


async def test_what_a_turn_did_not_cost_is_free_for_the_next_one(world: World) -> None:
    of, one, two = budgets(world), world.run("hello"), world.run("hello")
    assert await begin(of, world, one, 0.9) is None
    spent(of, world, one, 0.1)
    assert await begin(of, world, two, 0.9) is None
    world.store.write_now(lambda session: of.given_up(session, two.run_id))
    assert await begin(of, world, one, 0.9) is None
    await parked(of, world, two, 0.2)


async def test_a_turn_that_begins_again_after_a_crash_keeps_room_once(world: World) -> None:
    of, facts = budgets(world), world.run("hello")
    for _ in range(3):
        assert await begin(of, world, facts, 0.6) is None
    await parked(of, world, world.run("hello"), 0.6)


async def test_the_owner_raises_it_in_the_thread_and_the_run_goes_on(either_world: World) -> None:
    world, of = either_world, budgets(either_world)
    facts = world.run("hello")
    spent(of, world, facts, 0.98)
    ref = await parked(of, world, facts, 0.05)
    card = world.cards(ref)[0].content
    assert isinstance(card, Card)
    assert card.headline == "Raise the model budget of 1 USD per day by 0.1 USD"
    told = (
        "Of the model budget of 1 USD per day, 0.98 are used or under way, and the next answer may cost up to 0.05 USD."
    )
    assert told in str(card.facts)
    assert not (await world.vote("lea", ref)).ok  # of legal: does not own it
    assert not (await world.vote("ann", ref)).ok  # asked for it
    assert await parked(of, world, facts, 0.05) == ref
    assert (await world.vote("bo", ref)).ok
    assert await begin(of, world, facts, 0.05) is None
    assert await begin(of, world, facts, 0.05) is None
    assert world.approval(ref).state == approvals.CONSUMED
    assert [entry["by"] for entry in world.entries("budget.raised")] == ["0.10"]
    spent(of, world, facts, 0.05)
    again = await parked(of, world, facts, 0.5, turn=1)
    assert again != ref
    found = world.store.read_now(lambda session: receipt(session, facts.ref, lambda person: person))
    assert found is not None


async def test_answers_are_kept_free_for_where_only_a_rule_has_a_budget(world: World) -> None:
    of, facts = ModelBudgets(world.services, world.approvals.requests, tuple), world.run("hello")

    def kept() -> list[meters.ModelReservation]:
        return world.store.read_now(lambda session: list(session.exec(select(meters.ModelReservation))))

    assert await begin(of, world, facts, 0.6) is None
    assert kept() == []  # nobody looks at it
    world.rules(RULES + "  - {id: b, why: B., tool: pay, budget: {cost: 1, per: day}, decision: allow}\n")
    assert await begin(of, world, facts, 5) is None  # a turn is no call
    assert [meters.decimal(row.amount) for row in kept()] == [5]
    world.store.write_now(lambda session: of.given_up(session, facts.run_id))
    assert kept() == []


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("reject", "Bo did not raise it: “enough for today”."),
        ("expire", "Nobody decided in time whether it is raised."),
        ("withdraw", "The request to raise it was withdrawn."),
    ],
)
async def test_without_a_raise_the_turn_does_not_begin_and_it_is_said_why(world: World, how: str, told: str) -> None:
    of, facts = budgets(world), world.run("hello")
    ref = await parked(of, world, facts, 1.5)
    if how == "reject":
        assert (await world.vote("bo", ref, "reject", reason="enough for today")).ok
    elif how == "expire":
        world.clock.advance(hours=25)
        await world.approvals.expire_due(world.clock.now())
    else:
        assert "Withdrawn" in await world.approvals.withdraw_one(ref, "", account("ann"))
    said_ = await refused(of, world, facts, 1.5)
    assert said_ == f"Of the model budget of 1 USD per day, 0 are used or under way. {told}"
    world.wait(facts)
    world.store.write_now(lambda session: runs.next_segment(session, facts.run_id, world.clock.now()))
    again = await parked(of, world, facts, 1.5)  # somebody has had it try again
    assert again != ref


async def test_people_are_told_once_when_most_of_it_is_gone(world: World) -> None:
    of, facts = budgets(world), world.run("hello")
    spent(of, world, facts, 0.79)
    assert said(world) == []
    for cost in (0.02, 0.05):
        spent(of, world, facts, cost)
    words = "**81 % of the model budget of 1 USD per day is used**: 0.81 USD (`budgets` in bosun.yaml). "
    assert said(world) == [words + "Nothing goes beyond it without a decision."] * 2  # the thread and #approvals


async def test_each_person_has_their_own_and_tomorrow_is_another_day(world: World) -> None:
    of = budgets(world, ModelBudget(cost=1, per="day", each=("person",)), ModelBudget(cost=1.5, per="month"))
    ann, bo = world.run("hello"), world.run("hello", by="bo")
    spent(of, world, ann, 1)
    assert await begin(of, world, bo, 0.5) is None
    await parked(of, world, ann, 0.1)
    world.store.write_now(lambda session: of.given_up(session, bo.run_id))
    world.clock.advance(hours=24)
    assert await begin(of, world, world.run("hello"), 0.5) is None
    ref = await parked(of, world, world.run("hello"), 0.1)
    assert "per month" in world.approval(ref).preview["headline"]


async def test_a_run_has_a_budget_of_its_own(world: World) -> None:
    of, one, two = budgets(world, ModelBudget(cost=1, per="run")), world.run("hello"), world.run("hello")
    spent(of, world, one, 0.95)
    assert await begin(of, world, two, 0.9) is None
    await parked(of, world, one, 0.1)


async def test_where_there_is_no_budget_or_nothing_to_pay_nobody_is_asked(world: World) -> None:
    facts = world.run("hello")
    none = ModelBudgets(world.services, world.approvals.requests, tuple)
    assert await begin(none, world, facts, 1_000) is None
    spent(none, world, facts, 5)
    assert await begin(budgets(world), world, facts, 0) is None


async def test_what_is_used_is_listed_for_everybody_of_whom_it_is_counted_apart(world: World) -> None:
    known = (TEAM, ModelBudget(cost=2, per="month", each=("agent", "person"), owner=("legal",)))
    of = budgets(world, *known)
    for who, cost in (("ann", 0.25), ("bo", 0.5)):
        spent(of, world, world.run("hello", by=who), cost)
    meters_ = of_models(known)
    now = world.clock.now()
    found = world.store.read_now(lambda session: [(use.whose, use.gone.amount) for use in uses(session, meters_, now)])
    assert found == [("", Decimal("0.75")), ("ops, ann", Decimal("0.25")), ("ops, bo", Decimal("0.5"))]
    lines = world.store.read_now(lambda session: listing(session, meters_, now, lambda use: "bo" not in use.whose))
    used = "0.25 of 2 USD is used for ops, ann"
    assert lines.splitlines()[1:] == [
        "- `bosun.yaml`: the model budget of 1 USD per day; finance may raise it: 0.75 of 1 USD is used",
        "- `bosun.yaml`: the model budget of 2 USD per month for each agent and person; legal may raise it: " + used,
    ]
    key, period = meters_[0].key, f"{now:%Y-%m-%d}"
    world.store.write_now(lambda session: meters.raise_by(session, key, '{"same":{}}', period, Decimal(3)))
    lines = world.store.read_now(lambda session: listing(session, meters_[:1], now, lambda _use: True))
    assert "0.75 of 4 USD is used" in lines
