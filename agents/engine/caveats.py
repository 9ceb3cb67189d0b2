"""What an answer says of its sources without a model's help: which contradict each other, and which are old.

Found when a result comes, kept with it in the transcript, told to the model, and shown below an answer that cites one
of them, whatever the model made of it.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from knowledge.engine.cautions import Dated, cautions
from knowledge.engine.differences import Stated, differences, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kernel.types import Json, Source

MOST = 12  # sources that are compared, the newest found


def differing(question: str, sources: Sequence[Source], *, new: Sequence[Source] | None = None) -> list[Json]:
    """Where numbered sources contradict each other about what was asked: which ones, and that in words.

    With `new`, only where one of these takes part.
    """
    fresh = {source.number for source in (sources if new is None else new)}
    stated = [
        Stated(
            label=f"[{source.number}]",
            document=source.document or source.url or str(source.number),
            title=source.title,
            text=source.quote,
            day=date.fromisoformat(source.dated) if source.dated else None,
        )
        for source in sources
        if source.quote
    ]
    numbers = {f"[{source.number}]": source.number for source in sources}
    found = differences(question, stated[-MOST:])
    told = [{"numbers": [numbers[side.label] for side in each.sides], "said": each.sentence} for each in found]
    return [each for each in told if fresh.intersection(each["numbers"])]


def told(kept: dict[str, Json]) -> list[str]:
    """What the model is told of a result with `differ` in it."""
    return [f"{each['said']} Say so, with their dates." for each in kept.get("differ") or ()]


def below(cited: Iterable[Source], known: Sequence[Source], kept: Iterable[dict[str, Json]], today: date) -> list[str]:
    """The lines below an answer: where what it cites is contradicted, has a newer version, or is old."""
    numbers = {source.number for source in cited}
    differ = [each for result in kept for each in result.get("differ") or () if numbers.intersection(each["numbers"])]
    dated = [_dated(source) for source in known if source.dated and source.document]
    careful = cautions(dated, today, about={source.document for source in known if source.number in numbers})
    return list(dict.fromkeys([*(each["said"] for each in differ), *map(plain, careful)]))


def _dated(source: Source) -> Dated:
    return Dated(
        document=source.document,
        title=source.title.partition(" › ")[0],
        day=date.fromisoformat(source.dated),
        is_chat=source.kind == "chat",
    )
