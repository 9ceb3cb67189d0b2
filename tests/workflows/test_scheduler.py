"""One firing is one run: with several replicas, after downtime, and when the charter changes."""

import asyncio
import functools
from datetime import UTC, datetime, timedelta

import pytest

from kernel.clock import CountedIds, FixedClock, SystemClock
from kernel.errors import NotFound
from kernel.store import Store, ledger, open_store, schedules
from tests.workflows.world import GENERAL, World, at, workflow

DAILY = """
name: daily
description: Says hello
channel: "#general"
trigger: {cron: "0 9 * * *", missed: MISSED, at_most: 3}
steps:
  - post: {text: "Hello on {run.date}"}
"""


def daily(missed: str = "once") -> str:
    return DAILY.replace("MISSED", missed)


async def test_it_fires_once_at_its_time(store: Store) -> None:
    clock = FixedClock(at("2026-03-02 07:00"))
    world = World(store, clock, workflow(daily()))
    assert await world.scheduler.ring() == []
    clock.advance(minutes=59)
    assert await world.scheduler.ring() == []
    clock.advance(minutes=1)
    [run] = await world.scheduler.ring()
    assert run.requester == "workflow:daily"
    assert run.where == GENERAL
    assert await world.scheduler.ring() == []
    await world.work()
    assert await world.posts() == ["Hello on Monday 2 March"]


async def test_nothing_is_made_up_for_from_before_it_was_first_seen(store: Store) -> None:
    world = World(store, FixedClock(at("2026-03-02 12:00")), workflow(daily("all")))
    assert await world.scheduler.ring() == []


@pytest.mark.parametrize(("missed", "count"), [("skip", 0), ("once", 1), ("all", 3)])
async def test_after_downtime_the_policy_decides(store: Store, missed: str, count: int) -> None:
    clock = FixedClock(at("2026-03-02 12:00"))
    await World(store, clock, workflow(daily(missed))).scheduler.ring()
    clock.advance(days=5)
    restarted = World(store, clock, workflow(daily(missed)), ids=CountedIds())
    restarted.ids.count = 1000
    await restarted.scheduler.ring()
    await restarted.work()
    assert len(await restarted.posts()) == count
    assert await restarted.scheduler.ring() == []
    left_out = await store.read(lambda session: schedules.firings(session, "daily"))
    missed_ones = [row for row in left_out if row.state == schedules.MISSED]
    assert sum(row.count for row in missed_ones) == 5 - count  # a record, not a silence


async def test_another_trigger_starts_afresh(store: Store) -> None:
    clock = FixedClock(at("2026-03-02 12:00"))
    world = World(store, clock, workflow(daily("all")))
    await world.scheduler.ring()
    clock.advance(days=2)
    world.workflows = {"daily": workflow(daily("all").replace("0 9", "0 10"))}
    assert await world.scheduler.ring() == []
    clock.advance(days=1)
    assert len(await world.scheduler.ring()) == 1


async def test_a_workflow_that_was_removed_and_comes_back_makes_up_for_nothing(store: Store) -> None:
    clock = FixedClock(at("2026-03-02 12:00"))
    world = World(store, clock, workflow(daily("all")))
    await world.scheduler.ring()
    known, world.workflows = world.workflows, {}
    await world.scheduler.ring()
    assert await store.read(schedules.walked) == {}
    clock.advance(days=2)
    world.workflows = known
    assert await world.scheduler.ring() == []


async def test_two_replicas_that_fire_together_start_one_run(store: Store) -> None:
    await _fire_from_replicas(store, [store, store])


@pytest.mark.parametrize("rounds", [5])
async def test_two_replicas_on_postgres_start_one_run_for_each_firing(postgres_with_tables: str, rounds: int) -> None:
    first, second = open_store(postgres_with_tables), open_store(postgres_with_tables)
    try:
        await _fire_from_replicas(first, [first, second], rounds)
    finally:
        first.close()
        second.close()


async def _fire_from_replicas(store: Store, stores: list[Store], rounds: int = 5) -> None:
    clock = FixedClock(at("2026-03-02 07:00"))
    replicas = [World(one, clock, workflow(daily())) for one in stores]
    for number, replica in enumerate(replicas):
        replica.ids.count = number * 100_000
        await replica.scheduler.ring()
    for _ in range(rounds):
        clock.advance(days=1)
        begun = await asyncio.gather(*(replica.scheduler.ring() for replica in replicas for _ in range(3)))
        assert sum(len(runs) for runs in begun) == 1
        await replicas[0].work()
    assert len(await replicas[0].all_runs()) == rounds
    entries = await store.read(lambda session: [row.kind for row in ledger.entries(session)])
    assert entries == ["workflow", "run.done"] * rounds


async def test_by_hand_as_often_as_it_is_asked_for(store: Store) -> None:
    world = World(store, FixedClock(), workflow(daily()))
    await world.run_now("daily")
    world.clock.advance(hours=1)
    await world.run_now("daily")
    assert len(await world.posts()) == 2
    with pytest.raises(NotFound, match=r"no workflow 'weekly'.*Workflows: daily"):
        await world.run_now("weekly")


async def test_another_process_can_ask_for_a_run(store: Store) -> None:
    world = World(store, FixedClock(), workflow(daily()))
    for number, name in enumerate(["daily", "weekly"]):
        row = schedules.Wanted(id=f"w{number}", workflow=name, asked_by="cli", created_at=world.clock.now())
        await store.write(functools.partial(schedules.want, wanted=row))
    await world.launch.take_wanted()
    await world.launch.take_wanted()
    rows = await store.read(lambda session: [session.get_one(schedules.Wanted, one) for one in ("w0", "w1")])
    assert [run.id for run in await world.all_runs()] == [rows[0].run_id]
    assert rows[1].error == "There is no workflow 'weekly'. Workflows: daily."


async def test_a_channel_that_is_nowhere_stops_that_workflow_only(store: Store) -> None:
    clock = FixedClock(at("2026-03-02 07:00"))
    lost = workflow(daily().replace("#general", "#lost").replace("name: daily", "name: a-lost"))
    world = World(store, clock, lost, workflow(daily()))
    await world.scheduler.ring()
    clock.advance(hours=2)
    [run] = await world.scheduler.ring()
    assert run.workflow == "daily"
    world.launch.home = lambda _name, _platform: GENERAL
    assert await world.scheduler.ring() == []  # not at once, or the alarm would ring without end
    clock.advance(seconds=30)
    [run] = await world.scheduler.ring()
    assert run.workflow == "a-lost"


async def test_firings_of_one_time_are_begun_together_each_on_its_own_terms(store: Store) -> None:
    clock = FixedClock(at("2026-03-02 07:00"))
    many = [daily().replace("name: daily", f"name: daily-{number}") for number in range(40)]
    many[7] += "overlap: replace"
    many[9] = many[9].replace("#general", "#lost")
    world = World(store, clock, *map(workflow, many))
    await world.scheduler.ring()
    clock.advance(hours=1)
    begun = await world.scheduler.ring()
    assert {run.workflow for run in begun} == world.workflows.keys() - {"daily-9"}


async def test_the_alarm_rings_by_itself(store: Store) -> None:
    """With the machine's clock: a schedule of every minute that is a minute behind fires as soon as it starts."""
    world = World(store, FixedClock(), workflow(daily().replace("0 9 * * *", "* * * * *")))
    world.scheduler.clock = world.launch.clock = SystemClock()
    behind = datetime.now(UTC) - timedelta(minutes=1)  # noqa: TID251  the real alarm needs the real time
    trigger = str(world.workflows["daily"].timed[0].table)
    await store.write(lambda session: schedules.establish(session, {"daily": trigger}, behind))
    await world.scheduler.start()
    try:
        assert len(await world.all_runs()) == 1
        [soonest] = world.scheduler.upcoming()
        assert soonest.at > behind
    finally:
        await world.scheduler.stop()


class Running(FixedClock):
    """A clock that goes on by a second at each look."""

    def now(self) -> datetime:
        return self.advance(seconds=1)


@pytest.mark.parametrize("before", range(1, 8))
async def test_what_comes_due_while_the_scheduler_writes_is_not_passed_over(store: Store, before: int) -> None:
    clock = Running(at("2026-03-02 08:00") - timedelta(seconds=before))
    world = World(store, clock, workflow(daily()))
    begun = [await world.scheduler.ring() for _ in range(3)]
    clock.advance(minutes=1)
    begun.append(await world.scheduler.ring())
    assert sum(map(len, begun)) == (1 if before > 1 else 0)  # 1: its first look is at the time itself
