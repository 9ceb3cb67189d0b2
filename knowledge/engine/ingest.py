"""Documents go in and out: cut, stored and findable by words in one transaction; vectors follow in the background."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from kernel.errors import BosunError
from kernel.store import knowledge as rows
from knowledge.engine.audience import is_reader
from knowledge.engine.chunking import VERSION, cut
from knowledge.engine.documents import AddResult, Refused, SyncReport
from knowledge.engine.loading import content_hash

if TYPE_CHECKING:
    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from knowledge.engine.documents import Document
    from knowledge.engine.source import Source

log = logging.getLogger(__name__)


class Ingest:
    """Writes documents. Adding is idempotent, and the same content is never embedded twice."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, model: str) -> None:
        self._store, self._clock, self._ids, self._model = store, clock, ids, model

    async def add(self, document: Document) -> AddResult:
        """Store a document, or its new version. Readers that nobody can match are dropped: unknown means nobody."""
        digest = content_hash(VERSION, document.format, document.title, document.text)
        known = await self._store.read(lambda session: rows.digest_of(session, document.source, document.key))
        chunks = [] if known == digest else await asyncio.to_thread(_chunks, document)
        new_id, now = self._ids.new(), self._clock.now()

        def save(session: Session) -> AddResult:
            values = {
                **document.model_dump(include={"source", "key", "kind", "title", "format", "origin", "author"}),
                "text": document.text,
                "written_at": document.written_at,
                "created_at": now,
                "updated_at": now,
                "digest": "",
            }
            row, _fresh = rows.claim(session, new_id, values)
            rows.set_readers(session, row.id, [reader for reader in document.readers if is_reader(reader)])
            changed, reused = row.digest != digest, 0
            if changed:
                # Another process may have changed it since we looked.
                made = chunks or _chunks(document)
                reused = rows.replace_chunks(session, row.id, made, self._model)
                row.text, row.format, row.digest, row.updated_at = document.text, document.format, digest, now
            row.title, row.origin, row.author = document.title, document.origin, document.author
            row.kind, row.written_at = document.kind, document.written_at
            session.add(row)
            session.flush()
            return AddResult(
                document_id=row.id, changed=changed, chunks=rows.count_chunks(session, row.id), reused=reused
            )

        return await self._store.write(save)

    async def forget(self, document_id: str) -> bool:
        """Delete a document; False if there is none."""
        return await self._store.write(lambda session: rows.forget(session, document_id))

    async def sync(self, source: Source) -> SyncReport:
        """Bring what is known of a source to what it offers now. What cannot be read stops nothing and is reported."""
        try:
            items = await asyncio.to_thread(lambda: list(source.items()))
        except BosunError as error:
            return SyncReport(refused=(_refused(source.name, error),))
        before = await self._store.read(lambda session: rows.keys(session, source.name))
        counted: Counter[str] = Counter()
        refused = []
        for item in items:
            try:
                result = await self.add(await asyncio.to_thread(item.load))
                kind = "added" if item.key not in before else "changed" if result.changed else "unchanged"
                counted[kind] += 1
            except (BosunError, OSError) as error:
                refused.append(_refused(item.key, error))
            except Exception as error:  # one bad document must not stop the others
                log.exception("Reading %s of %s failed", item.key, source.name)
                refused.append(_refused(item.key, error))
        gone = [document_id for key, document_id in before.items() if key not in {item.key for item in items}]
        for document_id in gone:
            await self.forget(document_id)
        return SyncReport(**counted, forgotten=len(gone), refused=tuple(refused))


def _chunks(document: Document) -> list[rows.NewChunk]:
    made = []
    for chunk in cut(document.text, document.format, document.title):
        heading = chunk.heading(document.title)
        made.append(rows.NewChunk(heading, chunk.text, content_hash(heading, chunk.text)))
    return made


def _refused(key: str, error: Exception) -> Refused:
    if isinstance(error, BosunError):
        return Refused(key=key, reason=error.message, hint=error.hint)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Refused(key=key, reason=reason or type(error).__name__)
