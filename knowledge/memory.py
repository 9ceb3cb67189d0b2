"""Source: facts that Bosun was told to remember, each a small document of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledge.engine.documents import Document
from knowledge.engine.loading import NotReadable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kernel.types import Origin as AnyOrigin

SOURCE = "memory"
MAX_LENGTH = 1_500  # characters: one chunk
FROM_OUTSIDE: frozenset[AnyOrigin] = frozenset({"outside_text", "nowhere"})


def memory(
    text: str, *, author: str, readers: Iterable[str], origins: Iterable[AnyOrigin], now: datetime, key: str
) -> Document:
    """A fact as a document. Its date stands in its title, and so in both indexes.

    It counts as written by a member only if all of `origins` do; no origins means from outside. NotReadable for an
    empty fact, or one that should be a document.
    """
    fact = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not fact:
        raise NotReadable("There is nothing to remember in it.")
    if len(fact) > MAX_LENGTH:
        raise NotReadable(f"It is longer than {MAX_LENGTH} characters.", hint="Upload it as a document instead.")
    labels = frozenset(origins)
    return Document(
        source=SOURCE,
        key=key,
        kind="memory",
        title=f"Remembered for {author} on {now.day} {now:%B %Y}",
        text=fact,
        format="text",
        readers=tuple(readers),
        origin="member_text" if labels and not labels & FROM_OUTSIDE else "outside_text",
        author=author,
        written_at=now,
    )
