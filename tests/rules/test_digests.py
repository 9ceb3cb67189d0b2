"""What waits is told once a day, and where more comes in an hour than one person is sent. Nothing is approved by it."""

from dataclasses import replace
from typing import Any

from kernel.store import approvals as rows
from kernel.types import Text
from rules.engine.approvals import Approvals
from tests.rules.world import World

BIG: dict[str, Any] = {"account": "DE12345", "amount": 500.0}


async def ask(world: World, count: int) -> list[str]:
    return [await world.park(world.run("pay 500 to DE12345"), "pay", **BIG) for _ in range(count)]


def sent(world: World, user: str) -> list[Text]:
    found = [row.content for row in world.outbox() if row.to is not None and row.to.user == user]
    return [body for body in found if isinstance(body, Text)]


def cards(world: World, user: str) -> int:
    return len([row for row in world.outbox() if row.to and row.to.user == user and row.content.type == "card"])


def capped(world: World, most: int) -> Approvals:
    return Approvals(replace(world.services, cards_per_hour=most))


async def test_more_than_their_share_of_an_hour_waits_for_one_message(either_world: World) -> None:
    world = either_world
    approvals = capped(world, 2)
    refs = await ask(world, 5)
    await approvals.run_due(world.clock.now())
    assert cards(world, "bo") == 2
    await approvals.send_digests(world.clock.now())
    assert sent(world, "bo") == []
    world.clock.advance(minutes=16)
    for _ in range(2):
        await approvals.send_digests(world.clock.now())
    [digest] = sent(world, "bo")
    assert all(ref in digest.markdown for ref in refs)
    assert [action.verb for action in digest.actions] == ["review"] * 4
    assert {world.approval(ref).state for ref in refs} == {rows.PENDING}
    assert (await world.vote("bo", refs[4])).ok


async def test_the_next_hour_brings_cards_again(world: World) -> None:
    approvals = capped(world, 2)
    await ask(world, 3)
    await approvals.run_due(world.clock.now())
    world.clock.advance(hours=1, minutes=1)
    await ask(world, 1)
    await approvals.run_due(world.clock.now())
    assert cards(world, "bo") == 3


async def test_each_morning_what_waits_is_told_once_and_nothing_where_nothing_waits(world: World) -> None:
    [ref] = await ask(world, 1)
    await world.vote("cy", ref)
    world.clock.advance(hours=2)
    for _ in range(2):
        await world.approvals.send_digests(world.clock.now())
    [digest] = sent(world, "bo")
    assert ref in digest.markdown
    assert sent(world, "cy") == sent(world, "lea") == []


async def test_what_was_asked_a_moment_ago_stands_on_its_card(world: World) -> None:
    await ask(world, 1)
    await world.approvals.send_digests(world.clock.now())
    assert sent(world, "bo") == []


async def test_no_digest_comes_at_night_or_in_quiet_hours(world: World) -> None:
    world.team.people["bo"] = world.team.people["bo"].model_copy(update={"quiet": (8 * 60, 12 * 60)})
    world.team.people["cy"] = world.team.people["cy"].model_copy(update={"time_zone": "America/New_York"})
    await ask(world, 1)
    world.clock.advance(hours=2)
    await world.approvals.send_digests(world.clock.now())
    assert sent(world, "bo") == sent(world, "cy") == []
