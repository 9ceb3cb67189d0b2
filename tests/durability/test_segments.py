"""A run whose row says that it has a segment to run gets it run, once, whatever dies in between."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from kernel.engine import ATTEMPTS, Engine
from kernel.errors import StoreError
from kernel.store import executors, runs, wake
from kernel.types import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from kernel.clock import CountedIds, FixedClock
    from kernel.store import Session, Store

ROOM = Place(platform="fake", tenant="t", channel="general")


class Work:
    """Segments that end their run, after failing as often as they are told to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ran: list[tuple[str, int]] = []
        self.ended: list[str] = []
        self.gave_up: list[str] = []
        self.failures: list[Exception] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.changed = asyncio.Event()

    async def segment(self, run_id: str, segment: int) -> None:
        self.ran.append((run_id, segment))
        self.changed.set()
        if self.failures:
            raise self.failures.pop()
        await self.hold.wait()
        await self.store.write(lambda session: end(session, run_id, segment, runs.DONE))
        self.ended.append(run_id)
        self.changed.set()

    async def broken(self, run_id: str, segment: int, error: Exception) -> None:
        self.gave_up.append(f"{type(error).__name__}: {error}")
        await self.store.write(lambda session: end(session, run_id, segment, runs.FAILED))
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


def end(session: Session, run_id: str, segment: int, state: str) -> None:
    run = runs.fence(session, run_id, segment)
    if run is not None:
        run.state = state
        session.add(run)


@pytest.fixture
def engine_url(database_url: str) -> str:
    """Where DBOS keeps its tables."""
    return database_url.replace("bosun.sqlite3", "engine.sqlite3")


@asynccontextmanager
async def engine(store: Store, url: str, clock: FixedClock, work: Work, executor: str = "one") -> AsyncIterator[Engine]:
    started = Engine(store, url, executor, clock, work)
    await started.start()
    try:
        yield started
    finally:
        await started.stop()


async def begin(store: Store, clock: FixedClock, run_id: str) -> None:
    now = clock.now()
    run = runs.Run(
        id=run_id, ref=run_id, agent="lead", requester="ann", place=ROOM.model_dump(), request="?",
        created_at=now, updated_at=now,
    )  # fmt: skip
    await store.write(lambda session: runs.begin(session, run, {"text": "?"}))


async def test_the_commit_wakes_the_segment(store: Store, engine_url: str, clock: FixedClock, ids: CountedIds) -> None:
    work = Work(store)
    async with engine(store, engine_url, clock, work):
        for _ in range(5):
            await begin(store, clock, ids.new())
        await work.until(lambda: len(work.ran) == 5)
    assert await store.read(lambda session: runs.count(session, runs.DONE)) == 5


async def test_a_segment_committed_while_nobody_ran_is_run_at_the_next_start(
    store: Store, engine_url: str, clock: FixedClock
) -> None:
    await begin(store, clock, "r1")
    work = Work(store)
    async with engine(store, engine_url, clock, work):
        await work.until(lambda: work.ran == [("r1", 1)])


async def test_a_segment_is_not_run_a_second_time_while_it_runs(
    store: Store, engine_url: str, clock: FixedClock
) -> None:
    work = Work(store)
    work.hold.clear()
    async with engine(store, engine_url, clock, work):
        await begin(store, clock, "r1")
        await work.until(lambda: bool(work.ran))
        for _ in range(3):
            await store.write(lambda session: wake(session, runs.READY, "r1:1"))
        work.hold.set()
    assert work.ran == [("r1", 1)]


async def test_the_next_segment_follows_a_decision(store: Store, engine_url: str, clock: FixedClock) -> None:
    work = Work(store)
    async with engine(store, engine_url, clock, work):
        await begin(store, clock, "r1")
        await work.until(lambda: len(work.ran) == 1)
        await work.until(lambda: "r1" in work.ended)
        await store.write(lambda session: runs.next_segment(session, "r1", clock.now(), from_states=(runs.DONE,)))
        await work.until(lambda: work.ran == [("r1", 1), ("r1", 2)])


async def test_a_segment_put_off_starts_when_its_time_has_come(
    store: Store, engine_url: str, clock: FixedClock
) -> None:
    work = Work(store)
    async with engine(store, engine_url, clock, work):
        await begin(store, clock, "r1")
        await work.until(lambda: len(work.ran) == 1)
        await work.until(lambda: "r1" in work.ended)
        later = clock.now() + timedelta(minutes=1)
        await store.write(
            lambda session: runs.next_segment(session, "r1", clock.now(), from_states=(runs.DONE,), retry_at=later)
        )
        assert len(work.ran) == 1
        clock.advance(minutes=2)
        await work.until(lambda: work.ran == [("r1", 1), ("r1", 2)])


async def test_a_database_that_is_away_only_delays(store: Store, engine_url: str, clock: FixedClock) -> None:
    work = Work(store)
    work.failures = [StoreError("away") for _ in range(ATTEMPTS)]
    async with engine(store, engine_url, clock, work):
        await begin(store, clock, "r1")
        await work.until(lambda: len(work.ran) == ATTEMPTS + 1)
    assert work.gave_up == []


async def test_a_segment_that_keeps_failing_is_given_up_and_told(
    store: Store, engine_url: str, clock: FixedClock
) -> None:
    work = Work(store)
    work.failures = [KeyError("bug") for _ in range(ATTEMPTS)]
    async with engine(store, engine_url, clock, work):
        await begin(store, clock, "r1")
        await work.until(lambda: bool(work.gave_up))
    assert work.gave_up == ["KeyError: 'bug'"]
    assert len(work.ran) == ATTEMPTS


async def test_an_interrupted_segment_is_taken_over(store: Store, engine_url: str, clock: FixedClock) -> None:
    """A process that stops without finishing leaves its segment to whoever starts next."""
    first = Work(store)
    first.hold.clear()
    started = Engine(store, engine_url, "one", clock, first)
    await started.start()
    await begin(store, clock, "r1")
    await first.until(lambda: bool(first.ran))
    await started.stop(patience=0)
    second = Work(store)
    async with engine(store, engine_url, clock, second, executor="two"):
        await second.until(lambda: second.ran == [("r1", 1)])
        await second.until(lambda: "r1" in second.ended)


async def test_only_one_process_sweeps(store: Store) -> None:
    assert await store.write(executors.take_sweep)
