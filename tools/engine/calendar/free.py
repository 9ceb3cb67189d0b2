"""When several people have time, each within the working hours of their own time zone. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

STEP = timedelta(minutes=15)
WEEKEND = frozenset({5, 6})

Span = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Who:
    """Somebody whose time is wanted."""

    zone: ZoneInfo
    busy: tuple[Span, ...]  # aware


def slots(
    people: Mapping[str, Who], start: datetime, end: datetime, length: timedelta, *, hours: tuple[time, time], most: int
) -> list[datetime]:
    """Beginnings of times of that length that suit everybody, at most `most`, one after the other without overlap."""
    free = [(start.astimezone(UTC), end.astimezone(UTC))]
    for who in people.values():
        free = _both(free, _working(who.zone, start, end, hours))
        free = _without(free, who.busy)
    found: list[datetime] = []
    for begin, until in free:
        at = _rounded(begin)
        while at + length <= until and len(found) < most:
            found.append(at)
            at = _rounded(at + length)
    return found


def _working(zone: ZoneInfo, start: datetime, end: datetime, hours: tuple[time, time]) -> list[Span]:
    """The working hours of every working day there, whatever the clocks do."""
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    found = []
    while day <= last:
        if day.weekday() not in WEEKEND:
            found.append(
                (
                    datetime.combine(day, hours[0], zone).astimezone(UTC),
                    datetime.combine(day, hours[1], zone).astimezone(UTC),
                )
            )
        day += timedelta(days=1)
    return found


def _both(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    found = [(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) < min(b, d)]
    return sorted(found)


def _without(free: Sequence[Span], busy: Iterable[Span]) -> list[Span]:
    left = list(free)
    for start, end in busy:
        left = [part for a, b in left for part in ((a, min(b, start)), (max(a, end), b)) if part[0] < part[1]]
    return sorted(set(left))


def _rounded(at: datetime) -> datetime:
    over = (at - datetime.combine(at.date(), time(), at.tzinfo)) % STEP
    return at + (STEP - over if over else timedelta(0))
