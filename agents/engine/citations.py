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
_TWICE = re.compile(r"(\[\d{1,3}\])(?:\s*\1)+")
_BEHIND = re.compile(r"([.!?])((?:\s*\[\d[\d,; ]*\])+)")  # numbers behind the full stop of their sentence
_PIECE = re.compile(r"(?<=[.!?])\s+|\n+")
CLAIM = 4  # words: what is shorter claims nothing
SHOWN = 8  # sources below one answer


def cites(text: str) -> bool:
    """Whether it cites anything; numbers in code are not citations."""
    return _CITED.search(_CODE.sub(" ", text)) is not None


def cites_throughout(text: str) -> bool:
    """Whether every sentence that claims something cites a source. Headings and what announces a list claim nothing."""
    pieces = (piece.strip() for piece in _PIECE.split(_BEHIND.sub(r"\2\1", _CODE.sub(" ", text))))
    claims = (p for p in pieces if len(p.split()) >= CLAIM and not p.startswith("#") and not p.endswith((":", "?")))
    return all(_CITED.search(claim) for claim in claims)


def numbered(text: str, numbers: Iterable[int]) -> str:
    """`text` with the numbers of the sources that it rests on behind it, without those that stand in it already."""
    there = {int(number) for group in _CITED.findall(text) for number in re.findall(r"\d+", group)}
    marks = "".join(f"[{number}]" for number in dict.fromkeys(numbers) if number not in there)
    said = text.rstrip()
    return f"{said} {marks}{text[len(said) :]}" if marks and said else text


def numbered_once(text: str) -> str:
    """`text` without a number right behind the same one: the model wrote it, and the service told it as well."""
    return _TWICE.sub(r"\1", text)


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

    @property
    def known(self) -> tuple[Source, ...]:
        """All sources so far, by number."""
        return tuple(self._known.values())

    def _remember(self, source: Source) -> Source:
        return self._known.setdefault((source.url, source.title, source.quote), source)

    def cited(self, text: str) -> tuple[Source, ...]:
        """The sources that `text` cites, by number; numbers in code are not citations."""
        found = {int(number) for group in _CITED.findall(_CODE.sub(" ", text)) for number in re.findall(r"\d+", group)}
        return tuple(source for source in self._known.values() if source.number in found)[:SHOWN]
