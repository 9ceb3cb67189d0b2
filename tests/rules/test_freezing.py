"""What is frozen begins nothing, is not refused, and goes on exactly once after the thaw."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.store import approvals, freezes, runs
from kernel.types import RunFacts
from rules.engine import freezing
from rules.engine.outcome import Finished, Held, Outcome
from tests.rules.people import account
from tests.rules.world import World, result


def freeze(world: World, scope: str = "everything") -> None:
    state = freezes.FreezeState(scope=scope, by="dee", by_name="Dee", reason="odd mails", at=world.clock.now())
    world.store.write_now(lambda session: freezes.add(session, state))


def thaw(world: World, scope: str = "everything") -> list[str] | None:
    return world.store.write_now(lambda session: freezing.thaw(session, scope, world.clock.now()))


def hold(world: World, facts: RunFacts, outcome: Outcome) -> bool:
    """What the loop does with an outcome that is held."""
    assert isinstance(outcome, Held), outcome
    held = outcome.freeze

    def write(session: Any) -> bool:
        if not freezing.hold(session, facts.run_id, held, world.clock.now()):
            return False
        row = session.get(runs.Run, facts.run_id)
        row.state = runs.WAITING
        session.add(row)
        return True

    return world.store.write_now(write)


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("look", {"text": "x"}),
    ("peek", {"text": "x"}),
    ("pay", {"account": "DE12345", "amount": 5}),  # allowed
    ("pay", {"account": "DE99999", "amount": 5}),  # asked
]


@pytest.mark.parametrize("knows", [True, False], ids=["this process knows", "another process froze it just now"])
@pytest.mark.parametrize(("tool", "arguments"), CALLS)
async def test_nothing_begins_while_everything_is_frozen_and_nothing_is_recorded_as_refused(
    world: World, tool: str, arguments: dict[str, Any], knows: bool
) -> None:
    facts = world.run("look at x, pay 5 to DE12345")
    freeze(world)
    if knows:
        await world.door.freezes.refresh()
    outcome = await world.act(facts, tool, **arguments)
    asked = arguments.get("account") == "DE99999"
    if asked and not knows:  # asking people is no side effect
        return
    assert isinstance(outcome, Held)
    assert (outcome.freeze.by, outcome.freeze.reason) == ("Dee", "odd mails")
    assert [line for line in world.happened if not line.startswith("look")] == []
    assert world.ledger() == []


async def test_what_was_held_goes_on_after_the_thaw_and_is_done_once(either_world: World) -> None:
    world = either_world
    facts = world.run("pay 5 to DE12345")
    freeze(world)
    assert hold(world, facts, await world.act(facts, "pay", account="DE12345", amount=5))
    assert world.store.read_now(freezes.held) == {facts.run_id: "everything"}
    assert thaw(world) == [facts.run_id]
    assert thaw(world) is None
    assert world.run_row(facts).state == runs.QUEUED
    assert result(await world.go_on(facts, "pay", account="DE12345", amount=5)) == "paid 5 to DE12345"
    assert world.happened == ["pay DE12345 5"]
    assert world.store.read_now(freezes.held) == {}


async def test_a_thaw_that_comes_before_the_run_is_held_is_not_missed(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    freeze(world)
    outcome = await world.act(facts, "pay", account="DE12345", amount=5)
    assert thaw(world) == []
    assert not hold(world, facts, outcome)
    assert isinstance(await world.act(facts, "pay", account="DE12345", amount=5), Finished)


async def test_people_can_decide_during_a_freeze_and_the_approved_call_waits_for_the_thaw(world: World) -> None:
    facts = world.run("pay")
    ref = await world.park(facts, "pay", account="DE99999", amount=5)
    freeze(world)
    await world.door.freezes.refresh()
    assert (await world.approvals.vote(ref, None, "approve", account("bo"))).ok
    assert (await world.approvals.vote(ref, None, "approve", account("cy"))).ok
    outcome = await world.go_on(facts, "pay", account="DE99999", amount=5)
    assert hold(world, facts, outcome)
    assert world.approval(ref).state == approvals.APPROVED
    assert world.happened == []
    thaw(world)
    assert result(await world.go_on(facts, "pay", account="DE99999", amount=5)) == "paid 5 to DE99999"
    assert world.approval(ref).state == approvals.CONSUMED


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ("agent:ops", True),
        ("agent:sales", False),
        ("tool:pay", True),
        ("tool:mail", False),
        ("channel:#general", True),
        ("channel:#finance", False),
    ],
)
async def test_an_agent_a_tool_or_a_channel_alone(world: World, scope: str, held: bool) -> None:
    facts = world.run("pay 5 to DE12345")
    freeze(world, scope)
    outcome = await world.act(facts, "pay", account="DE12345", amount=5)
    assert isinstance(outcome, Held) == held
    assert (world.happened == []) == held


async def test_two_freezes_end_one_by_one(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    freeze(world)
    freeze(world, "tool:pay")
    assert hold(world, facts, await world.act(facts, "pay", account="DE12345", amount=5))
    assert thaw(world, "everything") == [facts.run_id]
    outcome = await world.go_on(facts, "pay", account="DE12345", amount=5)
    assert isinstance(outcome, Held)
    assert outcome.freeze.scope == "tool:pay"
    assert world.happened == []


async def test_a_call_that_has_its_result_is_not_held(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    await world.act(facts, "pay", account="DE12345", amount=5)
    freeze(world)
    await world.door.freezes.refresh()
    assert result(await world.act(facts, "pay", account="DE12345", amount=5)) == "paid 5 to DE12345"


async def test_a_held_run_that_is_stopped_stays_stopped_after_the_thaw(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    freeze(world)
    assert hold(world, facts, await world.act(facts, "pay", account="DE12345", amount=5))

    def stop(session: Any) -> None:
        row = session.get(runs.Run, facts.run_id)
        row.state = runs.STOPPED
        session.add(row)

    world.store.write_now(stop)
    thaw(world)
    assert world.run_row(facts).state == runs.STOPPED
