"""The clock of workflows. APScheduler is the alarm only: what is due, `schedule.due` says; one firing is one run."""

from __future__ import annotations

import functools
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kernel.errors import NotFound
from kernel.store import schedules
from kernel.types import Frozen
from workflows.engine.schedule import due
from workflows.engine.start import Start, begin, by_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.store.runs import Run
    from kernel.types import Place
    from workflows.engine.cron import Cron
    from workflows.engine.definition import Workflow
    from workflows.engine.schedule import Due

log = logging.getLogger(__name__)

TAKE_EVERY = 1  # seconds
WAKE_EVERY = 30  # seconds; a suspended machine or a clock that was set delays no firing by more


class Upcoming(Frozen):
    """When a workflow runs next."""

    workflow: str
    at: datetime


class Scheduler:
    """Starts workflows when they are due, and by hand."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        workflows: Callable[[], Mapping[str, Workflow]],
        home: Callable[[str, str | None], Place | None],
        charter: Callable[[], str],
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.workflows = workflows  # of the charter in force
        self.home = home  # (channel of the charter, preferred platform) -> where its messages go
        self.charter = charter  # digest of the charter in force
        self._alarm: AsyncIOScheduler | None = None

    async def start(self) -> None:
        """Deal with what was missed, then ring when something is due."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it reports every ring
        self._alarm = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        self._alarm.add_job(self.ring, "interval", seconds=WAKE_EVERY, id="wake-up")
        self._alarm.add_job(self.take_wanted, "interval", seconds=TAKE_EVERY, id="wanted")
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
        workflows = self.workflows()
        await self._forget_others(workflows)
        for workflow in workflows.values():
            try:
                begun += await self._deal_with(workflow)
            except Exception:  # one workflow must not stop the others; it is due again at the next wake-up
                log.exception("workflow %s could not be started", workflow.name)
        self._set_alarm()
        return begun

    def upcoming(self) -> list[Upcoming]:
        """The next firing of every workflow with a trigger, soonest first."""
        now = self.clock.now()
        fires = [(name, cron.next_after(now)) for name, flow in self.workflows().items() if (cron := flow.cron)]
        return sorted((Upcoming(workflow=name, at=fire.at) for name, fire in fires if fire), key=lambda one: one.at)

    def run_now(
        self,
        session: Session,
        name: str,
        *,
        asked_by: str = "",
        report_to: Place | None = None,
    ) -> Run:
        """Start a workflow at once, in the caller's transaction. NotFound names the workflows that there are.

        `report_to` is where whoever asked is told how it ended; the result goes to the workflow's channel, on the
        platform of `report_to` if the channel is there.
        """
        workflow = self.workflows().get(name)
        if workflow is None:
            known = ", ".join(sorted(self.workflows())) or "none"
            raise NotFound(f"There is no workflow '{name}'.", hint=f"Workflows: {known}.")
        now = self.clock.now()
        place = self._place(workflow, report_to.platform if report_to else None)
        start = Start(
            workflow=workflow,
            place=place,
            key=by_hand(self.ids),
            fire_at=now,
            charter=self.charter(),
            asked_by=asked_by,
            report_to=report_to,
        )
        run = begin(session, start, now, self.ids)
        if run is None:
            raise NotFound("This run was started before.")
        return run

    async def take_wanted(self) -> None:
        """Start what other processes have asked for (`bosun run` beside a running Bosun)."""
        for wanted_id in await self.store.read(schedules.wanted):
            work = functools.partial(self._take, wanted_id=wanted_id)
            await self.store.write(work)

    def _take(self, session: Session, wanted_id: str) -> None:
        row = schedules.take(session, wanted_id)
        if row is None:
            return
        try:
            row.run_id = self.run_now(session, row.workflow, asked_by=row.asked_by).id
        except NotFound as error:
            row.error = str(error)
        session.add(row)

    async def _forget_others(self, workflows: Mapping[str, Workflow]) -> None:
        scheduled = {name for name, workflow in workflows.items() if workflow.expression}
        stored = await self.store.read(schedules.names)
        if stored - scheduled:
            await self.store.write(lambda session: schedules.forget_others(session, scheduled))

    async def _deal_with(self, workflow: Workflow) -> list[Run]:
        cron = workflow.cron
        if cron is None:
            return []
        row = await self.store.read(lambda session: schedules.get(session, workflow.name))
        if row is not None and row.trigger == str(cron) and not self._due(workflow, cron, row.last_fire).fires:
            return []
        return await self.store.write(lambda session: self._fire(session, workflow, cron))

    def _fire(self, session: Session, workflow: Workflow, cron: Cron) -> list[Run]:
        now = self.clock.now()
        row = schedules.establish(session, workflow.name, str(cron), now)
        found = self._due(workflow, cron, row.last_fire)
        if found.skipped:
            log.info("workflow %s: %d missed firings left out", workflow.name, found.skipped)
        begun = []
        for fire in found.fires:
            start = Start(
                workflow=workflow,
                place=self._place(workflow, None),
                key=fire.key,
                fire_at=fire.at,
                charter=self.charter(),
            )
            begun.append(begin(session, start, now, self.ids))
        schedules.advance(session, workflow.name, found.last_fire)
        return [run for run in begun if run is not None]

    def _due(self, workflow: Workflow, cron: Cron, last_fire: datetime) -> Due:
        return due(cron, last_fire, self.clock.now(), workflow.missed, workflow.at_most)

    def _place(self, workflow: Workflow, platform: str | None) -> Place:
        place = self.home(workflow.channel, platform)
        if place is None:
            raise NotFound(f"The channel {workflow.channel} of workflow '{workflow.name}' is on no platform that runs.")
        return place

    def _set_alarm(self) -> None:
        soonest = next(iter(self.upcoming()), None)
        if self._alarm is not None and soonest is not None:
            self._alarm.add_job(self.ring, "date", run_date=soonest.at, id="next", replace_existing=True)
