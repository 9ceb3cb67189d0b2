"""What makes a workflow run by itself: the words of a trigger, and the timetables of those that follow the clock."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from pydantic import ConfigDict, Field, field_validator, model_validator

from kernel.types import Frozen
from rules.engine.words import ONE_OR_MANY, Names, parse_duration
from workflows.engine import cron
from workflows.engine.cron import Fire
from workflows.engine.schedule import Missed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS = ("cron", "every", "message", "reaction", "button", "file", "webhook", "after")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FEWEST, MOST = timedelta(minutes=1), timedelta(days=90)


class Message(Frozen):
    """A message in a channel."""

    channel: str
    contains: Names | tuple[()] = ()  # one of these words, without regard to case
    matches: Names | tuple[()] = ()  # or one of these patterns: * for anything, ? for one character; neither: every one
    by: str = ""  # a role that whoever wrote it holds; empty: every member


class Reaction(Frozen):
    """An emoji that somebody puts on a message."""

    channel: str  # in it or in a thread of it
    emoji: Names  # one of these: names ("pushpin") or characters ("📌")
    by: str  # a role that whoever reacts holds


class Button(Frozen):
    """A button below the digest of another workflow."""

    digest: str  # the workflow whose digest has it
    label: str = Field(min_length=1, max_length=34)
    by: str = ""  # a role that whoever presses holds; empty: every member


class FileArrival(Frozen):
    """A file that comes to lie in the workspace folder."""

    path: str  # a glob below the workspace: "inbox/*.csv"


class Webhook(Frozen):
    """A signed request to /hooks/NAME of the web server."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    secret: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")  # the environment variable that holds the key of the signature


class After(Frozen):
    """The end of another workflow."""

    workflow: str
    ended: Annotated[tuple[Literal["done", "failed"], ...], *ONE_OR_MANY] = ("done",)


class Trigger(Frozen):
    """One way in which a workflow begins by itself: exactly one of the kinds, and how it is meant."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)  # it is stored with every run

    cron: str | None = None  # minute hour day month weekday, or @daily and the like
    every: str | None = None  # an interval: "15m", "2h"
    message: Message | None = None
    reaction: Reaction | None = None
    button: Button | None = None
    file: FileArrival | None = None
    webhook: Webhook | None = None
    after: After | None = None
    zone: str = ""  # of cron; empty: the charter's
    except_: Names | tuple[()] = Field(default=(), alias="except")  # days without it: a day, a span, a calendar
    missed: Missed = "once"  # what becomes of firings while Bosun was down
    at_most: int = Field(default=10, ge=1, le=100)  # for `all`
    at_latest: str | None = None  # a missed firing that is older is left out: "6h"

    @model_validator(mode="after")
    def _is_one(self) -> Trigger:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise ValueError(f"a trigger is one of {', '.join(KINDS)}; this one has {said}")
        return self

    @field_validator("every", "at_latest")
    @classmethod
    def _is_a_duration(cls, text: str | None) -> str | None:
        if text is not None and not FEWEST <= parse_duration(text) <= MOST:
            raise ValueError("between 1m and 90d")
        return text

    @property
    def kind(self) -> str:
        """The word that says what it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class Timetable(Protocol):
    """When something fires. Pure: no clock."""

    def __str__(self) -> str:
        """Its text; another one starts afresh."""
        ...

    def fires(self, after: datetime, until: datetime) -> Iterator[Fire]:
        """All firings in (after, until], in order."""
        ...

    def next_after(self, after: datetime) -> Fire | None:
        """The first firing later than `after`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Every so often, counted from 1970 in UTC: the same instants on every machine and after every restart."""

    every: timedelta

    def __str__(self) -> str:
        return f"every {self.every}"

    def fires(self, after: datetime, until: datetime) -> Iterator[Fire]:
        """All firings in (after, until], in order."""
        at = EPOCH + ((after - EPOCH) // self.every + 1) * self.every
        while at <= until:
            yield Fire(at=at, key=f"{at:%Y-%m-%dT%H:%MZ}")
            at += self.every

    def next_after(self, after: datetime) -> Fire | None:
        """The first firing later than `after`."""
        return next(self.fires(after, after + self.every))


@dataclass(frozen=True, kw_only=True)
class Excepting:
    """A timetable without some days of its zone."""

    table: Timetable
    zone: str
    days: tuple[tuple[date, date], ...]  # first and last day of each gap

    def __str__(self) -> str:
        return f"{self.table} except {', '.join(f'{first}..{last}' for first, last in self.days)}"

    def fires(self, after: datetime, until: datetime) -> Iterator[Fire]:
        """All firings in (after, until], in order."""
        zone = zoneinfo.ZoneInfo(self.zone)
        for fire in self.table.fires(after, until):
            day = fire.at.astimezone(zone).date()
            if not any(first <= day <= last for first, last in self.days):
                yield fire

    def next_after(self, after: datetime) -> Fire | None:
        """The first firing later than `after`."""
        return next(self.fires(after, after + cron.HORIZON), None)


def timetable(trigger: Trigger, zone: str, calendars: Mapping[str, tuple[str, ...]]) -> Timetable | None:
    """The timetable of a trigger; None for one that does not follow the clock. ValueError says what is wrong."""
    if trigger.cron is not None:
        table: Timetable = cron.parse(trigger.cron, zone)
    elif trigger.every is not None:
        table = Interval(every=parse_duration(trigger.every))
    else:
        return None
    texts = [text for named in trigger.except_ for text in calendars.get(named, (named,))]
    return Excepting(table=table, zone=zone, days=tuple(span(text) for text in texts)) if texts else table


def span(text: str) -> tuple[date, date]:
    """ "2026-12-25" or "2026-12-24..2027-01-02" as first and last day. ValueError where it is neither."""
    first, dots, last = text.partition("..")
    try:
        begin = date.fromisoformat(first.strip())
        end = date.fromisoformat(last.strip()) if dots else begin
    except ValueError:
        raise ValueError(f"'{text}' is no day (2026-12-25), no span (2026-12-24..2027-01-02) and no calendar") from None
    if end < begin:
        raise ValueError(f"'{text}' ends before it begins")
    return begin, end
