"""Source: what agents have answered before, so that outputs connect and do not contradict each other."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from kernel.store import work_done
from knowledge.engine import audience
from knowledge.engine.documents import Document
from knowledge.engine.source import Item
from knowledge.engine.source_settings import SourceSettings, Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.source_settings import Surroundings


class Settings(SourceSettings):
    """Earlier answers. Whoever could read an answer finds it; `readers` counts for nothing here."""

    kind: Literal["outputs"]
    back: Span = timedelta(days=180)
    shortest: int = 200  # characters: shorter answers say nothing that lasts


class Outputs:
    """Answers of finished runs."""

    kind = "outputs"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"outputs:{settings.name}"
        self.title = "Earlier answers"
        self.readers: tuple[str, ...] = ()  # each document has its own
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        since = self._around.clock.now() - self._settings.back
        shortest = self._settings.shortest
        for answered in await self._around.store.read(lambda session: work_done.answered(session, since, shortest)):
            yield Item(key=answered.ref, version="1", load=partial(self._load, answered))

    async def _load(self, answered: work_done.Answered) -> Document:
        dm = answered.place.kind == "dm"
        return Document(
            source=self.name,
            key=answered.ref,
            kind="output",
            title=f"{answered.agent} answered: {' '.join(answered.request.split())}"[:200],
            text=answered.answer,
            format="markdown",
            readers=(audience.person(answered.requester) if dm else audience.channel(answered.place),),
            origin="outside_text",  # our own words carry whatever that run had read
            author=answered.agent,
            written_at=answered.at,
        )


def open_source(settings: Settings, around: Surroundings) -> Outputs:
    """The answers of this installation."""
    return Outputs(settings, around)
