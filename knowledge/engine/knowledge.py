"""The knowledge base: what the rest of Bosun talks to."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, cast

from kernel.errors import ConfigError
from kernel.store import knowledge as rows
from kernel.store import knowledge_words as words
from knowledge.engine.documents import KnowledgeStatus, StoredChunk, StoredDocument
from knowledge.engine.embedding import DIMENSIONS, MINILM, NAMES
from knowledge.engine.index_files import index_place
from knowledge.engine.indexer import Indexer, Pace
from knowledge.engine.ingest import Ingest
from knowledge.engine.search import Search
from knowledge.engine.upkeep import Model, Upkeep
from knowledge.engine.vector_lines import ProcessLine
from knowledge.folder import Folder
from knowledge.memory import memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.types import Origin as AnyOrigin
    from knowledge.engine.audience import Audience
    from knowledge.engine.documents import AddResult, Document, Format, Kind, Origin, SearchResult, SyncReport
    from knowledge.engine.indexer import Watch
    from knowledge.engine.source import Source
    from knowledge.engine.vectors import Line

PATIENCE = 3.0  # seconds that a search waits for an index that is being opened, before it goes by words


class Knowledge:
    """Documents with readers, searched by meaning and by words.

    Everything is stored and found by words as soon as `add` returns; vectors follow in the background. The vector
    index runs in a process of its own, which is started when it is needed and ended when it is not. `folder` is the
    room's own part of the data folder; with `chroma_url` a Chroma server holds the index. `watch` is told when the
    index comes and goes.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        folder: Path,
        chroma_url: str | None = None,
        *,
        embedder: str = MINILM,
        line: Callable[[str, str], Line] = ProcessLine,
        pace: Pace | None = None,
        patience: float = PATIENCE,
        watch: Watch | None = None,
    ) -> None:
        if embedder not in NAMES:
            raise ConfigError(f"There is no embedding model {embedder!r}.", hint=f"Known: {', '.join(NAMES)}.")
        self._store, self._clock, self._ids = store, clock, ids
        self._model = Model(kind=embedder, name=NAMES[embedder], dimension=DIMENSIONS[embedder])
        place = index_place(folder, chroma_url, ids)
        upkeep = Upkeep(store, clock, ids, place, self._model)
        self._indexer = Indexer(upkeep, functools.partial(line, embedder, place.address), pace or Pace(), watch)
        self._ingest = Ingest(store, clock, ids, self._model.name)
        self._search = Search(store, self._indexer, self._model.name, patience)

    async def start(self) -> None:
        """Be ready for searches by words; the vector index follows in the background."""
        await self._store.write(words.prepare)
        await self._indexer.start()

    async def stop(self) -> None:
        """End the background work; what is not done is done after the next start."""
        await self._indexer.stop()

    def warm(self) -> None:
        """A search is likely soon: open the vector index if it sleeps. Returns at once; call it in the event loop."""
        self._indexer.want()

    async def search(self, query: str, audience: Audience, limit: int = 6) -> SearchResult:
        """Up to `limit` passages that answer the query and that the whole audience may read, best first.

        No passages where nothing is about the query. Never fails for the vector index: it searches by words then.
        """
        return await self._search.run(query, audience, limit)

    async def add(self, document: Document) -> AddResult:
        """Store a document or a new version of it; nothing changes for content that is known."""
        result = await self._ingest.add(document)
        if result.changed:
            self._indexer.poke()
        return result

    async def remember(
        self,
        text: str,
        *,
        author: str,
        readers: Iterable[str],
        origins: Iterable[AnyOrigin],
        key: str | None = None,
    ) -> AddResult:
        """Store a fact. It carries the labels of where it comes from: text from outside stays text from outside.

        The same `key` (a tool call's idempotency key) is the same fact.
        """
        document = memory(
            text, author=author, readers=readers, origins=origins, now=self._clock.now(), key=key or self._ids.new()
        )
        return await self.add(document)

    async def forget(self, document_id: str) -> bool:
        """Delete a document with its chunks, vectors and index entries; False if there is none."""
        gone = await self._ingest.forget(document_id)
        self._indexer.poke()
        return gone

    async def sync(self, source: Source) -> SyncReport:
        """Bring what is known of a source to what it offers now."""
        report = await self._ingest.sync(source)
        if report.added or report.changed or report.forgotten:
            self._indexer.poke()
        return report

    async def sync_folder(self, path: Path, name: str = "charter") -> SyncReport:
        """Bring what is known of a folder to the files in it. `name` tells folders apart and stays when one moves."""
        return await self.sync(Folder(path, name))

    async def document(self, document_id: str, audience: Audience) -> StoredDocument | None:
        """A document, if the whole audience may read it."""

        def load(session: Session) -> StoredDocument | None:
            row = rows.readable(session, document_id, audience.readers)
            if row is None:
                return None
            return StoredDocument(
                **row.model_dump(include={"id", "source", "key", "title", "author", "created_at", "updated_at"}),
                kind=cast("Kind", row.kind),
                format=cast("Format", row.format),
                origin=cast("Origin", row.origin),
                readers=tuple(rows.readers(session, document_id)),
                chunks=tuple(
                    StoredChunk(number=number, headings=tuple(heading.split("\n")[1:]), text=text)
                    for number, heading, text in rows.chunks(session, document_id)
                ),
            )

        return await self._store.read(load)

    async def settled(self, within: float | None = None) -> bool:
        """Wait until everything is embedded and in the index; False if it is not after `within` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._indexer.level()
            return True
        return False

    async def status(self) -> KnowledgeStatus:
        """How the knowledge base stands."""
        documents, chunks, embedded, indexed = await self._store.read(
            lambda session: rows.counts(session, self._model.name)
        )
        return KnowledgeStatus(
            documents=documents,
            chunks=chunks,
            embedded=embedded,
            indexed=indexed,
            index=self._indexer.state,
            model=self._model.name,
            problem=self._indexer.problem,
        )
