"""Brings what is known of a source to what it offers now. What is unchanged is neither read nor embedded again."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from kernel.errors import BosunError
from kernel.store import knowledge as rows
from kernel.store import knowledge_sources as sources
from knowledge.engine.documents import Refused, SyncReport
from knowledge.engine.readable import NotReadable
from knowledge.engine.source import SourceCutOff, Stream, marked, readers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.clock import Clock
    from kernel.store import Session, Store
    from knowledge.engine.ingest import Ingest
    from knowledge.engine.source import Item, Source

log = logging.getLogger(__name__)

SAY_EVERY = 10  # pieces between two notes of the progress
UNREAD = "unread"  # an item that was not read because its version is known


class _Piece(NamedTuple):
    """What became of an item."""

    kind: str  # added, changed, unchanged, or UNREAD
    refused: sources.Failure | None = None
    is_gone: bool = False  # what was known of it is not what the source has: it answers no more


class Syncing:
    """Reads sources."""

    def __init__(self, store: Store, clock: Clock, ingest: Ingest) -> None:
        self._store, self._clock, self._ingest = store, clock, ingest

    async def sync(self, source: Source | Stream) -> SyncReport:
        """Read what is new. What cannot be read stops nothing and is reported."""
        await self._store.write(lambda session: sources.register(session, source.name, source.kind, source.title, None))
        try:
            if isinstance(source, Stream):
                async for progress in source.read():
                    await self._say(source, progress.done, progress.total)
                await self._finish(source, sources.READY, "", fresh=True)
                return SyncReport()
            items = [item async for item in source.items()]
        except BosunError as error:
            return await self._not_there(source, error)
        report = await self._read(source, items)
        fresh = bool(report.added or report.changed or report.forgotten)
        await self._finish(source, sources.READY, "", fresh=fresh)
        return report

    async def _not_there(self, source: Source | Stream, error: BosunError) -> SyncReport:
        state = sources.CUT_OFF if isinstance(error, SourceCutOff) else sources.AWAY
        log.warning("Source %s is %s: %s", source.name, state, error)
        await self._finish(source, state, str(error), fresh=False)
        return SyncReport(refused=(_refused(source.name, error),), state=state)

    async def _finish(self, source: Source | Stream, state: str, problem: str, *, fresh: bool) -> None:
        now = self._clock.now()
        await self._store.write(
            lambda session: sources.finish(session, source.name, state=state, problem=problem, now=now, fresh=fresh)
        )

    async def _read(self, source: Source, items: list[Item]) -> SyncReport:
        before = await self._store.read(lambda session: sources.held(session, source.name))
        failed = await self._failed(source)
        counted: Counter[str] = Counter()
        keys = {item.key for item in items} if source.complete else {*before, *(item.key for item in items)}
        broken: list[sources.Failure] = []
        for number, item in enumerate(items):
            if number % SAY_EVERY == 0:
                await self._say(source, number, len(items))
            piece = await self._one(source, item, before.get(item.key), failed.get(item.key))
            counted[piece.kind] += 1
            if piece.refused is not None:
                broken.append(piece.refused)
            if piece.is_gone:
                keys.discard(item.key)
        await self._say(source, len(items), len(items))
        gone = [held.id for key, held in before.items() if key not in keys]
        for document_id in gone:
            await self._ingest.forget(document_id)
        still = {failure.key for failure in broken}
        well = [key for key in failed if key not in still]
        await self._store.write(lambda session: sources.settle_failures(session, source.name, broken, well))
        return SyncReport(
            added=counted["added"],
            changed=counted["changed"],
            unchanged=counted["unchanged"] + counted[UNREAD],
            forgotten=len(gone),
            refused=tuple(Refused(key=each.key, reason=each.reason, hint=each.hint) for each in broken),
        )

    async def regrant(self, source: str, readers: Sequence[str]) -> bool:
        """From now on the documents of a source are read by these, but for those that name readers of their own.

        Whether that changes anything. What was read for others is read again when the source is.
        """

        def change(session: Session) -> bool:
            held = sources.held(session, source).values()
            known = sources.readers_of(session, source)
            wanted = [each for each in held if _follows(each.version, known.get(each.id, frozenset()), readers)]
            for each in wanted:
                rows.set_readers(session, each.id, readers)
                sources.forget_version(session, each.id)
            if wanted and (row := sources.row(session, source)) is not None and row.state == sources.CUT_OFF:
                sources.suspend(session, source)
            return bool(wanted)

        return await self._store.write(change)

    async def _failed(self, source: Source) -> dict[str, sources.Failure]:
        found = await self._store.read(lambda session: sources.failures(session, source.name))
        return {failure.key: failure for failure in found}

    async def _say(self, source: Source | Stream, done: int, total: int) -> None:
        def say(session: Session) -> None:
            sources.progress(session, source.name, done, total)

        await self._store.write(say)

    async def _one(
        self, source: Source, item: Item, held: sources.Held | None, failed: sources.Failure | None
    ) -> _Piece:
        version = marked(item.version, source.readers)
        if version and failed is not None and failed.version == version:
            return _Piece("refused", failed)
        if version and held is not None and held.version == version and failed is None:
            return _Piece(UNREAD)
        try:
            document = await item.load()
            if document is None:
                return _Piece(UNREAD)
            version = version or marked(document.version, source.readers)
            result = await self._ingest.add(document.model_copy(update={"version": version}))
            return _Piece("added" if held is None else "changed" if result.changed else "unchanged")
        except (BosunError, OSError) as error:
            if not isinstance(error, NotReadable):
                log.warning("%s of %s was not read: %s", item.key, source.name, error)
            is_gone = isinstance(error, NotReadable | SourceCutOff)
            return _Piece("refused", self._failure(source, item, error), is_gone)
        except Exception as error:  # one bad document must not stop the others
            log.exception("Reading %s of %s failed", item.key, source.name)
            return _Piece("refused", self._failure(source, item, error))

    def _failure(self, source: Source, item: Item, error: Exception) -> sources.Failure:
        said = _refused(item.key, error)
        # Anything else than a file that cannot be read may be better next time.
        version = marked(item.version, source.readers) if isinstance(error, NotReadable) else ""
        return sources.Failure(
            source=source.name,
            key=item.key,
            version=version,
            reason=said.reason,
            hint=said.hint,
            failed_at=self._clock.now(),
        )


def _follows(version: str, known: frozenset[str], readers: Sequence[str]) -> bool:
    """Whether a document has the readers of its source, and these were others when it was read."""
    before = readers_of(version)
    return known != frozenset(readers) and (before is None or known == frozenset(before))


def _refused(key: str, error: Exception) -> Refused:
    if isinstance(error, BosunError):
        return Refused(key=key, reason=error.message, hint=error.hint)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Refused(key=key, reason=reason or type(error).__name__)
