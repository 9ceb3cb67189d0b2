"""Facts of a call that have few values, as bits: origins, the minutes of a week, names and flags."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, get_args

from kernel.types import Origin
from rules.engine.conditions import DAYS
from rules.engine.words import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rules.engine.language import Time

ORIGINS: tuple[str, ...] = get_args(Origin)
SETS = 1 << len(ORIGINS)  # sets of origins; bit n stands for the set with the number n, bit 0 for a value that is none
SOME_SET = (1 << SETS) - 2  # every set but the empty one
NOT_COMPUTED = 1 << SETS
ANY_ORIGIN = SOME_SET | 1 | NOT_COMPUTED
_HOLDING = tuple(sum(1 << number for number in range(SETS) if number >> n & 1) for n in range(len(ORIGINS)))

MINUTES = 24 * 60
NO_TIME = 1 << 7 * MINUTES
ANY_TIME = NO_TIME | NO_TIME - 1

FLAGS = {True: 1, False: 2, None: 4}  # None: not known
ANY_FLAG = 7


@lru_cache(maxsize=4096)
def found_in(origins: tuple[str, ...], *, only: bool) -> int:
    """The sets of origins that hold one of these, or that hold nothing else."""
    if only:
        return SOME_SET & ~_any(origin for origin in ORIGINS if origin not in origins)
    return _any(origins)


def _any(origins: Iterable[str]) -> int:
    found = 0
    for origin in origins:
        found |= _HOLDING[ORIGINS.index(origin)]
    return found


@lru_cache(maxsize=1024)
def minutes_of(time: Time) -> int:
    """The minutes of the week in which the window is open."""
    start, end = parse_time(time.from_), parse_time(time.until)
    long = end - start if start < end else end - start + MINUTES
    found = 0
    for day in time.days or DAYS:
        begin = DAYS.index(day) * MINUTES + start
        found |= ((1 << long) - 1) << begin
    over = found >> 7 * MINUTES  # Sunday night goes on as Monday
    return (found | over) & NO_TIME - 1


class NameSpan:
    """Names that a fact can have: those that are known or named, some other one, and none."""

    def __init__(self, names: Iterable[str], *, others: Sequence[str | None]) -> None:
        """`others` are what the fact can be beside the names."""
        self._bits = {name: 1 << n for n, name in enumerate(dict.fromkeys((*sorted(set(names)), *others)))}
        self.everything = (1 << len(self._bits)) - 1

    def of(self, names: Iterable[str | None]) -> int:
        """The bits of these names."""
        found = 0
        for name in names:
            found |= self._bits.get(name, 0)
        return found

    def but(self, name: str | None) -> int:
        """The bits of all others."""
        return self.everything & ~self._bits.get(name, 0)
