"""How knowledge stands, for one person: only sources whose documents this person may read, and counts of those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.sight import reads
from bot.web.views import FailedView, KnowledgeView, SourceView
from kernel.store import knowledge as known
from kernel.store import knowledge_sources as sources
from knowledge.engine.audience import Audience

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.engine.directory import TeamDirectory
    from kernel.store import Store
    from kernel.store.knowledge_sources import Failure
    from kernel.types import Person
    from knowledge.engine.documents import SourceStatus
    from knowledge.engine.knowledge import Knowledge

OWN_READERS = frozenset({"decisions", "outputs"})  # kinds whose documents each have readers of their own
LISTED_KINDS = ["file", "upload", "web"]  # documents that people know by their titles
LISTED = 200  # titles
WITHOUT_SOURCE = {"upload": "Files handed over in the chat", "memory": "What I was told to remember"}


class KnowledgeOverview:
    """Answers for the knowledge page and the command. `readers`: source -> who reads it."""

    def __init__(
        self,
        knowledge: Knowledge,
        store: Store,
        directory: TeamDirectory,
        readers: Callable[[], dict[str, tuple[str, ...]]],
    ) -> None:
        self._knowledge, self._store, self._directory, self._readers = knowledge, store, directory, readers

    async def of(self, person: Person) -> KnowledgeView:
        """What this person may know about the sources."""
        audience = await personal_audience(self._directory, person)
        grants, readers, status = audience.readers, self._readers(), await self._knowledge.status()
        counts = await self._store.read(lambda session: sources.readable_counts(session, grants))
        chunks, indexed = await self._store.read(lambda session: known.readable_coverage(session, grants, status.model))
        problems = await self._store.read(lambda session: sources.readable_failures(session, grants))
        titles = await self._store.read(lambda session: sources.readable_titles(session, grants, LISTED_KINDS, LISTED))
        shown, failed = [], []
        for source in await self._knowledge.sources():
            open_to = bool(audience.grants & set(readers.get(source.name, ())))
            plain = source.kind in OWN_READERS and person.can_decide
            if open_to or plain or counts.get(source.name):
                mine = [each for each in problems if each.source == source.name] if open_to else []
                count = counts.get(source.name, 0)
                shown.append(_source(source, count, len(mine), named=open_to or plain, whole=open_to))
                failed += [_failed(each) for each in mine]
        documents = sum(counts.values())
        return KnowledgeView(
            sources=tuple(shown),
            failed=tuple(failed),
            documents=documents,
            titles=tuple(titles),
            covered=round(100 * indexed / chunks) if chunks else 100,
            index=status.index,
            problem=status.problem,
            model=status.model,
        )


async def personal_audience(directory: TeamDirectory, person: Person) -> Audience:
    """What one person may read by themselves, outside of any channel: in the web console."""
    lanes = [
        place.lane
        for name in directory.charter().channels
        if (place := directory.channel(name, "web", "local")) is not None and reads(directory, person, place)
    ]
    return Audience.of_person(person, await directory.roles_of(person), lanes)


def _source(source: SourceStatus, documents: int, failed: int, *, named: bool, whole: bool) -> SourceView:
    """A source; of one that is not open to the person, only that there are documents for them.

    How far it is read is a share: the number of its pieces would tell of those that the person may not read.
    """
    return SourceView(
        name=source.name,
        kind=source.kind,
        title=WITHOUT_SOURCE.get(source.name, source.title if named else source.kind),
        state=source.state,
        problem=source.problem if whole else "",
        done=100 * source.done // source.total if whole and source.total else 0,
        total=100 if whole and source.total else 0,
        documents=documents,
        failed=failed,
        checked_at=source.checked_at,
        told=source.name in WITHOUT_SOURCE,
        fresh_at=source.fresh_at if whole else None,
    )


def _failed(failed: Failure) -> FailedView:
    reason = f"{failed.reason} {failed.hint}".strip()
    return FailedView(source=failed.source, key=failed.key, reason=reason, at=failed.failed_at)
