"""Remembers how far each channel of a platform was heard, and writes it down now and then."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kernel.errors import BosunError
from kernel.store import cursors

if TYPE_CHECKING:
    from kernel.clock import Clock
    from kernel.store import Store

WRITE_EVERY = 10.0  # seconds; after a crash a little more is read, and recognised

log = logging.getLogger(__name__)


class Cursors:
    """Of one platform. Ids of messages sort by time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._heard: dict[tuple[str, str], str] = {}
        self._missed: dict[str, set[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def seen(self, lane: str, message: str, thread: str | None = None) -> None:
        """Note that a message was heard; `thread` where it belongs to one that we take part in."""
        if not message:
            return
        self.found(lane, message)
        for key in ((lane, ""), (lane, thread)) if thread else ((lane, ""),):
            if self._heard.get(key, "") < message:
                self._heard[key] = message
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_EVERY, self._due)

    def missed(self, lane: str, message: str) -> None:
        """Note that a message could not be stored: the lane counts as heard up to here until it is."""
        if message:
            self._missed.setdefault(lane, set()).add(message)

    def found(self, lane: str, message: str) -> None:
        """It is missed no longer."""
        if missed := self._missed.get(lane):
            missed.discard(message)

    def gap(self, lane: str) -> str:
        """The first message of the lane that could not be stored; empty where there is none."""
        return min(self._missed.get(lane, ()), default="")

    def _due(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self._write(), name="cursors")

    async def _write(self) -> None:
        try:
            await self.flush()
        except BosunError as error:
            log.warning("How far the channels were heard could not be written down: %s", error)

    async def flush(self) -> None:
        """Write down what was heard. Raises StoreError; nothing is forgotten then."""
        heard = {
            (lane, thread): min([last, *self._missed.get(lane, ())]) for (lane, thread), last in self._heard.items()
        }
        if heard:
            now = self.clock.now()
            await self.store.write(lambda session: cursors.advance(session, heard, now))
            for key, last in heard.items():
                if self._heard.get(key) == last:
                    del self._heard[key]

    async def stop(self) -> None:
        """Write down what was heard and stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:
            await asyncio.wait([self._writing])
        await self._write()
