"""What is said beside sources that may mislead: they are old, or a newer version of the same stands among them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from kernel import moments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date

    from knowledge.engine.documents import Passage

STALE = timedelta(days=365)  # since it was written or changed last


class Dated(NamedTuple):
    """A document, or a part of one, with its day."""

    document: str
    title: str  # of the whole document: two of the same title are versions of it
    day: date
    is_chat: bool = False  # it is dated in its own text


def dated(passages: Iterable[Passage]) -> list[Dated]:
    """The passages whose day is known."""
    return [
        Dated(passage.document_id, passage.title, passage.dated.date(), passage.kind == "chat")
        for passage in passages
        if passage.dated is not None
    ]


def cautions(sources: Sequence[Dated], today: date, *, about: Collection[str] | None = None) -> tuple[str, ...]:
    """One sentence for each title that calls for care, in order; with `about`, of these documents alone."""
    found: dict[str, str] = {}
    for source in sources:
        if source.is_chat or (about is not None and source.document not in about):
            continue
        others = [other.day for other in sources if other.document != source.document and _same(other, source)]
        newest = max(others, default=source.day)
        if newest > source.day:
            when = f"of {moments.day(source.day)}, and newer of {moments.day(newest)}"
            found[source.title] = f"There are several versions of “{source.title}”: {when}."
        elif today - source.day > STALE and source.title not in found:
            found[source.title] = f"“{source.title}” is of {moments.day(source.day)}: it may be out of date."
    return tuple(found.values())


def _same(one: Dated, other: Dated) -> bool:
    """Documents of the same title, not counting case and spaces."""
    return " ".join(one.title.casefold().split()) == " ".join(other.title.casefold().split())
