"""Source: what people decided: approvals with their outcome, so that nobody decides the same twice by accident."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from kernel import moments
from kernel.store import work_done
from knowledge.engine import audience
from knowledge.engine.documents import Document
from knowledge.engine.source import Item
from knowledge.engine.source_settings import SourceSettings, Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.source_settings import Surroundings


class Settings(SourceSettings):
    """Earlier decisions. Whoever could read the request reads the decision; `readers` counts for nothing here."""

    kind: Literal["decisions"]
    back: Span = timedelta(days=365)


class Decisions:
    """Approvals that were decided."""

    kind = "decisions"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"decisions:{settings.name}"
        self.title = "Earlier decisions"
        self.readers: tuple[str, ...] = ()  # each document has its own
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        since = self._around.clock.now() - self._settings.back
        for decided in await self._around.store.read(lambda session: work_done.decided(session, since)):
            yield Item(key=decided.ref, version=decided.version, load=partial(self._load, decided))

    async def _load(self, decided: work_done.Decided) -> Document:
        day = moments.day(decided.at)
        lines = [
            f"{decided.headline}",
            f"Outcome: {decided.outcome} on {day}.",
            *([f"Decided by: {', '.join(decided.by)}."] if decided.by else []),
            *(f"Reason given: {reason}" for reason in decided.reasons),
            f"Asked for by: {decided.requester}. Why it was asked: {decided.why}",
        ]
        return Document(
            source=self.name,
            key=decided.ref,
            kind="decision",
            title=f"Decision {decided.ref}: {decided.headline}"[:200],
            text="\n".join(lines),
            format="text",
            readers=(_reader(decided.place, decided.requester),),
            origin="outside_text",  # what was decided about may have been proposed by anybody
            written_at=decided.at,
        )


def open_source(settings: Settings, around: Surroundings) -> Decisions:
    """The decisions of this installation."""
    return Decisions(settings, around)


def _reader(place: work_done.Place, requester: str) -> str:
    return audience.person(requester) if place.kind == "dm" else audience.channel(place)
