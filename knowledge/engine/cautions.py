"""What is said beside passages that may mislead: they are old, or a newer version of the same stands among them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from knowledge.engine.documents import Passage

STALE = timedelta(days=365)  # since it was written or changed last


def cautions(passages: Sequence[Passage], now: datetime) -> tuple[str, ...]:
    """One sentence for each title that calls for care, in the order of the passages. Chat is dated in its own text."""
    found: dict[str, str] = {}
    for passage in passages:
        if passage.kind == "chat" or passage.dated is None:
            continue
        others = [
            other.dated
            for other in passages
            if other.dated is not None and other.document_id != passage.document_id and _same(other, passage)
        ]
        newest = max(others, default=passage.dated)
        if newest > passage.dated:
            when = f"of {_day(passage.dated)}, and newer of {_day(newest)}"
            found[passage.title] = f"There are several versions of “{passage.title}”: {when}."
        elif now - passage.dated > STALE and passage.title not in found:
            found[passage.title] = f"“{passage.title}” is of {_day(passage.dated)}: it may be out of date."
    return tuple(found.values())


def _same(one: Passage, other: Passage) -> bool:
    """Documents of the same title, not counting case and spaces."""
    return " ".join(one.title.casefold().split()) == " ".join(other.title.casefold().split())


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"
