"""What the charter says of a source, and what every source is given to work with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from kernel.store import knowledge_sources
from kernel.types import Frozen
from knowledge.engine.source import marked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kernel.clock import Clock
    from kernel.store import Store
    from kernel.types import Place
    from knowledge.engine.archives import Archive
    from knowledge.engine.chats import Chats
    from knowledge.engine.reading import Reader
    from knowledge.engine.resources import Resources
    from knowledge.engine.web_client import WebClient

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SHORTEST = timedelta(seconds=30)


def _span(value: object) -> object:
    """`15m` as a time span."""
    found = re.fullmatch(r"(\d+)\s*([smhdw])", value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a time like 30s, 15m, 6h, 1d or 2w")
    return timedelta(seconds=int(found.group(1)) * UNITS[found.group(2)])


Span = Annotated[timedelta, BeforeValidator(_span)]


class SourceSettings(Frozen):
    """What all sources have in common. A kind adds `kind` and its own settings."""

    kind: str
    name: str = Field(pattern=r"[a-z0-9][a-z0-9-]{0,39}")  # of the source, unique, part of what is stored
    readers: tuple[str, ...] = ("team",)  # team, "#channel", role:NAME, person:ID
    every: Span = timedelta(minutes=15)  # between two looks


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a source is opened with."""

    charter: Path  # relative paths begin in its folder `knowledge`
    files: Reader  # reads files of every format
    web: WebClient
    clock: Clock
    store: Store
    secret: Callable[[str], str | None]  # the secret with this name
    resolve: Callable[[Sequence[str]], tuple[str, ...]]  # readers as the charter writes them -> as they are stored
    places: Callable[[str], Sequence[Place]]  # a channel of the charter -> where it is, on each connected platform
    chats: Chats
    server: Callable[[str], Resources | None] = lambda _name: None  # an MCP server of tools.yaml
    archives: Mapping[str, Archive] = field(default_factory=dict)  # platform -> the history of its channels
    work: Path | None = None  # a folder that a source may write to

    async def version(self, source: str, key: str, readers: Sequence[str]) -> str:
        """The source's mark of the version that is known for these readers; empty where there is none."""
        known = await self.store.read(lambda session: knowledge_sources.version_of(session, source, key))
        version = known.partition("\n")[0]
        return version if known == marked(version, readers) else ""

    def readers(self, settings: SourceSettings) -> tuple[str, ...]:
        """Who reads what the source has."""
        return self.resolve(settings.readers)
