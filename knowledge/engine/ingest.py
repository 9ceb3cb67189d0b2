"""Documents go in and out: cut, stored and findable by words in one transaction; vectors follow in the background."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

from kernel.errors import StoreConflict
from kernel.store import knowledge as rows
from kernel.store import personal
from knowledge.engine.audience import is_reader
from knowledge.engine.chunking import VERSION, cut
from knowledge.engine.conversation import amended
from knowledge.engine.documents import AddResult, Document
from knowledge.engine.hashing import content_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from knowledge.engine.chunking import Chunk
    from knowledge.engine.documents import Said


T = TypeVar("T")

TRIES = 4  # of a write before the one whose failure counts


class Ingest:
    """Writes documents. Adding is idempotent, and the same content is never embedded twice."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, model: str) -> None:
        self._store, self._clock, self._ids, self._model = store, clock, ids, model

    async def add(self, document: Document) -> AddResult:
        """Store a document, or its new version. Readers that nobody can match are dropped: unknown means nobody."""
        digest = _digest(document)
        known = await self._store.read(lambda session: rows.digest_of(session, document.source, document.key))
        chunks = [] if known == digest else await asyncio.to_thread(_chunks, document)
        return await self.write(self.adding(document, chunks))

    def adding(
        self,
        document: Document,
        chunks: Sequence[rows.NewChunk] = (),
        also: Callable[[Session, str], None] | None = None,
    ) -> Callable[[Session], AddResult]:
        """The same as work for a transaction; `also` is done in it, with the id of the document."""
        digest, new_id, now = _digest(document), self._ids.new(), self._clock.now()

        def save(session: Session) -> AddResult:
            row, _fresh = rows.claim(session, new_id, _values(document, now))
            rows.set_readers(session, row.id, [reader for reader in document.readers if is_reader(reader)])
            changed, reused = row.digest != digest, 0
            if changed:
                made = chunks or _chunks(document)  # another process may have changed it since we looked
                reused = rows.replace_chunks(session, row.id, made, self._model)
                row.text, row.format, row.digest, row.updated_at = document.text, document.format, digest, now
            row.title, row.origin, row.author = document.title, document.origin, document.author
            row.kind, row.written_at = document.kind, document.written_at
            row.url, row.version = document.url, document.version
            session.add(row)
            session.flush()
            if document.personal:
                personal.mark(session, personal.of_document(row.id))
            if also is not None:
                also(session, row.id)
            return AddResult(
                document_id=row.id, changed=changed, chunks=rows.count_chunks(session, row.id), reused=reused
            )

        return save

    async def amend(self, document: Document, changed: Sequence[Said], gone: Sequence[str] = ()) -> AddResult | None:
        """Say, change and delete messages of a conversation; `document` tells everything but its text.

        One that has no messages left is forgotten: None. Messages that come at the same time are all kept.
        """

        def save(session: Session) -> AddResult | None:
            before, origin = rows.text_of(session, document.source, document.key)
            text = amended(before, changed, gone)
            if text:
                # One message from outside labels the whole conversation, whoever speaks after it.
                label = "outside_text" if origin == "outside_text" else document.origin
                return self.adding(document.model_copy(update={"text": text, "origin": label}))(session)
            found = rows.id_of(session, document.source, document.key)
            if found is not None:
                rows.forget(session, found)
            return None

        return await self.write(save)

    async def take_out(self, source: str, key: str, messages: Sequence[str]) -> None:
        """Delete messages of a conversation; one that has none left is forgotten."""

        def save(session: Session) -> None:
            found = rows.id_of(session, source, key)
            if found is None:
                return
            before, _origin = rows.text_of(session, source, key)
            text = amended(before, (), messages)
            if not text:
                rows.forget(session, found)
            elif text != before:
                document = _stored(session, found)
                self.adding(document.model_copy(update={"text": text}))(session)

        await self.write(save)

    async def forget(self, document_id: str) -> bool:
        """Delete a document; False if there is none."""
        return await self.write(lambda session: rows.forget(session, document_id))

    async def write(self, work: Callable[[Session], T]) -> T:
        """Do `work` in one transaction; again where replicas that change the same pieces were in each other's way."""
        for _ in range(TRIES):
            with contextlib.suppress(StoreConflict):
                return await self._store.write(work)
        return await self._store.write(work)


def _stored(session: Session, document_id: str) -> Document:
    row = session.get_one(rows.DocumentRow, document_id)
    values = row.model_dump(include=set(Document.model_fields))
    return Document(**values, readers=tuple(rows.readers(session, document_id)))


def _digest(document: Document) -> str:
    return content_hash(VERSION, document.format, document.title, document.text)


def _values(document: Document, now: object) -> dict[str, object]:
    return {
        **document.model_dump(
            include={"source", "key", "kind", "title", "format", "origin", "author", "text", "url", "version"}
        ),
        "written_at": document.written_at,
        "created_at": now,
        "updated_at": now,
        "digest": "",
    }


def _chunks(document: Document) -> list[rows.NewChunk]:
    chunks = cut(document.text, document.format, document.title)
    made = [_row(number, chunk, chunk.text, document) for number, chunk in enumerate(chunks, 1)]
    if document.format == "chat" and len(chunks) > 1:
        for number, chunk in enumerate(chunks, 1):
            around = "\n".join(each.text for each in chunks[max(number - 2, 0) : number + 1])
            made.append(_row(-number, chunk, around, document))
    return made


def _row(number: int, chunk: Chunk, text: str, document: Document) -> rows.NewChunk:
    heading = chunk.heading(document.title)
    return rows.NewChunk(number, heading, text, content_hash(heading, text), chunk.url, chunk.written_at)
