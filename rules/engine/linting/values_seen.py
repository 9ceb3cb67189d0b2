"""The values of one argument that rules can tell apart, and those for which a condition holds, as bits of a number."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from rules.engine import schema, values
from rules.engine.linting.glob_texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.types import Json
    from rules.engine.known import KnownTool
    from rules.engine.language import Condition

OTHER = "¤ some other text"
SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})


class ValuesSeen:
    """One argument of one tool, as the conditions of all its rules see it. For a list: its entries."""

    def __init__(self, tool: KnownTool, name: str, conditions: Iterable[Condition]) -> None:
        described = name in schema.names(tool.arguments)
        self.kinds = schema.types(tool.arguments, name) if described else frozenset[str]()
        is_list = described and schema.is_list(tool.arguments, name)
        self.single = bool(self.kinds) and self.kinds <= SCALARS and not is_list  # one value, always there
        self.clear = True  # False: globs that are too many to tell apart
        conditions = list(conditions)
        choices = schema.choices(tool.arguments, name) if described else []
        self.seen: list[Json] = list(choices) if choices else self._values(conditions)
        self._globs: dict[tuple[tuple[str, ...], bool], int] = {}

    def _values(self, conditions: list[Condition]) -> list[Json]:
        named = [word for condition in conditions for word in (*(condition.is_ or ()), *(condition.not_ or ()))]
        found: list[Json] = []
        numbers = self._numbers(conditions, named)
        if not self.kinds or self.kinds & {"integer", "number"}:
            found += numbers
        if not self.kinds or "string" in self.kinds:
            texts = [text for word in named if word is not None for text in values.spelled(word)]
            found += [*texts, *(f"{text} " for text in texts), *(str(number) for number in numbers), OTHER]
            found += self._matching(conditions)
        if not self.kinds or "boolean" in self.kinds:
            found += [True, False]
        if not self.kinds or "null" in self.kinds:
            found.append(None)
        return list({(type(value).__name__, value): value for value in found}.values())

    def _numbers(self, conditions: list[Condition], named: list[Json]) -> list[Json]:
        """Each bound, and one number between any two and on either side."""
        bounds = {bound for each in conditions for bound in (each.at_most, each.at_least) if bound is not None}
        bounds |= {float(word) for word in named if isinstance(word, int | float) and not isinstance(word, bool)}
        if not bounds and not self.kinds & {"integer", "number"}:
            return []
        ordered = sorted(bounds)
        if "integer" in self.kinds and "number" not in self.kinds:
            near = {number for bound in ordered for number in (math.floor(bound), math.ceil(bound))}
            return sorted({near_by for number in near for near_by in (number - 1, number, number + 1)}) or [0]
        between = [(low + high) / 2 for low, high in pairwise(ordered)]
        outer = [ordered[0] - 1, ordered[-1] + 1] if ordered else [0.0]
        return sorted({*ordered, *between, *outer})

    def _matching(self, conditions: list[Condition]) -> list[Json]:
        patterns = {pattern for condition in conditions for pattern in condition.matches or ()}
        found = texts_of(patterns) if patterns else []
        self.clear = found is not None
        return list(found or ())

    def words_of(self, condition: Condition, *, allows: bool) -> list[int]:
        """For each word of the condition about the value itself, the bits of the values for which it holds."""
        found = []
        if condition.is_:
            found.append(self._same(condition.is_, exactly=allows))
        if condition.not_:
            found.append(self.everything & ~self._same(condition.not_, exactly=not allows))
        if condition.at_most is not None:
            found.append(self._up_to(condition.at_most) | (0 if allows else self._no_numbers))
        if condition.at_least is not None:
            found.append(self._from(condition.at_least) | (0 if allows else self._no_numbers))
        if condition.matches and self.clear:
            found.append(self._matches(condition.matches, allows=allows))
        return found

    @cached_property
    def everything(self) -> int:
        """The bits of all values."""
        return (1 << len(self.seen)) - 1

    @cached_property
    def _exact(self) -> dict[tuple[str, Json], int]:
        return _indexed((_exact_key(value), n) for n, value in enumerate(self.seen))

    @cached_property
    def _loose(self) -> dict[tuple[str, Json], int]:
        return _indexed((("text", _text(value)), n) for n, value in enumerate(self.seen))

    @cached_property
    def _ordered(self) -> tuple[list[Decimal], list[int]]:
        """The numbers in order, and before each of them the bits of all that are smaller."""
        known = sorted((number, n) for n, value in enumerate(self.seen) if (number := values.number(value)) is not None)
        below = [0]
        for _, n in known:
            below.append(below[-1] | 1 << n)
        return [number for number, _ in known], below

    @cached_property
    def _no_numbers(self) -> int:
        return self.everything & ~self._ordered[1][-1]

    @cached_property
    def _plain_numbers(self) -> int:
        return sum(
            1 << n
            for n, value in enumerate(self.seen)
            if isinstance(value, int | float) and not isinstance(value, bool)
        )

    def _up_to(self, limit: float) -> int:
        numbers, below = self._ordered
        return below[bisect_right(numbers, Decimal(str(limit)))]

    def _from(self, limit: float) -> int:
        numbers, below = self._ordered
        return below[-1] & ~below[bisect_left(numbers, Decimal(str(limit)))]

    def _same(self, wanted: Iterable[Json], *, exactly: bool) -> int:
        found = 0
        for word in wanted:
            found |= self._exact.get(_exact_key(word), 0)
            if not exactly:
                alike = self._loose.get(("text", _text(word)), 0)
                is_number = isinstance(word, int | float) and not isinstance(word, bool)
                found |= alike & ~self._plain_numbers if is_number else alike
        return found

    def _matches(self, patterns: tuple[str, ...], *, allows: bool) -> int:
        key = (patterns, allows)
        if key not in self._globs:
            fits = [values.fits_glob(value, patterns, exactly=allows) for value in self.seen]
            wanted = {True} if allows else {True, None}
            self._globs[key] = sum(1 << n for n, fit in enumerate(fits) if fit in wanted)
        return self._globs[key]


def _exact_key(value: Json) -> tuple[str, Json]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return ("number" if is_number else type(value).__name__, value)


def _text(value: Json) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).casefold()
    return values.folded(value) if isinstance(value, str) else str(value)


def _indexed(pairs: Iterable[tuple[tuple[str, Json], int]]) -> dict[tuple[str, Json], int]:
    found: dict[tuple[str, Json], int] = {}
    for key, n in pairs:
        found[key] = found.get(key, 0) | 1 << n
    return found
