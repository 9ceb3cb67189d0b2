"""The knowledge base: what the rest of Bosun talks to."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, TypeVar, cast

from kernel.store import knowledge as rows
from kernel.store import knowledge_sources as sources
from kernel.store import knowledge_words as words
from knowledge.engine.chats import Chats
from knowledge.engine.documents import Failed, KnowledgeStatus, SourceStatus, StoredChunk, StoredDocument
from knowledge.engine.embedding import MINILM, choice_of
from knowledge.engine.index_files import index_place
from knowledge.engine.indexer import Indexer, Pace
from knowledge.engine.ingest import Ingest
from knowledge.engine.memories import Memories
from knowledge.engine.reading import Reader
from knowledge.engine.search import Search
from knowledge.engine.syncing import Syncing
from knowledge.engine.upkeep import Upkeep
from knowledge.engine.vector_lines import ProcessLine
from knowledge.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from knowledge.engine.audience import Audience
    from knowledge.engine.documents import AddResult, Document, Kind, Origin, Passage, SearchResult, SyncReport
    from knowledge.engine.embedding import EmbeddingChoice
    from knowledge.engine.indexer import Watch
    from knowledge.engine.memories import Remembered
    from knowledge.engine.readable import Format
    from knowledge.engine.source import Source, Stream
    from knowledge.engine.vectors import Line
    from knowledge.memory import Fact

T = TypeVar("T")

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
        embedder: str | EmbeddingChoice = MINILM,
        secrets: Mapping[str, str] | None = None,
        line: Callable[..., Line] = ProcessLine,
        pace: Pace | None = None,
        patience: float = PATIENCE,
        watch: Watch | None = None,
        files: Reader | None = None,
    ) -> None:
        self._store = store
        self._model = choice = choice_of(embedder) if isinstance(embedder, str) else embedder
        self.files = files or Reader()
        place = index_place(folder, chroma_url, ids)
        self._upkeep = Upkeep(store, clock, ids, place, choice)
        connect = functools.partial(line, choice.spec, place.address, **({"secrets": secrets} if secrets else {}))
        self._indexer = Indexer(self._upkeep, connect, pace or Pace(), watch)
        self._ingest = Ingest(store, clock, ids, choice.name)
        self._syncing = Syncing(store, clock, self._ingest)
        self._search = Search(store, self._indexer, clock, patience)
        self.chats = Chats(store, self._ingest, self._indexer.poke)
        self.memories = Memories(store, clock, ids, self._ingest)

    async def start(self) -> None:
        """Be ready for searches by words; the vector index follows in the background."""
        await self._ingest.write(words.prepare)
        await self._indexer.start()

    async def stop(self) -> None:
        """End the background work; what is not done is done after the next start."""
        await self._indexer.stop()

    def warm(self) -> None:
        """A search is likely soon: open the vector index if it sleeps. Returns at once; call it in the event loop."""
        self._indexer.want()

    async def search(
        self, query: str, audience: Audience, limit: int = 6, patience: float | None = None
    ) -> SearchResult:
        """Up to `limit` passages that answer the query and that the whole audience may read, best first.

        No passages where nothing is about the query. Never fails for the vector index: it searches by words then,
        also where the index is not open within `patience` seconds.
        """
        return await self._search.run(query, audience, limit, patience)

    async def by_words(
        self, query: str, audience: Audience, limit: int, pick: Callable[[Session, Sequence[Passage]], T]
    ) -> T:
        """What `pick` makes of up to `limit` passages that answer by their words, in the transaction that found them.

        One read, whether the vector index sleeps or not.
        """
        return await self._search.by_words(query, audience, limit, pick)

    async def add(self, document: Document) -> AddResult:
        """Store a document or a new version of it; nothing changes for content that is known."""
        result = await self._ingest.add(document)
        if result.changed:
            self._indexer.poke()
        return result

    async def remember(self, fact: Fact, *, instead: str = "") -> Remembered:
        """Store a fact. It carries the label of where it comes from, and replaces what contradicts it."""
        made = await self.memories.remember(fact, instead=instead)
        self._indexer.poke()
        return made

    async def unremember(self, memory_id: str) -> None:
        """Delete a fact with all that it has replaced."""
        await self.memories.forget(memory_id)
        self._indexer.poke()

    async def forget(self, document_id: str) -> bool:
        """Delete a document with its chunks, vectors and index entries; False if there is none."""
        gone = await self._ingest.forget(document_id)
        self._indexer.poke()
        return gone

    async def sync(self, source: Source | Stream) -> SyncReport:
        """Bring what is known of a source to what it offers now."""
        report = await self._syncing.sync(source)
        self._indexer.poke()
        return report

    async def regrant(self, source: str, readers: Sequence[str]) -> bool:
        """From now on a source is read by others; whether that changes anything. Documents' own readers stay."""
        return await self._syncing.regrant(source, readers)

    async def sync_folder(self, path: Path, name: str = "charter") -> SyncReport:
        """Bring what is known of a folder to the files in it. `name` tells folders apart and stays when one moves."""
        return await self.sync(Folder(path, name, reader=self.files))

    async def text_of(self, name: str, data: bytes) -> str:
        """The text of a document that is not kept. NotReadable says why there is none."""
        return (await self.files.read(name, data)).text

    async def drop_source(self, name: str) -> int:
        """Forget a source with all its documents; how many there were."""
        known = await self._store.read(lambda session: sources.held(session, name))
        for held in known.values():
            await self._ingest.forget(held.id)
        await self._store.write(lambda session: sources.drop(session, name))
        self._indexer.poke()
        return len(known)

    async def sources(self) -> list[SourceStatus]:
        """How every source stands."""

        def look(session: Session) -> list[SourceStatus]:
            counted = sources.counts(session)
            failed: dict[str, int] = {}
            for failure in sources.failures(session):
                failed[failure.source] = failed.get(failure.source, 0) + 1
            found = [
                SourceStatus(
                    **row.model_dump(exclude={"cursor"}),
                    documents=counted.pop(row.name, 0),
                    failed=failed.get(row.name, 0),
                )
                for row in sources.every(session)
            ]
            rest = [
                SourceStatus(name=name, kind=name.partition(":")[0], title=name, state="ready", documents=count)
                for name, count in counted.items()
            ]
            return sorted([*found, *rest], key=lambda status: status.name)

        return await self._store.read(look)

    async def failures(self, source: str = "") -> list[Failed]:
        """What could not be read, of one source or of all."""

        def look(session: Session) -> list[Failed]:
            return [
                Failed(source=each.source, key=each.key, reason=each.reason, hint=each.hint, at=each.failed_at)
                for each in sources.failures(session, source)
            ]

        return await self._store.read(look)

    async def rebuild(self) -> None:
        """Build both indexes anew from the database, beside the ones that are searched."""
        await self._ingest.write(words.rebuild)
        await self._indexer.renew()

    async def document(self, document_id: str, audience: Audience) -> StoredDocument | None:
        """A document, if the whole audience may read it."""

        def load(session: Session) -> StoredDocument | None:
            row = rows.readable(session, document_id, audience.readers)
            if row is None:
                return None
            return StoredDocument(
                **row.model_dump(include={"id", "source", "key", "title", "author", "url", "created_at", "updated_at"}),
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
