"""A year of schedules in minutes: replicas that stop and start, outages, a clock that is set back, both time changes.

`python -m tests.workflows.year --schedules 200 --days 365 --restarts 30 --outages 10 --replicas 3` runs it at full
length; what should have fired is worked out apart from Bosun's own code, and compared run by run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random  # noqa: TID251  seeded: when what happens
from time import perf_counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import select

from kernel.clock import CountedIds, FixedClock
from kernel.store import Store, migrations, open_store, runs, schedules
from tests.workflows.world import PLACES, workflow
from workflows.engine.launch import Launch
from workflows.engine.schedule import GRACE
from workflows.engine.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kernel.store import Session

ZONES = ("Europe/Zurich", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "Asia/Kolkata", "Europe/London")
FILE = """
name: {name}
description: One of many
channel: "#general"
trigger: {{{trigger}, missed: {missed}, at_most: {at_most}{latest}}}
steps:
  - post: {{text: Hi}}
"""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATE = (timedelta(0), timedelta(seconds=1), timedelta(seconds=20), timedelta(seconds=90))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One schedule, as data of which both Bosun's file and the expectation are made."""

    name: str
    zone: str
    missed: str
    at_most: int
    latest: timedelta | None
    minute: int = 0
    hour: int | None = None  # None: every hour
    days: frozenset[int] = frozenset(range(7))  # Monday is 0
    every: timedelta | None = None  # instead of times of the day

    @property
    def text(self) -> str:
        """The workflow file."""
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        on = "*" if len(self.days) == 7 else ",".join(names[day] for day in sorted(self.days))
        hour = "*" if self.hour is None else self.hour
        trigger = f"cron: '{self.minute} {hour} * * {on}', zone: {self.zone}"
        if self.every is not None:
            trigger = f"every: {int(self.every / HOUR)}h"
        latest = f", at_latest: {int(self.latest / HOUR)}h" if self.latest else ""
        return FILE.format(name=self.name, trigger=trigger, missed=self.missed, at_most=self.at_most, latest=latest)

    def fires(self, begin: datetime, end: datetime) -> list[datetime]:
        """When it should fire in (begin, end], worked out from the calendar."""
        if self.every is not None:
            first = begin.timestamp() // self.every.total_seconds() * self.every.total_seconds()
            found: Iterable[datetime] = _steps(datetime.fromtimestamp(first, UTC), end, self.every)
        elif self.hour is None:
            found = self._hourly(begin, end)
        else:
            found = self._daily(begin, end)
        return sorted(at for at in set(found) if begin < at <= end)

    def _hourly(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Every real hour in which the clock on the wall shows the minute."""
        zone = ZoneInfo(self.zone)
        for at in _steps(begin.replace(second=0, microsecond=0), end, MINUTE):
            local = at.astimezone(zone)
            if local.minute == self.minute and local.weekday() in self.days:
                yield at

    def _daily(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Once on each day: at the first of two equal times, and later by as much as a left-out time is left out."""
        zone, day = ZoneInfo(self.zone), begin.date() - 2 * DAY
        while day <= end.date() + DAY:
            if day.weekday() in self.days:
                yield datetime.combine(day, time(self.hour or 0, self.minute), zone).astimezone(UTC)
            day += DAY


def _steps(begin: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    at = begin
    while at <= end:
        yield at
        at += step


def plans(count: int, random: Random) -> list[Plan]:
    """Schedules of all kinds; many of them in the hours in which clocks are changed."""
    found = []
    for number in range(count):
        kind = number % 10
        weekly = frozenset({random.randrange(7)}) if kind in (1, 2, 3, 4) else frozenset(range(7))
        found.append(
            Plan(
                name=f"plan-{number}",
                zone=ZONES[number % len(ZONES)],
                missed=("skip", "once", "all")[number % 3],
                at_most=random.choice((1, 2, 5)),
                latest=random.choice((None, 6 * HOUR, 30 * HOUR)),
                minute=random.choice((0, 15, 30, 59)),
                hour=None if kind == 8 else random.choice((0, 1, 2, 2, 2, 3, 9, 17, 23)),
                days=frozenset({random.randrange(7)}) if kind == 8 else weekly,
                every=random.choice((12 * HOUR, 36 * HOUR)) if kind == 9 else None,
            )
        )
    return found


@dataclass(kw_only=True)
class Expected:
    """What a schedule should have done."""

    begun: Counter[datetime] = field(default_factory=Counter)
    left_out: int = 0


def expected(plan: Plan, begin: datetime, end: datetime, down: list[tuple[datetime, datetime]]) -> Expected:
    """What becomes of its firings: by the policy where nobody was there, at once otherwise."""
    found, fires = Expected(), plan.fires(begin, end)
    missed = {at for first, last in down for at in fires[bisect_left(fires, first) : bisect_left(fires, last)]}
    found.begun.update(at for at in fires if at not in missed)
    for first, last in down:
        of_gap = [at for at in fires if first <= at < last]
        on_time = [at for at in of_gap if at >= last - GRACE]
        on_time += [at for at in fires if at == last]
        late = [at for at in of_gap if at < last - GRACE]
        young = [at for at in late if plan.latest is None or at >= last - plan.latest]
        kept = {"skip": [], "once": [] if on_time else young[-1:], "all": young[-plan.at_most :]}[plan.missed]
        found.begun.update((*kept, *(at for at in on_time if at < last)))
        found.left_out += len(late) - len(kept)
    return found


class Year:
    """Replicas on one database, and a clock that is moved from one thing that happens to the next."""

    def __init__(self, stores: Sequence[Store], of: list[Plan], begin: datetime, replicas: int, seed: int) -> None:
        """Each replica has its own of `stores`, or all share the one."""
        self.stores = stores
        self.store = stores[0]
        self.random = Random(seed)
        self.clock = FixedClock(begin)
        self.ids = CountedIds()
        self.workflows = {plan.name: workflow(plan.text) for plan in of}
        self.replicas = [self._replica(number) for number in range(replicas)]
        self.up = True

    def _replica(self, number: int) -> Scheduler:
        launch = Launch(
            store=self.stores[number % len(self.stores)],
            clock=self.clock,
            ids=self.ids,
            workflows=lambda: self.workflows,
            home=lambda name, _platform: PLACES.get(name),
            charter=lambda: "",
        )
        return Scheduler(launch)

    async def live(self, end: datetime, happens: list[tuple[datetime, str]]) -> None:
        """Until `end`, with what happens meanwhile."""
        await self._ring()
        for at, what in [*sorted(happens), (end, "")]:
            await self._until(at)
            if what == "restart":
                number = self.random.randrange(len(self.replicas))
                self.replicas[number] = self._replica(number)
                await self._ring()
            elif what == "down":
                self.up = False
            elif what == "up":
                self.up, self.replicas = True, [self._replica(number) for number in range(len(self.replicas))]
                await self._ring()
            elif what == "back":  # the clock was wrong and is set back
                self.clock.time -= 20 * MINUTE
                await self._ring()

    async def _until(self, at: datetime) -> None:
        while self.up:
            soonest = min((one for replica in self.replicas for one in replica._next.values()), default=at)
            if soonest > at:
                break
            late = self.random.choice(LATE)  # a busy machine
            self.clock.time = max(self.clock.time, min(soonest + late, at))
            await self._ring()
        self.clock.time = max(self.clock.time, at)

    async def _ring(self) -> None:
        order = self.random.sample(self.replicas, len(self.replicas))
        begun = [run for some in await asyncio.gather(*(replica.ring() for replica in order)) for run in some]
        if begun:
            await self.store.write(lambda session: self._end(session, {run.workflow or "" for run in begun}))

    def _end(self, session: Session, names: Iterable[str]) -> None:
        """The runs of these workflows are done, and so are those that waited for their turn behind them."""
        for name in sorted(names):
            self._end_all(session, name)

    def _end_all(self, session: Session, name: str) -> None:
        while open_ := schedules.unfinished(session, name):
            for run in open_:
                run.state = runs.DONE
                session.add(run)
                session.flush()
                self.replicas[0].launch.ended(session, run)


def happenings(begin: datetime, days: int, restarts: int, outages: int, random: Random) -> list[tuple[datetime, str]]:
    """Restarts, outages that do not overlap, and two times at which the clock is set back."""
    found = [(begin + timedelta(minutes=random.randrange(days * 1440)), "restart") for _ in range(restarts)]
    for number in range(outages):
        part = days * DAY / outages
        first = begin + number * part + part * random.uniform(0.1, 0.4)
        lasts = min(part * 0.5, random.choice((20 * MINUTE, 5 * HOUR, 30 * HOUR, 4 * DAY)))
        found += [(_minute(first), "down"), (_minute(first + lasts), "up")]
    down = [(at, what) for at, what in sorted(found) if what in ("down", "up")]
    spans = [(first, last) for (first, _), (last, _) in zip(down[::2], down[1::2], strict=True)]
    backs = [_minute(begin + days * DAY * part) for part in (0.45, 0.97)]
    found += [(at, "back") for at in backs if not any(first <= at <= last + HOUR for first, last in spans)]
    return sorted((at, what) for at, what in found if what != "restart" or not any(a <= at <= b for a, b in spans))


def _minute(at: datetime) -> datetime:
    return at.replace(second=30, microsecond=0)  # between two firings: nobody can say on which side one at it is


def faults(
    session: Session, of: list[Plan], begin: datetime, end: datetime, down: list[tuple[datetime, datetime]]
) -> list[str]:
    """How what happened differs from what should have."""
    begun: dict[str, Counter[datetime]] = {plan.name: Counter() for plan in of}
    left_out: Counter[str] = Counter()
    for firing in session.exec(select(schedules.Firing)):
        if firing.state == schedules.BEGUN:
            begun[firing.workflow][firing.fire_at] += 1
        else:
            left_out[firing.workflow] += firing.count
    found = []
    for plan in of:
        wanted, had = expected(plan, begin, end, down), begun[plan.name]
        missing, more = sorted(wanted.begun - had), sorted(had - wanted.begun)
        if missing or more or left_out[plan.name] != wanted.left_out:
            recorded = f"left out {left_out[plan.name]} instead of {wanted.left_out}"
            found.append(f"{plan.text}: missing {missing[:5]}, too many {more[:5]}, {recorded}")
    firings, made = sum(one.total() for one in begun.values()), len(session.exec(select(runs.Run.id)).all())
    return found if made == firings else [*found, f"{made} runs for {firings} firings"]


async def simulate(  # noqa: PLR0917  what a year consists of
    stores: Sequence[Store],
    count: int,
    first: date,
    days: int,
    restarts: int,
    outages: int,
    replicas: int = 3,
    seed: int = 1,
) -> tuple[list[str], int]:
    """Live through it; returns how it differs from what should have happened, and how many runs there were.

    `stores` are all on one database: one for each replica, or one for all of them.
    """
    store = stores[0]
    random = Random(seed)
    begin = datetime.combine(first, time(0, 0, 30), UTC)
    end, of = begin + days * DAY, plans(count, random)
    events = happenings(begin, days, restarts, outages, random)
    year = Year(stores, of, begin, replicas, seed)
    await year.live(end, events)
    gaps = [at for at, what in events if what in ("down", "up")]
    down = list(zip(gaps[::2], gaps[1::2], strict=True))
    found = await store.read(lambda session: faults(session, of, begin, end, down))
    return found, len(await store.read(lambda session: session.exec(select(runs.Run.id)).all()))


def main() -> None:
    """Live through a year and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (
        ("schedules", 200),
        ("days", 365),
        ("restarts", 30),
        ("outages", 10),
        ("replicas", 3),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2026, 1, 1), help="the first day")
    parser.add_argument("--postgres", default="", help="address of an empty database; without it SQLite")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bosun-year-") as folder:
        url = chosen.postgres or f"sqlite:///{Path(folder) / 'year.sqlite3'}"
        stores = [open_store(url) for _ in range(chosen.replicas if chosen.postgres else 1)]
        migrations.upgrade(stores[0])
        began = perf_counter()
        length = (chosen.days, chosen.restarts, chosen.outages, chosen.replicas, chosen.seed)
        found, total = asyncio.run(simulate(stores, chosen.schedules, chosen.first, *length))
        for store in stores:
            store.close()
    took = f"{perf_counter() - began:.0f} s"
    good = f"{total} firings in {took}, each once; none missing that its policy keeps, every other one recorded."
    print("\n".join(found) or good)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
