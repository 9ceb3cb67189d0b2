"""The clock of workflows. APScheduler is the alarm only: what is due, `schedule.due` says; one firing is one run."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from kernel.store import schedules, workflows
from kernel.types import Frozen
from workflows.engine.schedule import due
from workflows.engine.start import Start, begin, leave_out

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

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
NEVER = datetime.max.replace(tzinfo=UTC)


class Upcoming(Frozen):
    """When a workflow runs next."""

    workflow: str
    at: datetime


class Scheduler:
    """Starts workflows when they are due."""

    def __init__(self, launch: Launch, jobs: Sequence[Callable[[], Awaitable[object]]] = ()) -> None:
        """`jobs` are called once a second: what has to be looked at and is no firing."""
        self.launch = launch
        self.store = launch.store
        self.clock = launch.clock
        self.jobs = jobs
        self._next: dict[str, datetime] = {}  # key of a schedule -> when it has something to do; no row is read before
        self._known: Mapping[str, Workflow] | None = None  # the workflows that `_next` was worked out for
        self._alarm: AsyncIOScheduler | None = None

    async def start(self) -> None:
        """Deal with what was missed, then ring when something is due."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it reports every ring
        self._alarm = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        self._alarm.add_job(self.ring, "interval", seconds=WAKE_EVERY, id="wake-up")
        self._alarm.add_job(self._work, "interval", seconds=WORK_EVERY, id="work")
        self._alarm.start()
        await self.ring()

    async def stop(self) -> None:
        """Ring no more."""
        if self._alarm is not None:
            self._alarm.shutdown(wait=False)
            self._alarm = None

    async def ring(self) -> list[Run]:
        """Start what is due and set the alarm for what comes next. Also to be called when the charter changes."""
        begun: list[Run] = []
        await self._take_note()
        now = self.clock.now()
        for workflow in self.launch.workflows().values():
            for number, timed in enumerate(workflow.timed):
                key = _key(workflow, number)
                if self._next.get(key, now) > now:
                    continue
                try:
                    looked = self.clock.now()  # what comes due while it is written must not be passed over
                    begun += await self.store.write(partial(self._fire, workflow, timed, key))
                    self._next[key] = _next(timed.table, looked)
                except Exception:  # one workflow must not stop the others; it is due again at the next wake-up
                    log.exception("workflow %s could not be started", workflow.name)
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

    def _fire(self, workflow: Workflow, timed: Timed, key: str, session: Session) -> list[Run]:
        now = self.clock.now()
        row = schedules.establish(session, key, str(timed.table), now)
        trigger = timed.trigger
        found = due(timed.table, row.last_fire, now, trigger.missed, trigger.at_most, timed.latest)
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
        schedules.advance(session, key, found.last_fire)
        return [run for run in begun if run is not None]

    def _note_left_out(self, session: Session, workflow: Workflow, found: Due, held: Sequence[Fire]) -> None:
        now, gap = self.clock.now(), found.gap
        if gap is not None:
            leave_out(session, workflow.name, gap.first, schedules.MISSED, now, gap.count, gap.last.at)
            log.info("workflow %s: %d firings missed", workflow.name, gap.count)
        for fire in held:
            leave_out(session, workflow.name, fire, schedules.PAUSED, now)

    async def _work(self) -> None:
        for job in self.jobs:
            try:
                await job()
            except Exception:
                log.exception("%s failed; it is done again in a second", getattr(job, "__qualname__", job))

    def _set_alarm(self) -> None:
        soonest = min(self._next.values(), default=None)
        if self._alarm is not None and soonest is not None and soonest < NEVER:
            self._alarm.add_job(self.ring, "date", run_date=soonest, id="next", replace_existing=True)


def _next(table: Timetable, after: datetime) -> datetime:
    """When it has something to do next."""
    fire = table.next_after(after)
    return fire.at if fire is not None else NEVER


def _key(workflow: Workflow, number: int) -> str:
    """The key of a schedule: a workflow may have several timetables."""
    return workflow.name if number == 0 else f"{workflow.name}#{number}"
