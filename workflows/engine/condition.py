"""Conditions of branches: a value of the run compared with words of a closed vocabulary. No expressions, no code."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from kernel.types import Frozen, Json
from workflows.engine import template

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = ("is", "not", "at_least", "at_most", "contains", "matches", "empty")

SAID = {
    "is_": "is {}",
    "not_": "is not {}",
    "at_least": "is at least {}",
    "at_most": "is at most {}",
    "contains": "contains {}",
    "matches": "matches {}",
}


class Condition(Frozen):
    """What is asked of one value. All words that are given have to hold."""

    value: Json  # a template, or a place: "{steps.sum.data.total}"
    is_: Json = Field(default=None, alias="is")  # this, or one of these
    not_: Json = Field(default=None, alias="not")  # none of these
    at_least: float | None = None
    at_most: float | None = None
    contains: str | None = None  # in a text without regard to case, or an entry of a list
    matches: str | None = None  # a glob: * for anything, ? for one character; without regard to case
    empty: bool | None = None  # true: nothing, an empty text or an empty list

    @model_validator(mode="after")
    def _asks_something(self) -> Condition:
        if not self.model_fields_set - {"value"}:
            raise ValueError(f"a condition asks something: {', '.join(WORDS)}")
        return self

    def in_words(self) -> str:
        """ "{steps.sum.data.total} is at least 5", for people."""
        asked = self.model_dump(exclude_unset=True, exclude={"value"})
        words = [SAID[word].format(_listed(value)) for word, value in asked.items() if word != "empty"]
        words += [] if self.empty is None else ["is empty" if self.empty else "is not empty"]
        return f"{template.shown(self.value)} {' and '.join(words)}"

    def holds(self, values: Mapping[str, Json]) -> bool:
        """Whether it is so. NoValueError where the value is not there."""
        found = template.resolve(self.value, values)
        asked = {
            "is_": lambda: _is_one_of(found, self.is_),
            "not_": lambda: not _is_one_of(found, self.not_),
            "at_least": lambda: (number := _number(found)) is not None and number >= (self.at_least or 0),
            "at_most": lambda: (number := _number(found)) is not None and number <= (self.at_most or 0),
            "contains": lambda: _contains(found, self.contains or ""),
            "matches": lambda: fnmatchcase(template.shown(found).casefold(), (self.matches or "").casefold()),
            "empty": lambda: (found in (None, "", [], {})) is self.empty,
        }
        return all(asked[word]() for word in self.model_fields_set - {"value"})


def _listed(value: Json) -> str:
    if isinstance(value, list):
        return " or ".join(template.shown(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else template.shown(value)


def _is_one_of(found: Json, wanted: Json) -> bool:
    return any(_same(found, one) for one in (wanted if isinstance(wanted, list) else [wanted]))


def _same(one: Json, two: Json) -> bool:
    if isinstance(one, str) and isinstance(two, str):
        return one.strip().casefold() == two.strip().casefold()
    first, second = _number(one), _number(two)
    return first == second if first is not None and second is not None else bool(one == two)


def _number(value: Json) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _contains(found: Json, wanted: str) -> bool:
    if isinstance(found, list):
        return any(_same(one, wanted) for one in found)
    return wanted.casefold() in template.shown(found).casefold()
