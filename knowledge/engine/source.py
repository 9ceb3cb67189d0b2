"""What a source of documents is: a file of this room that says what there is to know, and how each piece is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from kernel.errors import BosunError
from knowledge.engine.documents import Document
from knowledge.engine.readable import NotReadable

VERSION = "1"  # of the formats: a better way to read them reads everything again


class SourceAway(BosunError):
    """The source cannot be reached right now; what was read from it stays."""

    code = "source_away"


class SourceCutOff(BosunError):
    """The source no longer lets us in, so it answers no more."""

    code = "source_cut_off"


class Missing(NotReadable):
    """There is nothing any more where it was read before."""

    code = "missing"


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that a source offers."""

    key: str  # the source's own identity of it
    load: Callable[[], Awaitable[Document | None]]  # reads it; NotReadable says why it cannot be; None: unchanged
    version: str = ""  # unchanged: it is not read again; "" is read every time


def marked(version: str, readers: Sequence[str]) -> str:
    """A version as it is stored: for other readers a document is read again. Empty stays empty."""
    return f"{version}\n{','.join(readers)}\n{VERSION}" if version else ""


def readers_of(marked_version: str) -> tuple[str, ...] | None:
    """For whom a version was read; None where nothing says it."""
    parts = marked_version.split("\n")
    return tuple(filter(None, parts[1].split(","))) if len(parts) > 1 else None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stream has been read."""

    done: int
    total: int


@runtime_checkable
class Stream(Protocol):
    """A place whose documents grow message by message: it is read page by page, and remembers how far."""

    name: str  # of the source, the same for ever: "chat:slack:T1:C1"
    kind: str
    title: str  # for people
    readers: tuple[str, ...]

    def read(self) -> AsyncIterator[Progress]:
        """Read on; what is read is kept. SourceAway and SourceCutOff as for a source."""
        ...


class Source(Protocol):
    """A place with documents."""

    name: str  # of the source, the same for ever: "folder:charter"
    kind: str  # "folder"
    title: str  # for people
    readers: tuple[str, ...]  # of its documents, as far as these have none of their own
    complete: bool  # what it no longer offers is forgotten

    def items(self) -> AsyncIterator[Item]:
        """All that there is now. SourceAway: nothing is forgotten. SourceCutOff: nothing of it is found any more."""
        ...
