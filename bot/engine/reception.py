"""Takes events from the platforms: stored first, then handed to the desk in the order of their channel."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from kernel.errors import StoreError
from kernel.store import inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.types import Inbound

log = logging.getLogger(__name__)

SWEEP_EVERY = 2.0  # seconds; the safety net for rows that another process stored and did not get to
KNOWN, STORED = object(), object()  # what became of an event that was not dealt with at once
GRACE = timedelta(seconds=5)  # a new row of another process that is older than this was left behind


@dataclass(frozen=True, kw_only=True)
class AtOnce:
    """An event that can be dealt with in the very transaction that stores it."""

    work: Callable[[Session, str], object]  # settles the row
    then: Callable[[object], None]  # gets what `work` returned, after the commit


class Handler(Protocol):
    """What is done with a stored event. Idempotent: it settles the row in the transaction of what it does."""

    def at_once(self, inbound: Inbound) -> AtOnce | None:
        """How to deal with the event while it is stored; None if that takes more than a transaction."""
        ...

    async def handle(self, row_id: str, inbound: Inbound) -> None:
        """Deal with the event."""
        ...

    async def failed(self, row_id: str, inbound: Inbound, error: Exception) -> None:
        """It could not be dealt with, for an unknown reason: settle the row and tell the person."""
        ...


class Reception:
    """The inbox of this process. Events of one channel are handled one after the other, channels side by side."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, handler: Handler) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.handler = handler
        self._lanes: dict[str, deque[tuple[str, Inbound]]] = {}
        self._held: set[str] = set()  # rows in a lane
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def receive(self, inbound: Inbound) -> None:
        """Store an event; returns once it is stored. StoreError: it is not, do not acknowledge it."""
        row_id = self.ids.new()
        at_once = self.handler.at_once(inbound)
        self._held.add(row_id)  # before the commit, so that no sweep takes it first
        try:
            stored = await self._store(inbound, row_id, at_once)
        except BaseException:
            self._held.discard(row_id)
            raise
        if stored is STORED:
            self._enqueue(row_id, inbound)
            return
        self._held.discard(row_id)
        if at_once is not None and stored is not KNOWN:
            at_once.then(stored)

    async def _store(self, inbound: Inbound, row_id: str, at_once: AtOnce | None) -> object:
        """Store the event and, where that is all it takes, deal with it; says which of it was done."""

        def store(session: Session) -> object:
            fresh = inbox.accept(session, inbound, row_id, self.clock.now())
            return STORED if fresh else KNOWN

        def store_and_deal(session: Session) -> object:
            fresh = inbox.accept(session, inbound, row_id, self.clock.now())
            return at_once.work(session, row_id) if fresh and at_once is not None else KNOWN

        if at_once is not None:
            try:
                return await self.store.write(store_and_deal)
            except StoreError:
                raise
            except Exception:  # stored all the same: the desk tries again, and tells the person if it fails
                log.exception("event %s was not dealt with at once", row_id)
        return await self.store.write(store)

    async def start(self) -> None:
        """Take up what was stored and not dealt with before the last stop."""
        await self._take_up(timedelta(0))
        self._spawn(self._sweep(), "inbox-sweep")

    async def stop(self, patience: float = 5.0) -> None:
        """Deal with what is in hand, within `patience` seconds; the rest is stored."""
        self._stopping = True
        workers = [task for task in self._tasks if task.get_name() != "inbox-sweep"]
        if workers:
            await asyncio.wait(workers, timeout=patience)
        for task in list(self._tasks):
            task.cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            try:
                await self._take_up(GRACE)
            except StoreError as error:
                log.warning("the inbox cannot be read: %s", error)

    async def _take_up(self, grace: timedelta) -> None:
        before = self.clock.now() - grace
        for row in await self.store.read(lambda session: inbox.unprocessed(session, before)):
            if row.id not in self._held:
                self._held.add(row.id)
                self._enqueue(row.id, row.inbound)

    def _enqueue(self, row_id: str, inbound: Inbound) -> None:
        lane = inbound.place.lane
        if lane in self._lanes:
            self._lanes[lane].append((row_id, inbound))
            return
        self._lanes[lane] = deque([(row_id, inbound)])
        self._spawn(self._work(lane))

    def _spawn(self, work: Coroutine[None, None, None], name: str | None = None) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, lane: str) -> None:
        queue = self._lanes[lane]
        while queue and not self._stopping:
            row_id, inbound = queue.popleft()
            try:
                await self._handle(row_id, inbound)
            finally:
                self._held.discard(row_id)
        del self._lanes[lane]

    async def _handle(self, row_id: str, inbound: Inbound) -> None:
        try:
            await self.handler.handle(row_id, inbound)
        except StoreError as error:
            log.warning("event %s waits for the database: %s", row_id, error)
        except Exception as error:
            log.exception("event %s could not be dealt with", row_id)
            try:
                await self.handler.failed(row_id, inbound, error)
            except StoreError as away:
                log.warning("event %s waits for the database: %s", row_id, away)
