"""Makes the platforms show what the outbox says: one sender per channel, in order, within the rates, never twice.

A row is claimed by a commit before anything is sent. What a dead process had claimed is in doubt, and so is a post
whose answer was lost: the platform is asked whether it arrived before it is posted again.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from bot.engine.edit_pace import EditPace
from kernel.errors import BosunError, OutcomeUnknown, PlatformError, RateLimited, StoreError, TargetGone
from kernel.store import executors, outbox
from kernel.types import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bot.engine.adapter import Adapter
    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.store.outbox import Claimed

    Settle = Callable[[Session], None]

T = TypeVar("T")
log = logging.getLogger(__name__)

POLL_EVERY = 1.0  # seconds; the safety net behind the wakes
LEASE = 8.0  # seconds without a heartbeat after which a sender counts as dead
GIVE_UP_AFTER = timedelta(hours=24)  # a post that could not be made for so long is dropped and its owner told
LONGEST_PAUSE = 60.0  # seconds between two tries


class Sender:
    """Sends the outbox rows of the given platforms."""

    def __init__(self, store: Store, clock: Clock, executor_id: str, adapters: Mapping[str, Adapter]) -> None:
        self.store = store
        self.clock = clock
        self.executor_id = executor_id
        self.adapters = adapters
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._claimed: dict[str, Claimed] = {}  # by lane: claimed in the transaction that wrote it
        self._paces: defaultdict[str, EditPace] = defaultdict(EditPace)  # by platform
        self._budgets: dict[str, Budget] = {}
        self._poller: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to send; first what was left over, after looking whether it arrived."""
        await self.store.write(self._release)
        self.store.on(outbox.TOPIC, self._wake, prepare=self._claim_at_once if self.store.is_sqlite else None)
        self._poller = asyncio.create_task(self._poll(), name="sender-poll")
        for lane in await self.store.read(lambda session: outbox.due_lanes(session, self.clock.now())):
            self._wake(lane)

    async def stop(self, patience: float = 5.0) -> None:
        """Send what is due, within `patience` seconds."""
        if self._poller is not None:
            self._poller.cancel()
        if self._lanes:
            await asyncio.wait(list(self._lanes.values()), timeout=patience)
        for task in list(self._lanes.values()):
            task.cancel()

    async def drained(self) -> None:
        """Wait until nothing is being sent; what waits for a retry does not count."""
        while self._lanes:
            await asyncio.wait(list(self._lanes.values()))

    def _release(self, session: Session) -> int:
        live = executors.live(session, LEASE) | {self.executor_id}
        return outbox.release(session, live - {self.executor_id} if self._poller is None else live)

    def _claim_at_once(self, session: Session, lane: str) -> Claimed | None:
        """Take a row in the transaction that writes it, where nobody sends in its lane: that spares a commit."""
        if lane in self._lanes or lane.partition(":")[0] not in self.adapters:
            return None
        return outbox.claim(session, lane, self.executor_id, self.clock.now())

    def _wake(self, lane: str, claimed: Claimed | None = None) -> None:
        if lane.partition(":")[0] not in self.adapters:
            return
        if claimed is not None:
            self._claimed[lane] = claimed
        if lane in self._lanes:
            self._again.add(lane)
            return
        self._lanes[lane] = asyncio.create_task(self._work(lane), name=f"lane-{lane}")

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY)
            try:
                if not self.store.is_sqlite:
                    await self.store.write(self._release)
                for lane in await self.store.read(lambda session: outbox.due_lanes(session, self.clock.now())):
                    self._wake(lane)
            except BosunError:
                log.exception("the outbox could not be read")

    async def _work(self, lane: str) -> None:
        adapter = self.adapters[lane.partition(":")[0]]
        settle: Settle | None = None
        try:
            while True:
                row = self._claimed.pop(lane, None)
                if row is None:
                    self._again.discard(lane)
                    row = await self._insist(functools.partial(self._settle_and_claim, lane=lane, settle=settle))
                    settle = None
                if row is not None:
                    settle = await self._send(adapter, row)
                if lane in self._again:
                    continue
                if settle is None:
                    return
                look = functools.partial(self._settle_and_look, lane=lane, settle=settle)
                more, settle = await self._insist(look, synced=False), None
                if not more and lane not in self._again:
                    return
        finally:
            del self._lanes[lane]
            if lane in self._again:
                self._wake(lane)

    async def _insist(self, work: Callable[[Session], T], *, synced: bool = True) -> T:
        """Write, however long the database is away: what the platform already shows must not be forgotten."""
        while True:
            try:
                return await self.store.write(work, synced=synced)
            except StoreError as error:
                log.warning("sending waits for the database: %s", error)
                await asyncio.sleep(POLL_EVERY)

    def _settle_and_claim(self, session: Session, lane: str, settle: Settle | None) -> Claimed | None:
        """Record what became of the last row and take the next one, in one transaction."""
        if settle is not None:
            settle(session)
        return outbox.claim(session, lane, self.executor_id, self.clock.now())

    def _settle_and_look(self, session: Session, lane: str, settle: Settle) -> bool:
        """Record what became of the last row; says whether there is a next one.

        Not synced: where a power cut takes it, the row is in doubt and the platform is asked whether it arrived.
        """
        settle(session)
        return outbox.is_due(session, lane, self.clock.now())

    async def _send(self, adapter: Adapter, row: Claimed) -> Settle:
        """Make the platform show the row; returns how to record what became of it."""
        wait = self._too_early(adapter, row)
        if wait is not None:
            return self._put_back(row, "", wait)
        try:
            remote_id = await self._show(adapter, row)
        except RateLimited as error:
            return self._put_back(row, error.message, self.clock.now() + timedelta(seconds=error.retry_after))
        except TargetGone as error:
            return await self._gone(row, error)
        except BosunError as error:
            return self._failed(row, error, doubt=isinstance(error, OutcomeUnknown))
        except Exception as error:
            log.exception("sending %s failed", row.id)
            return self._failed(row, PlatformError(f"{type(error).__name__}: {error}"), doubt=True)
        return lambda session: outbox.delivered(session, row.id, row.version, remote_id)

    async def _show(self, adapter: Adapter, row: Claimed) -> str | None:
        if row.kind == outbox.NOTICE:
            await adapter.notice(row)
        elif row.remote_id is not None:
            await adapter.edit(row)
            if _is_progress(row):
                self._paces[row.platform].edited(row.id, self.clock.now())
        else:
            return await self._post(adapter, row)
        return None

    async def _post(self, adapter: Adapter, row: Claimed) -> str:
        if row.kind == outbox.FILE and (row.extra or {}).get("below"):
            root = await self.store.read(lambda session: session.get(outbox.OutboxRow, row.extra["below"]))
            row.place = {**row.place, "thread": root.remote_id if root is not None else None}
        found = await adapter.find(row) if row.doubt else None
        if found is not None:
            row.remote_id = found
            if row.kind == outbox.MESSAGE:
                await adapter.edit(row)
            return found
        await self._budget(adapter, row.lane).take()
        if row.kind == outbox.FILE:
            return await adapter.upload(row)
        return await adapter.post(row)

    def _budget(self, adapter: Adapter, lane: str) -> Budget:
        if lane not in self._budgets:
            self._budgets[lane] = Budget(adapter.capabilities.post_interval, adapter.capabilities.post_burst)
        return self._budgets[lane]

    def _too_early(self, adapter: Adapter, row: Claimed) -> datetime | None:
        """When a progress object may be edited again; None for now."""
        pace = self._paces[row.platform]
        if _is_progress(row):
            return pace.due(row.id, adapter.capabilities, self.clock.now())
        pace.ended(row.id)
        return None

    def _put_back(self, row: Claimed, error: str, retry_at: datetime | None, *, doubt: bool = False) -> Settle:
        if retry_at is not None:
            pause = (retry_at - self.clock.now()).total_seconds()
            asyncio.get_running_loop().call_later(max(pause, 0.0) + 0.01, self._wake, row.lane)
        return lambda session: outbox.put_back(session, row.id, error, retry_at, doubt=doubt)

    def _failed(self, row: Claimed, error: BosunError, *, doubt: bool) -> Settle:
        now = self.clock.now()
        if now - row.created_at > GIVE_UP_AFTER:
            log.warning("%s %s was not shown: %s", row.kind, row.id, error)
            return self._put_back(row, error.message, None)
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** min(row.attempts, 10))
        return self._put_back(row, error.message, now + timedelta(seconds=pause), doubt=doubt)

    async def _gone(self, row: Claimed, error: TargetGone) -> Settle:
        """The message was deleted: post it anew. The channel is closed: tell whom it was for, once, in a DM."""
        if row.kind == outbox.MESSAGE and row.remote_id is not None:
            now = self.clock.now()
            return lambda session: outbox.put_back(session, row.id, error.message, now, repost=True)
        dead = self._put_back(row, error.message, None)
        owner = await self.store.read(lambda session: outbox.owner_of(session, row))
        if owner is None:
            return dead
        try:
            place = await self.adapters[row.platform].direct(owner)
        except PlatformError as unreachable:
            log.warning("%s could not be told that %s was not posted: %s", owner.account, row.id, unreachable)
            return dead
        body = Text(
            markdown=f"I could not post this where you asked ({error.message}), so here it is:\n\n{_plain(row)}"
        )

        def tell(session: Session) -> None:
            dead(session)
            outbox.put(session, f"{row.id}-dm", place, body, self.clock.now(), run_id=row.run_id)

        return tell


def _is_progress(row: Claimed) -> bool:
    return bool(row.body) and row.body.get("type") == "progress"


def _plain(row: Claimed) -> str:
    body = row.body or {}
    return str(body.get("markdown") or body.get("headline") or body.get("title") or "")


class Budget:
    """A rate: `burst` posts at once from a quiet channel, in the long run one every `interval` seconds."""

    def __init__(self, interval: float, burst: int) -> None:
        self.interval = interval
        self.slack = (burst - 1) * interval  # seconds that posts may run ahead of the rate
        self._next = 0.0  # loop time at which the next post is due by the rate alone

    async def take(self) -> None:
        """Wait until the next post is within the rate."""
        now = asyncio.get_running_loop().time()
        due = max(self._next, now)
        self._next = due + self.interval
        if due - self.slack > now:
            await asyncio.sleep(due - self.slack - now)
