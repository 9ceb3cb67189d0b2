"""Durable execution of runs: which segment runs when, and what is done about one that fails or was interrupted.

A run is rows in our own tables. A row in state QUEUED is the promise that its segment will run: a commit wakes it at
once; the sweep, a safety net, starts what no wake reached. On SQLite the lock on the data says that every other
process is dead, so the row is all it takes. Where several processes share a Postgres, `kernel.replicas` makes sure
that a segment runs in one of them, and that what a dead one left is taken over.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from kernel.errors import StoreError
from kernel.store import executors, runs

if TYPE_CHECKING:
    from kernel.clock import Clock
    from kernel.replicas import Replicas
    from kernel.store import Session, Store

log = logging.getLogger(__name__)

LEASE = 8.0  # seconds without a heartbeat after which a process counts as dead; a busy machine delays heartbeats
SWEEP_EVERY = 1.0  # seconds
GRACE = timedelta(seconds=2)  # a queued run untouched for this long was missed by its wake
SLOTS = 200  # segments that run at once in this process; more wait as rows
ATTEMPTS = 3  # of a segment that fails for an unknown reason


class Segments(Protocol):
    """What runs a segment. Idempotent: it continues from what is saved and ends by changing the run's row."""

    async def segment(self, run_id: str, segment: int) -> None:
        """Run the segment to its end."""
        ...

    async def broken(self, run_id: str, segment: int, error: Exception) -> None:
        """The segment failed for an unknown reason, repeatedly: end the run and tell the person."""
        ...


class Engine:
    """Runs segments in this process."""

    def __init__(self, store: Store, url: str, executor_id: str, clock: Clock, segments: Segments) -> None:
        self.store = store
        self.executor_id = executor_id
        self.clock = clock
        self.segments = segments
        self._running: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(SLOTS)
        self._sweeper: asyncio.Task[None] | None = None
        self._stopping = False
        self._replicas = None if store.is_sqlite else _replicas(url, executor_id)

    async def start(self) -> None:
        """Take part: from now on segments run here, and what dead processes left is taken over."""
        await self.store.write(lambda session: executors.beat(session, self.executor_id))
        if self._replicas is None:
            await self.store.write(lambda session: executors.forget_all_but(session, self.executor_id))
        else:
            self._replicas.launch(self._run_segment)
        self.store.on(runs.READY, self._wake)
        await self._take_over()
        await self._start_ready(grace=timedelta(0))
        self._sweeper = asyncio.create_task(self._sweep_forever(), name="engine-sweep")

    async def stop(self, patience: float = 10.0) -> None:
        """Finish the segments that run now, within `patience` seconds; the rest is taken up at the next start."""
        self._stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        running = list(self._running.values())
        if running:
            await asyncio.wait(running, timeout=patience)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.store.write(lambda session: executors.forget(session, self.executor_id))
        if self._replicas is not None:
            await self._replicas.leave()

    @property
    def busy(self) -> int:
        """Segments that run now."""
        return len(self._running)

    def _wake(self, key: str) -> None:
        run_id, _, segment = key.rpartition(":")
        self._start(run_id, int(segment))

    def _start(self, run_id: str, segment: int) -> None:
        key = f"{run_id}:{segment}"
        if self._stopping or key in self._running:
            return
        self._running[key] = task = asyncio.create_task(self._run(run_id, segment), name=key)
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _run(self, run_id: str, segment: int) -> None:
        async with self._slots:
            try:
                run = self._run_segment if self._replicas is None else self._replicas.run
                await run(run_id, segment)
            except Exception:  # the row still says QUEUED: the sweep tries again
                log.exception("segment %s:%d could not be started", run_id, segment)

    async def _run_segment(self, run_id: str, segment: int) -> None:
        """Returns only when the run's row has moved on, so its end needs no record of its own."""
        failures = 0
        while True:
            try:
                await self.segments.segment(run_id, segment)
            except StoreError as error:
                log.warning("segment %s:%d waits for the database: %s", run_id, segment, error)
                await asyncio.sleep(1.0)
            except Exception as error:
                failures += 1
                log.exception("segment %s:%d failed (%d of %d)", run_id, segment, failures, ATTEMPTS)
                if failures >= ATTEMPTS:
                    await self.segments.broken(run_id, segment, error)
                    return
                await asyncio.sleep(0.5 * failures)
            else:
                return

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            try:
                await self._start_ready(grace=GRACE)
                if self._replicas is not None:
                    await self.store.write(lambda session: executors.beat(session, self.executor_id))
                    await self._take_over()
            except Exception:
                log.exception("sweep failed; the next one is in %.0f s", SWEEP_EVERY)

    async def _start_ready(self, grace: timedelta) -> None:
        now = self.clock.now()
        for run_id, segment in await self.store.read(lambda session: runs.ready(session, now, now - grace)):
            self._start(run_id, segment)

    async def _take_over(self) -> None:
        """Resume the segments of dead processes; each goes to one live process."""
        if self._replicas is None:  # every queued row is ours
            return
        pending = await self._replicas.pending()
        if not set(pending.values()) - {self.executor_id}:
            return
        alive = await self.store.write(self._live_if_mine_to_sweep)
        orphans = [segment for segment, owner in pending.items() if alive and owner not in alive]
        if orphans:
            log.info("taking over %d segments of processes that ended", len(orphans))
            await self._replicas.resume(orphans)

    def _live_if_mine_to_sweep(self, session: Session) -> set[str]:
        return executors.live(session, LEASE) if executors.take_sweep(session) else set()


def _replicas(url: str, executor_id: str) -> Replicas:
    from kernel.replicas import Replicas

    return Replicas(url, executor_id)
