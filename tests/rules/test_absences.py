"""Who decides for somebody who is away, and that nobody is counted twice by it."""

from datetime import timedelta
from typing import Any

import pytest

from kernel.errors import RefusedError
from kernel.people import Away
from kernel.store import approvals as rows
from kernel.types import RunFacts
from tests.rules.world import RULES, World, result

BIG: dict[str, Any] = {"account": "DE12345", "amount": 500.0}


async def asked(world: World, **more: Any) -> tuple[str, RunFacts]:
    facts = world.run("pay 500 to DE12345", **more)
    return await world.park(facts, "pay", **BIG), facts


async def leaves(world: World, who: str, delegate: str | None, days: int = 3) -> None:
    people = world.team.people
    until = world.clock.now() + timedelta(days=days)
    await world.services.absences.leave(people[who], people[delegate] if delegate else None, until, who)


async def test_the_delegate_of_somebody_who_is_away_decides_for_them(either_world: World) -> None:
    world = either_world
    await leaves(world, "cy", "lea")
    ref, facts = await asked(world)
    await world.approvals.run_due(world.clock.now())
    assert sorted(row.to.user for row in world.outbox() if row.to) == ["bo", "lea"]
    assert [one.ref for one in await world.approvals.waiting_for(world.team.people["lea"])] == [ref]
    assert (await world.vote("lea", ref)).text == "Your approval is recorded: 1 of 2 approvals (Lea for Cy)."
    assert (await world.vote("bo", ref)).ok
    await world.go_on(facts, "pay", **BIG)
    assert getattr(world.cards(ref)[0].content, "state", "").startswith("Approved by Lea for Cy and Bo")
    assert world.entries("person.away") == [
        {"delegate": "lea", "until": (world.clock.now() + timedelta(days=3)).isoformat(), "by": "cy"}
    ]
    assert world.entries("approval.vote")[0]["for"] == "cy"


async def test_a_seat_is_filled_once_by_the_person_or_by_the_delegate(world: World) -> None:
    await leaves(world, "cy", "lea")
    ref, _ = await asked(world)
    assert (await world.vote("lea", ref)).ok
    assert "has voted on" in (await world.vote("cy", ref)).text
    assert world.approval(ref).state == rows.PENDING
    ref, _ = await asked(world)
    assert (await world.vote("cy", ref)).ok
    assert "is cast already" in (await world.vote("lea", ref)).text
    assert world.approval(ref).state == rows.PENDING


async def test_who_holds_the_role_and_is_a_delegate_as_well_counts_once(world: World) -> None:
    await leaves(world, "cy", "bo")
    ref, _ = await asked(world)
    assert (await world.vote("bo", ref)).ok
    assert "You have voted" in (await world.vote("bo", ref)).text
    assert world.approval(ref).state == rows.PENDING


async def test_the_requester_never_decides_as_a_delegate_and_nobody_for_the_requester(world: World) -> None:
    await leaves(world, "cy", "ann")
    ref, _ = await asked(world)
    assert not (await world.vote("ann", ref)).ok
    await leaves(world, "bo", "lea")
    ref, _ = await asked(world, by="bo")
    assert not (await world.vote("lea", ref)).ok


async def test_a_delegate_counts_no_longer_when_the_person_is_back(world: World) -> None:
    await leaves(world, "cy", "lea")
    ref, _ = await asked(world)
    assert (await world.vote("lea", ref)).ok
    assert await world.services.absences.come_back(world.team.people["cy"], "cy")
    assert (await world.vote("bo", ref)).text == "Your approval is recorded: 1 of 2 approvals (Bo)."
    assert world.approval(ref).state == rows.PENDING


async def test_a_delegate_counts_until_the_date_and_as_long_as_the_person_holds_the_role(world: World) -> None:
    await leaves(world, "cy", "lea", days=1)
    ref, _ = await asked(world)
    world.team.roles["finance"].remove("cy")
    assert not (await world.vote("lea", ref)).ok
    world.team.roles["finance"].add("cy")
    world.clock.advance(days=1)
    ref, _ = await asked(world)
    assert not (await world.vote("lea", ref)).ok


async def test_a_rule_can_forbid_delegates(world: World) -> None:
    world.rules(RULES.replace('where: "#finance"', "delegate: false"))
    await leaves(world, "cy", "lea")
    ref, _ = await asked(world)
    assert not (await world.vote("lea", ref)).ok


async def test_whoever_is_away_without_a_delegate_is_not_written_to_and_may_still_decide(world: World) -> None:
    await leaves(world, "cy", None)
    ref, facts = await asked(world)
    await world.approvals.run_due(world.clock.now())
    assert [row.to.user for row in world.outbox() if row.to] == ["bo"]
    assert (await world.vote("cy", ref)).ok
    assert (await world.vote("bo", ref)).ok
    assert result(await world.go_on(facts, "pay", **BIG)) == "paid 500 to DE12345"


async def test_the_charter_says_it_too_and_what_was_said_last_goes_before(world: World) -> None:
    until = world.clock.now() + timedelta(days=3)
    world.team.absent = (Away(person="cy", delegate="dee", until=until),)
    ref, _ = await asked(world)
    assert (await world.vote("dee", ref)).ok
    await leaves(world, "cy", "lea")
    ref, _ = await asked(world)
    assert not (await world.vote("dee", ref)).ok
    assert (await world.vote("lea", ref)).ok


async def test_delegates_of_delegates_decide_for_nobody(world: World) -> None:
    await leaves(world, "cy", "lea")
    await leaves(world, "lea", "ida")
    ref, _ = await asked(world)
    assert not (await world.vote("ida", ref)).ok
    assert not (await world.vote("lea", ref)).ok


@pytest.mark.parametrize(
    ("delegate", "days", "says"),
    [("cy", 3, "for yourself"), ("zoe", 3, "cannot decide"), ("lea", 0, "has passed"), ("lea", 400, "a year")],
)
async def test_an_absence_that_makes_no_sense_is_refused(world: World, delegate: str, days: int, says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        await leaves(world, "cy", delegate, days)
