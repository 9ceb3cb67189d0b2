"""What a source of documents is: a file of this room that says what there is to know, and how each piece is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from knowledge.engine.documents import Document


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that a source offers."""

    key: str  # the source's own identity of it
    load: Callable[[], Document]  # reads it; NotReadable says why it cannot be


class Source(Protocol):
    """A place with documents. What it no longer offers is forgotten."""

    name: str  # of the source, the same for ever: "folder:charter"

    def items(self) -> Iterator[Item]:
        """All that there is now. NotReadable if the place itself is not there: then nothing is forgotten."""
        ...
