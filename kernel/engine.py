"""Durable execution of runs: which segment runs, where, and who takes over from a process that died.

A run is rows in our own tables; a DBOS workflow is one segment of it, named `run:segment`. A row in state QUEUED is the
promise that its segment will run. A commit wakes it at once; the sweep, a safety net, starts what no wake reached and
resumes what a dead process left behind. DBOS makes sure that one segment runs in one process at a time.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from dbos import DBOS, SetWorkflowID
from sqlalchemy import create_engine, event

from kernel.errors import StoreError
from kernel.store import executors, runs
from kernel.store.database import add_unixepoch

if TYPE_CHECKING:
    import sqlite3

    from dbos import DBOSConfig
    from sqlalchemy import Engine as SqlEngine

    from kernel.clock import Clock
    from kernel.store import Session, Store

log = logging.getLogger(__name__)

VERSION = "1"  # of the segment contract, pinned: parked runs hold no code, so a new Bosun may continue them
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
    """Runs segments in this process. One per process: DBOS is a singleton."""

    def __init__(self, store: Store, url: str, executor_id: str, clock: Clock, segments: Segments) -> None:
        self.store = store
        self.url = url  # where DBOS keeps its own tables
        self.executor_id = executor_id
        self.clock = clock
        self.segments = segments
        self._running: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(SLOTS)
        self._sweeper: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Take part: from now on segments run here, and what dead processes left is taken over."""
        await self.store.write(lambda session: executors.beat(session, self.executor_id))
        if self.store.is_sqlite:  # the data folder's lock says that every other process is dead
            await self.store.write(lambda session: executors.forget_all_but(session, self.executor_id))
        self._launch()
        self.store.on(runs.READY, self._wake)
        await self._take_over()
        await self._start_ready(grace=timedelta(0))
        self._sweeper = asyncio.create_task(self._sweep_forever(), name="engine-sweep")

    async def stop(self, patience: float = 10.0) -> None:
        """Finish the segments that run now, within `patience` seconds; the rest is taken up at the next start."""
        self._stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=patience)
        await self.store.write(lambda session: executors.forget(session, self.executor_id))
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(8))  # DBOS had put its own in this place, and closes it now
        await loop.run_in_executor(None, functools.partial(DBOS.destroy, destroy_registry=True))

    @property
    def busy(self) -> int:
        """Segments that run now."""
        return len(self._running)

    def _launch(self) -> None:
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        config: DBOSConfig = {
            "name": "bosun",
            "application_version": VERSION,
            "executor_id": self.executor_id,
            "max_executor_threads": 8,
            "log_level": "CRITICAL",
            "system_database_url": self.url,
        }
        if self.url.startswith("sqlite"):
            config["system_database_engine"] = _sqlite_engine(self.url)
        DBOS(config=config)

        async def segment(run_id: str, number: int) -> None:
            await self._run_segment(run_id, number)

        self._segment = DBOS.workflow(name="segment", max_recovery_attempts=1_000_000)(segment)
        DBOS.launch()

    def _wake(self, key: str) -> None:
        run_id, _, segment = key.rpartition(":")
        self._start(run_id, int(segment))

    def _start(self, run_id: str, segment: int) -> None:
        key = f"{run_id}:{segment}"
        if self._stopping or key in self._running:
            return
        self._running[key] = task = asyncio.create_task(self._hand_over(key, run_id, segment), name=key)
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _hand_over(self, key: str, run_id: str, segment: int) -> None:
        async with self._slots:
            try:
                with SetWorkflowID(key):
                    handle = await DBOS.start_workflow_async(self._segment, run_id, segment)
                await handle.get_result()
            except Exception:  # the row still says QUEUED: the sweep tries again
                log.exception("segment %s could not be started", key)

    async def _run_segment(self, run_id: str, segment: int) -> None:
        """The DBOS workflow. Returns only when the run's row has moved on, so its end needs no record of its own."""
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
                if not self.store.is_sqlite:
                    await self.store.write(lambda session: executors.beat(session, self.executor_id))
                    await self._take_over()
            except Exception:
                log.exception("sweep failed; the next one is in %.0f s", SWEEP_EVERY)

    async def _start_ready(self, grace: timedelta) -> None:
        now = self.clock.now()
        for run_id, segment in await self.store.read(lambda session: runs.ready(session, now, now - grace)):
            self._start(run_id, segment)

    async def _take_over(self) -> None:
        """Resume the segments of dead processes; DBOS hands each to one live process."""
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        owners = {status.executor_id for status in pending}
        if not owners - {self.executor_id}:
            return
        alive = await self.store.write(self._live_if_mine_to_sweep)
        orphans = [status.workflow_id for status in pending if alive and status.executor_id not in alive]
        if orphans:
            log.info("taking over %d segments of processes that ended", len(orphans))
            await DBOS.resume_workflows_async(orphans)

    def _live_if_mine_to_sweep(self, session: Session) -> set[str]:
        return executors.live(session, LEASE) if executors.take_sweep(session) else set()


def _sqlite_engine(url: str) -> SqlEngine:
    """DBOS's own SQLite file. `synchronous=NORMAL` suffices: the run's row, not this file, is the promise."""
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        add_unixepoch(connection)

    return engine
