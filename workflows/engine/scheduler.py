"""The clock of workflows. APScheduler is the alarm only: what is due, `schedule.due` says; one firing is one run."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from kernel.store import schedules, workflows
from kernel.types import Frozen
from workflows.engine.schedule import due
from workflows.engine.start import Start, begin, leave_out

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from kernel.store import Session
    from kernel.store.runs import Run
    from workflows.engine.cron import Fire
    from workflows.engine.definition import Timed, Workflow
    from workflows.engine.launch import Launch
    from workflows.engine.schedule import Due
    from workflows.engine.trigger import Timetable

log = logging.getLogger(__name__)

WORK_EVERY = 1  # seconds between two looks at what else is to be begun
WAKE_EVERY = 30  # seconds; a suspended machine or a clock that was set delays no firing by more
TOGETHER = 500  # new schedules that are written in one transaction
FIRED_TOGETHER = 32  # schedules whose firings share a transaction: more would make the first of them late
NEVER = datetime.max.replace(tzinfo=UTC)


class Upcoming(Frozen):
    """When a workflow runs next."""

    workflow: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One timetable of a workflow."""

    key: str  # of its schedule
    workflow: Workflow
    timed: Timed


class Scheduler:
    """Starts workflows when they are due."""

    def __init__(self, launch: Launch, jobs: Sequence[Callable[[], Awaitable[object]]] = ()) -> None:
        """`jobs` are called once a second: what has to be looked at and is no firing."""
        self.launch = launch
        self.store = launch.store
        self.clock = launch.clock
        self.jobs = jobs
        self._next: dict[str, datetime] = {}  # key of a schedule -> when it has something to do; no row is read before
        self._all: tuple[Scheduled, ...] = ()
        self._known: Mapping[str, Workflow] | None = None  # the workflows that `_next` and `_all` were worked out for
        self._alarm: AsyncIOScheduler | None = None
        self._at_work: set[asyncio.Task[object]] = set()  # what the alarm has begun

    async def start(self) -> None:
        """Deal with what was missed, then ring when something is due."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it reports every ring
        self._alarm = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        self._alarm.add_job(partial(self._do, self.ring), "interval", seconds=WAKE_EVERY, id="wake-up")
        self._alarm.add_job(partial(self._do, self._work), "interval", seconds=WORK_EVERY, id="work")
        self._alarm.start()
        await self.ring()

    async def stop(self) -> None:
        """Ring no more, and be done with what was rung."""
        alarm, self._alarm = self._alarm, None
        if alarm is not None:
            alarm.pause()
            if self._at_work:  # APScheduler would break it off, and report that as a fault
                await asyncio.wait(self._at_work)
            alarm.shutdown(wait=False)

    async def ring(self) -> list[Run]:
        """Start what is due and set the alarm for what comes next. Also to be called when the charter changes."""
        await self._take_note()
        now = self.clock.now()
        due_now = [one for one in self._all if self._next.get(one.key, now) <= now]
        begun = [run for part in _parts(due_now) for run in await self._fire(part)]
        self._set_alarm()
        return begun

    def upcoming(self) -> list[Upcoming]:
        """The next firing of every workflow with a timetable, soonest first."""
        now = self.clock.now()
        found = []
        for name, workflow in self.launch.workflows().items():
            fires = [fire.at for timed in workflow.timed if (fire := timed.table.next_after(now)) is not None]
            if fires:
                found.append(Upcoming(workflow=name, at=min(fires)))
        return sorted(found, key=lambda one: one.at)

    async def _take_note(self) -> None:
        """Where the workflows are others than before: forget schedules that are gone, look at all that are there."""
        known = self.launch.workflows()
        if known is self._known:
            return
        tables = {_key(flow, number): one.table for flow in known.values() for number, one in enumerate(flow.timed)}
        walked = await self.store.read(schedules.walked)
        if walked.keys() - tables.keys():
            await self.store.write(lambda session: schedules.forget_others(session, tables.keys()))
        now, fresh = self.clock.now(), [key for key in tables if key not in walked]
        for part in range(0, len(fresh), TOGETHER):
            texts = {key: str(tables[key]) for key in fresh[part : part + TOGETHER]}
            await self.store.write(partial(schedules.establish_all, triggers=texts, now=now))
        since = dict.fromkeys(fresh, now) | {
            key: last for key, (trigger, last) in walked.items() if key in tables and trigger == str(tables[key])
        }
        self._known, self._next = known, {key: _next(tables[key], last) for key, last in since.items()}
        self._all = tuple(
            Scheduled(_key(flow, number), flow, timed)
            for flow in known.values()
            for number, timed in enumerate(flow.timed)
        )

    async def _fire(self, several: Sequence[Scheduled]) -> list[Run]:
        """Start what is due of these schedules: together, and one by one where that fails."""
        known, looked = self._known, self.clock.now()  # what comes due while it is written must not be passed over
        tables = {one.key: one.timed.table for one in several}
        try:
            begun = await self.store.write(partial(self._begin, several, tables))
        except Exception:
            if len(several) > 1:
                return [run for one in several for run in await self._fire((one,))]
            log.exception("workflow %s could not be started", several[0].workflow.name)
            begun, after = [], {several[0].key: looked + timedelta(seconds=WAKE_EVERY)}
        else:
            after = {key: _next(table, looked) for key, table in tables.items()}
        if self._known is known:
            self._next |= after
        return begun

    def _begin(self, several: Sequence[Scheduled], tables: Mapping[str, Timetable], session: Session) -> list[Run]:
        rows = schedules.establish(session, {key: str(table) for key, table in tables.items()}, self.clock.now())
        return [
            run for one in several for run in self._begin_due(session, one, tables[one.key], rows[one.key].last_fire)
        ]

    def _begin_due(self, session: Session, one: Scheduled, table: Timetable, last_fire: datetime) -> list[Run]:
        now, workflow, trigger = self.clock.now(), one.workflow, one.timed.trigger
        found = due(table, last_fire, now, trigger.missed, trigger.at_most, one.timed.latest)
        if not found.fires and found.gap is None:
            return []
        pause = workflows.pause_of(session, workflow.name)
        held = [fire for fire in found.fires if pause is not None and pause.covers(fire.at, now)]
        self._note_left_out(session, workflow, found, held)
        begun: list[Run | None] = []
        for fire in (fire for fire in found.fires if fire not in held):
            start = Start(
                workflow=workflow,
                place=self.launch.place(workflow, None),
                key=fire.key,
                fire_at=fire.at,
                charter=self.launch.charter(),
                inputs=self.launch.defaults(workflow),
                trigger={"kind": trigger.kind, "text": f"{fire.at:%Y-%m-%dT%H:%MZ}", "by": ""},
            )
            begun.append(begin(session, start, now, self.launch.ids))
        schedules.advance(session, one.key, found.last_fire)
        return [run for run in begun if run is not None]

    def _note_left_out(self, session: Session, workflow: Workflow, found: Due, held: Sequence[Fire]) -> None:
        now, gap = self.clock.now(), found.gap
        if gap is not None:
            leave_out(session, workflow.name, gap.first, schedules.MISSED, now, gap.count, gap.last.at)
            log.info("workflow %s: %d firings missed", workflow.name, gap.count)
        for fire in held:
            leave_out(session, workflow.name, fire, schedules.PAUSED, now)

    async def _do(self, work: Callable[[], Awaitable[object]]) -> None:
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._at_work.add(task)
        try:
            await work()
        finally:
            self._at_work.discard(task)

    async def _work(self) -> None:
        for job in self.jobs:
            try:
                await job()
            except Exception:
                log.exception("%s failed; it is done again in a second", getattr(job, "__qualname__", job))

    def _set_alarm(self) -> None:
        soonest = min(self._next.values(), default=None)
        if self._alarm is not None and soonest is not None and soonest < NEVER:
            ring = partial(self._do, self.ring)
            # Two instances: what comes due while a ring is under way must not wait for the next wake-up.
            self._alarm.add_job(ring, "date", run_date=soonest, id="next", replace_existing=True, max_instances=2)


def _parts(due_now: Sequence[Scheduled]) -> Iterator[Sequence[Scheduled]]:
    """Those that share a transaction, in the one order in which every replica locks their rows.

    One that stops the runs before it locks those as well, and before the ledger: it has a transaction of its own.
    """
    yield from ((one,) for one in due_now if one.workflow.overlap == "replace")
    rest = sorted((one for one in due_now if one.workflow.overlap != "replace"), key=lambda one: one.key)
    for begin_at in range(0, len(rest), FIRED_TOGETHER):
        yield rest[begin_at : begin_at + FIRED_TOGETHER]


def _next(table: Timetable, after: datetime) -> datetime:
    """When it has something to do next."""
    fire = table.next_after(after)
    return fire.at if fire is not None else NEVER


def _key(workflow: Workflow, number: int) -> str:
    """The key of a schedule: a workflow may have several timetables."""
    return workflow.name if number == 0 else f"{workflow.name}#{number}"
