"""Sources get one number each for the whole run; the answer shows those that it cites."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kernel.types import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.types import Json

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_CITED = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
SHOWN = 8  # sources below one answer


class Numbering:
    """Numbers for the sources of a run. The same source has the same number, whichever call found it."""

    def __init__(self, results: Iterable[dict[str, Json]]) -> None:
        self._known: dict[tuple[str, str, str], Source] = {}
        for result in results:
            for source in result.get("sources", ()):
                self._remember(Source.model_validate(source))

    def number(self, sources: Iterable[Source]) -> list[Source]:
        """The sources with their numbers for this run."""
        return [self._remember(source.model_copy(update={"number": len(self._known) + 1})) for source in sources]

    def _remember(self, source: Source) -> Source:
        return self._known.setdefault((source.url, source.title, source.quote), source)

    def cited(self, text: str) -> tuple[Source, ...]:
        """The sources that `text` cites, by number; numbers in code are not citations."""
        found = {int(number) for group in _CITED.findall(_CODE.sub(" ", text)) for number in re.findall(r"\d+", group)}
        return tuple(source for source in self._known.values() if source.number in found)[:SHOWN]
