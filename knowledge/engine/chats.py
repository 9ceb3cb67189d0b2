"""Channels as documents: a thread is one, and what is said at a channel's top level on one day is one.

Every message has its permalink. The root of a thread stands in its day and in its thread.
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC
from typing import TYPE_CHECKING

from kernel.errors import BosunError
from kernel.store import knowledge as rows
from kernel.store import knowledge_sources as sources
from knowledge.engine import audience
from knowledge.engine.conversation import messages_of
from knowledge.engine.documents import Document, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kernel.store import Store
    from kernel.types import Place
    from knowledge.engine.archives import Told
    from knowledge.engine.ingest import Ingest

log = logging.getLogger(__name__)

REMEMBERED = 10_000  # deletions: a page of history that was asked for before one does not bring the message back


def source_of(place: Place) -> str:
    """The name of the source that a channel is."""
    return f"chat:{place.lane}"


def keys(told: Told) -> list[str]:
    """The documents that a message belongs to: its thread's, its day's, or both for a root that has replies."""
    thread = [f"{told.place.lane}/{told.place.thread}"] if told.place.thread else []
    is_reply = told.place.thread not in {None, told.message}
    return thread if is_reply else [*thread, f"{told.place.lane}/{told.at.astimezone(UTC):%Y-%m-%d}"]


def is_thread(key: str, told: Told) -> bool:
    """Whether this document of the message is its thread's."""
    return bool(told.place.thread) and key == f"{told.place.lane}/{told.place.thread}"


def said(told: Told) -> Said:
    """A message as a conversation has it."""
    return Said(id=told.message, by=told.by, at=told.at, text=told.text, url=told.url, changed_at=told.changed_at)


class Chats:
    """The documents of the channels that are sources. Takes what platforms tell of them; lets everything else go."""

    def __init__(self, store: Store, ingest: Ingest, changed: Callable[[], None]) -> None:
        self._store, self._ingest, self._changed = store, ingest, changed
        self._titles: dict[str, str] = {}  # lane -> title of its source
        self._gone: deque[str] = deque(maxlen=REMEMBERED)

    def listen_to(self, titles: dict[str, str]) -> None:
        """From now on these channels count: lane -> title."""
        self._titles = titles

    def wants(self, place: Place) -> bool:
        """Whether what is said there is kept. Direct messages never are."""
        return place.kind != "dm" and place.lane in self._titles

    async def told(self, told: Told) -> None:
        """Take a message, its change, or its end."""
        try:
            await self._take(told)
        except BosunError as error:
            log.warning("A message of %s was not kept: %s", told.place.lane, error)

    async def _take(self, told: Told) -> None:
        if told.event == "gone":
            self._gone.append(_mark(told.place, told.message))
            await self.end(told.place, told.message)
        elif self.wants(told.place):
            wanted = set(keys(told))
            if told.event == "changed":
                source = source_of(told.place)
                wanted |= {key for _source, key in await self._holding(source, told.message)}
            for key in sorted(wanted):
                await self.put(key, [told], self._titles[told.place.lane])

    async def end(self, place: Place, message: str) -> None:
        """Take a message out wherever it stands: of one that is gone, a platform may say no more than its id."""
        for source, key in await self._holding(f"chat:{place.platform}:{place.tenant}:", message):
            await self._ingest.take_out(source, key, [message])
            self._changed()

    async def _holding(self, prefix: str, message: str) -> list[tuple[str, str]]:
        return await self._store.read(lambda session: sources.holding(session, prefix, message))

    async def put(self, key: str, told: Sequence[Told], title: str, gone: Iterable[str] = ()) -> None:
        """Bring messages into their document, take others out of it."""
        there = [each for each in told if _mark(each.place, each.message) not in self._gone]
        if not there:
            return
        messages = [said(each) for each in there]
        first = there[0]
        if is_thread(key, first):
            messages += await self._root(key, first)
        document = Document(
            source=source_of(first.place),
            key=key,
            kind="chat",
            title=title,
            text="",
            format="chat",
            readers=(audience.channel(first.place),),
            origin="outside_text" if any(each.outside or each.place.external for each in there) else "member_text",
            written_at=max(each.at for each in there),
            url=first.url,
        )
        await self._ingest.amend(document, messages, list(gone))
        self._changed()

    async def held(self, source: str, key: str) -> list[Said]:
        """The messages of a document as it is known."""
        text, _origin = await self._store.read(lambda session: rows.text_of(session, source, key))
        return messages_of(text)

    async def _root(self, key: str, reply: Told) -> list[Said]:
        """The message that a new thread hangs on, from its day: a reply alone explains nothing."""
        source, root = source_of(reply.place), str(reply.place.thread)
        if await self._store.read(lambda session: rows.id_of(session, source, key)) is not None:
            return []
        for _source, day in await self._holding(source, root):
            return [each for each in await self.held(source, day) if each.id == root]
        return []


def _mark(place: Place, message: str) -> str:
    return f"{place.platform}:{place.tenant}/{message}"
