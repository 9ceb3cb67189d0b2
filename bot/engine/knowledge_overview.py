"""How knowledge stands, for one person: only sources whose documents this person may read, and counts of those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.web.views import FailedView, KnowledgeView, SourceView
from kernel.store import knowledge_sources as sources
from knowledge.engine.audience import Audience

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.engine.directory import TeamDirectory
    from kernel.store import Store
    from kernel.types import Person
    from knowledge.engine.documents import Failed, SourceStatus
    from knowledge.engine.knowledge import Knowledge

OWN_READERS = frozenset({"decisions", "outputs"})  # kinds whose documents each have readers of their own
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
        counts = await self._store.read(lambda session: sources.readable_counts(session, audience.readers))
        readers, status = self._readers(), await self._knowledge.status()
        shown, failed = [], []
        problems = await self._knowledge.failures()
        for source in await self._knowledge.sources():
            open_to = bool(audience.grants & set(readers.get(source.name, ())))
            plain = source.kind in OWN_READERS and person.can_decide
            if open_to or plain or counts.get(source.name):
                mine = [each for each in problems if each.source == source.name] if open_to else []
                shown.append(_source(source, counts.get(source.name, 0), len(mine), whole=open_to or plain))
                failed += [_failed(each) for each in mine]
        documents = sum(counts.values())
        return KnowledgeView(
            sources=tuple(shown),
            failed=tuple(failed),
            documents=documents,
            covered=round(100 * status.indexed / status.chunks) if status.chunks else 100,
            index=status.index,
            problem=status.problem,
            model=status.model,
        )


async def personal_audience(directory: TeamDirectory, person: Person) -> Audience:
    """What one person may read by themselves, outside of any channel: in the web console."""
    lanes = [
        place.lane
        for name in directory.charter().channels
        if (place := directory.channel(name, "web", "local")) is not None
        and person.id in (directory.readers(name) or {person.id})
    ]
    return Audience.of_person(person, await directory.roles_of(person), lanes)


def _source(source: SourceStatus, documents: int, failed: int, *, whole: bool) -> SourceView:
    """A source; of one that is not open to the person, only that there are documents for them."""
    return SourceView(
        name=source.name,
        kind=source.kind,
        title=WITHOUT_SOURCE.get(source.name, source.title if whole else source.kind),
        state=source.state,
        problem=source.problem if whole else "",
        done=source.done if whole else 0,
        total=source.total if whole else 0,
        documents=documents,
        failed=failed,
        checked_at=source.checked_at,
        fresh_at=source.fresh_at,
    )


def _failed(failed: Failed) -> FailedView:
    return FailedView(
        source=failed.source, key=failed.key, reason=f"{failed.reason} {failed.hint}".strip(), at=failed.at
    )
