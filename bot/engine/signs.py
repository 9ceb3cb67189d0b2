"""Quick signs that Bosun has noticed or is at work: a reaction, the thread's working state. Never the only record.

They are sent at once and not stored: a sign that is lost costs nothing, and the state is sent again at every change.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kernel.errors import BosunError
from kernel.store import runs
from kernel.store.outbox import REACTION, STATUS, OutboxRow

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from bot.engine.adapter import Adapter
    from kernel.clock import Clock
    from kernel.store import Store
    from kernel.types import Place

log = logging.getLogger(__name__)

SEEN = "eyes"  # the reaction that says: I have it
AT_ONCE = 16  # signs on their way at the same time; more are dropped rather than queued behind answers


class Signs:
    """Shows signs through the adapters, as their capabilities allow."""

    def __init__(self, store: Store, clock: Clock, adapters: Mapping[str, Adapter]) -> None:
        self.store = store
        self.clock = clock
        self.adapters = adapters
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Follow the runs from now on."""
        self.store.on(runs.STATE, self._changed)

    def seen(self, place: Place, message: str | None) -> None:
        """We have your message."""
        if message is not None:
            self._show(place, REACTION, {"name": SEEN, "target": message})

    def working(self, place: Place, title: str = "") -> None:
        """Work in this thread has begun."""
        self._show(place, STATUS, {"state": "processing", "title": title[:60]})

    def _changed(self, key: str) -> None:
        run_id, _, state = key.partition(":")
        shown = {runs.WAITING: "suspended", runs.QUEUED: "processing"}.get(state, "active")
        self._spawn(self._follow(run_id, shown))

    async def _follow(self, run_id: str, shown: str) -> None:
        run = await self.store.read(lambda session: session.get(runs.Run, run_id))
        if run is not None:
            self._show(run.where, STATUS, {"state": shown})

    def _show(self, place: Place, kind: str, extra: dict[str, str]) -> None:
        adapter = self.adapters.get(place.platform)
        if adapter is None or (kind == STATUS and not adapter.capabilities.working_state) or len(self._tasks) > AT_ONCE:
            return
        row = OutboxRow(
            id="", platform=place.platform, lane=place.lane, kind=kind,
            place=place.model_dump(mode="json"), extra=extra, created_at=self.clock.now(),
        )  # fmt: skip
        self._spawn(self._send(adapter, row))

    async def _send(self, adapter: Adapter, row: OutboxRow) -> None:
        try:
            await (adapter.react(row) if row.kind == REACTION else adapter.status(row))
        except BosunError as error:
            log.debug("sign %s was not shown: %s", row.extra, error)
        except Exception:
            log.warning("sign %s was not shown", row.extra, exc_info=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
