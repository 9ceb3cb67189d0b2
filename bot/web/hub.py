"""Live updates: one reader of the tables for all open browser tabs, and the stream that each of them gets.

A commit wakes the reader at once; commits that follow within 50 ms travel together, and of one message only the
newest state travels. A slow poll catches what another process wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING

import orjson

from bot.web import present
from kernel.errors import StoreError
from kernel.store import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from kernel.store import Store
    from kernel.types import Json

log = logging.getLogger(__name__)

COALESCE = 0.05  # seconds between two readings
POLL = 3.0  # seconds; only for what other processes write
PING = 15.0  # seconds; the page takes 40 s of silence for a lost connection


class Event:
    """One event of the stream, encoded once for every tab that gets it."""

    __slots__ = ("audience", "channel", "client", "data", "key", "seq")

    def __init__(
        self, name: str, key: str, seq: int, data: Json, *, channel: str = "", audience: str = "", client: str = ""
    ) -> None:
        self.key = f"{name}:{key}"
        self.seq = seq
        self.channel = channel  # only for readers of this channel
        self.audience = audience  # only for this person
        self.client = client  # only for this tab
        self.data = b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, name.encode(), orjson.dumps(data))


class Connection:
    """One open tab. Holds what it has not sent yet, newest state per message."""

    def __init__(self, person: str, client: str, readable: Callable[[str], bool]) -> None:
        self.person = person
        self.client = client
        self._readable = readable
        self._pending: dict[str, Event] = {}
        self._wake = asyncio.Event()
        self.closed = False

    def offer(self, event: Event) -> None:
        """Queue an event if it is for this tab."""
        if event.audience and event.audience != self.person:
            return
        if (event.client and event.client != self.client) or (event.channel and not self._readable(event.channel)):
            return
        known = self._pending.get(event.key)
        if known is None or known.seq < event.seq:
            self._pending[event.key] = event
            self._wake.set()

    def close(self) -> None:
        """End the stream."""
        self.closed = True
        self._wake.set()

    async def take(self) -> bytes:
        """What is to be sent now, or a sign of life if nothing comes for a while."""
        try:
            async with asyncio.timeout(PING):
                await self._wake.wait()
        except TimeoutError:
            return b"event: ping\ndata: {}\n\n"
        return self.flush()

    def flush(self) -> bytes:
        """What is to be sent now."""
        self._wake.clear()
        events, self._pending = self._pending, {}
        return b"".join(event.data for event in sorted(events.values(), key=lambda event: event.seq))


class Hub:
    """All open tabs of this process."""

    def __init__(self, *, store: Store, names: Callable[[], Mapping[str, str]]) -> None:
        self._store = store
        self._names = names
        self._connections: set[Connection] = set()
        self._changed = asyncio.Event()
        self._cursor: int | None = None  # None while nobody is connected
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        store.on(web.TOPIC, lambda _key: self._changed.set())

    async def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="web-hub")

    async def stop(self) -> None:
        """End all streams."""
        self._closing = True
        for connection in tuple(self._connections):
            connection.close()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def stream(self, connection: Connection, after: int) -> AsyncIterator[bytes]:
        """Everything after number `after`, then what happens, until the tab goes away."""
        self._connections.add(connection)  # first, so that nothing falls between the backlog and the live events
        try:
            yield b"retry: 1000\n\n"
            head = await self._store.read(web.head)
            if self._cursor is None:
                self._cursor = head
            while True:
                changes = await self._store.read(partial(web.changes, after=after))
                for event in self._events(changes):
                    connection.offer(event)
                after = changes.upto
                if not any(changes[:3]) or after >= head:
                    break
            yield connection.flush()
            yield b"event: ready\ndata: {}\n\n"
            while not (connection.closed or self._closing):
                yield await connection.take()
        finally:
            self._connections.discard(connection)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._changed.wait()
            self._changed.clear()
            begin = loop.time()
            try:
                await self._read()
            except StoreError:
                log.exception("The web chat cannot read its changes; it goes on in %s s.", POLL)
            # Rendering long answers again and again must not eat the processor.
            await asyncio.sleep(max(COALESCE, 4 * (loop.time() - begin)))

    async def _read(self) -> None:
        if not self._connections:
            self._cursor = None
        cursor = self._cursor
        if cursor is None:
            return
        changes = await self._store.read(partial(web.changes, after=cursor))
        self._cursor = changes.upto
        if any(changes[:3]):
            self._changed.set()  # there may be more
        for event in self._events(changes):
            for connection in self._connections:
                connection.offer(event)

    def _events(self, changes: web.Changes) -> list[Event]:
        names = self._names()
        events = [
            Event("message", row.id, row.seq, present.message(row, names), channel=row.channel)
            for row in changes.messages
        ]
        events += [
            Event("thread", f"{row.channel}/{row.thread}", row.seq, present.thread(row), channel=row.channel)
            for row in changes.threads
        ]
        for row in changes.pushes:
            data = present.notice(row) if row.kind == "notice" else row.payload
            events.append(Event(row.kind, row.id, row.seq, data, audience=row.person, client=row.client))
        return sorted(events, key=lambda event: event.seq)
