"""Cron expressions in a time zone: five fields as crontab(5) has them, and when they fire. Pure: no clock, no I/O.

Sunday is 0 or 7, Monday 1; day-of-month and weekday are alternatives where both are given, as in crontab. APScheduler
counts Monday as 0 and wants both to hold, so its cron trigger is not used.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
HORIZON = timedelta(days=366 * 9)  # 29 February is at most eight years away


class CronError(ValueError):
    """The expression is not a cron expression; the message says what is wrong with which field."""


@dataclass(frozen=True, kw_only=True)
class Fire:
    """One time at which a trigger fires."""

    at: datetime  # aware, UTC
    key: str  # the same for every replica: the local time as scheduled, or UTC where every hour is meant


@dataclass(frozen=True, kw_only=True)
class Cron:
    """A cron expression, parsed, and the zone in which it is read."""

    text: str
    zone: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # both day fields are given: one of them is enough

    def __str__(self) -> str:
        return f"{self.text} {self.zone}"

    def fires(self, after: datetime, until: datetime) -> Iterator[Fire]:
        """All firings in (after, until], in order."""
        zone = ZoneInfo(self.zone)
        day = after.astimezone(zone).date()
        if not self.every_hour:
            day -= timedelta(days=1)  # a time that is left out at a time change can come to lie in the next day
        last = until.astimezone(zone).date()
        while day <= last:
            if self._on(day):
                yield from (fire for fire in _on_day(self, day) if after < fire.at <= until)
            day += timedelta(days=1)

    def next_after(self, after: datetime) -> Fire | None:
        """The first firing later than `after`; None if there is none in nine years."""
        return next(self.fires(after, after + HORIZON), None)

    @property
    def every_hour(self) -> bool:
        """It means every hour, not hours of the day: time changes neither skip nor double it."""
        return len(self.hours) == 24

    def _on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


@functools.lru_cache(maxsize=64)  # each firing is looked for a few times: to begin it, and for the one after it
def _on_day(cron: Cron, day: date) -> tuple[Fire, ...]:
    """One local day's firings, in order."""
    found: dict[datetime, str] = {}
    zone = ZoneInfo(cron.zone)
    for hour in sorted(cron.hours):
        for minute in sorted(cron.minutes):
            local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            if cron.every_hour:
                for at in _instants(local):
                    found[at] = f"{at:%Y-%m-%dT%H:%MZ}"
            else:
                # A time that occurs twice fires at its first; one that is left out, as much later as was left out.
                found.setdefault(local.astimezone(UTC), f"{local:%Y-%m-%dT%H:%M}")
    return tuple(Fire(at=at, key=key) for at, key in sorted(found.items()))


def _instants(local: datetime) -> list[datetime]:
    """The instants at which a clock on the wall shows `local`: none, one or two."""
    found = []
    for fold in (0, 1):
        at = local.replace(fold=fold).astimezone(UTC)
        shown = at.astimezone(local.tzinfo).replace(tzinfo=None, fold=0)
        if shown == local.replace(tzinfo=None, fold=0) and at not in found:
            found.append(at)
    return found


def parse(text: str, zone: str) -> Cron:
    """Read `minute hour day month weekday`, or @daily and the like. CronError says which field is wrong."""
    fields = SHORTHANDS.get(text.strip().lower(), text).split()
    if len(fields) != 5:
        raise CronError(f"{text!r} has {len(fields)} fields, expected five: minute hour day month weekday")
    minute, hour, day, month, weekday = (field.lower() for field in fields)
    cron = Cron(
        text=text,
        zone=zone,
        minutes=_field("minute", minute, 0, 59),
        hours=_field("hour", hour, 0, 23),
        days=_field("day", day, 1, 31),
        months=_field("month", month, 1, 12, dict(zip(MONTHS, range(1, 13), strict=True))),
        weekdays=frozenset(
            number % 7 for number in _field("weekday", weekday, 0, 7, {name: n for n, name in enumerate(DAYS)})
        ),
        either_day=not day.startswith("*") and not weekday.startswith("*"),
    )
    if cron.next_after(datetime(2025, 1, 1, tzinfo=UTC)) is None:
        raise CronError(f"{text!r} never fires: there is no such day")
    return cron


def next_at(text: str, zone: str, after: datetime) -> datetime | None:
    """The first time later than `after` at which a clock in the zone shows "09:30"; None where it never does."""
    hour, minute = text.split(":")
    fire = parse(f"{int(minute)} {int(hour) % 24} * * *", zone).next_after(after)
    return fire.at if fire is not None else None


def _field(name: str, text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        if slash and not (step_text.isdecimal() and int(step_text) > 0):
            raise CronError(f"{name} {text!r}: the step after / must be a number above 0")
        if span == "*":
            first, last = low, high
        else:
            first_text, dash, last_text = span.partition("-")
            first = _number(name, first_text, low, high, names)
            last = _number(name, last_text, low, high, names) if dash else first
            if slash and not dash:
                raise CronError(f"{name} {text!r}: a step needs a range, such as {first}-{high}/{step_text}")
        if last < first:
            raise CronError(f"{name} {text!r}: the range runs backwards")
        values.update(range(first, last + 1, int(step_text) if slash else 1))
    return frozenset(values)


def _number(name: str, text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    also = f" or a name such as {next(iter(names))}" if names else ""
    raise CronError(f"{name} {text!r}: expected a number from {low} to {high}{also}")
