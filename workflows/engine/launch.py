"""Beginning workflows for whatever asks for it: people, other workflows, other processes, and firings in their turn."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from kernel.errors import NotFound
from kernel.store import runs, schedules, workflows
from workflows.engine.cron import Fire
from workflows.engine.start import BadInputError, Start, begin, begin_queued, by_hand, inputs_of, leave_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.store.runs import Run
    from kernel.types import Json, Place
    from workflows.engine.definition import Workflow


class Launch:
    """Starts workflows, each in the caller's transaction."""

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

    def get(self, name: str) -> Workflow:
        """The workflow of that name. NotFound names the workflows that there are."""
        found = self.workflows().get(name)
        if found is None:
            known = ", ".join(sorted(self.workflows())) or "none"
            raise NotFound(f"There is no workflow '{name}'.", hint=f"Workflows: {known}.")
        return found

    def run_now(
        self,
        session: Session,
        name: str,
        *,
        asked_by: str = "",
        report_to: Place | None = None,
        platform: str | None = None,
        inputs: Mapping[str, Json] | None = None,
    ) -> Run:
        """Start a workflow at once. NotFound, or BadInputError where the inputs do not fit.

        `report_to` is where whoever asked is told how it ended; the result goes to the workflow's channel, on that
        platform, or on `platform`, if the channel is there.
        """
        workflow = self.get(name)
        start = Start(
            workflow=workflow,
            place=self.place(workflow, report_to.platform if report_to else platform),
            key=by_hand(self.ids),
            fire_at=self.clock.now(),
            charter=self.charter(),
            asked_by=asked_by,
            report_to=report_to,
            inputs=inputs_of(workflow, inputs or {}),
            trigger={"kind": "hand", "text": "", "by": asked_by},
        )
        run = begin(session, start, self.clock.now(), self.ids)
        if run is None:
            raise NotFound(f"{name} is at work already, and its file says that runs do not overlap.")
        return run

    def on_event(
        self,
        session: Session,
        workflow: Workflow,
        key: str,
        at: datetime,
        trigger: Mapping[str, Json],
        *,
        platform: str | None = None,
        thread: Place | None = None,
    ) -> Run | None:
        """Begin it because something happened; `key` is the event's own, so that one event is one run.

        The result goes to `platform`, where the event came from, if the workflow's channel is there; to `thread`, if
        that is in the channel and the file says so.
        None where another process was first, where it waits its turn, or where the workflow is paused.
        """
        place = self.place(workflow, platform)
        start = Start(
            workflow=workflow,
            place=thread if workflow.thread and thread is not None and thread.lane == place.lane else place,
            key=key,
            fire_at=at,
            charter=self.charter(),
            inputs=self.defaults(workflow),
            trigger=dict(trigger),
        )
        now = self.clock.now()
        if workflow.name in workflows.paused(session, now):
            leave_out(session, workflow.name, Fire(at=at, key=key), schedules.PAUSED, now)
            return None
        return begin(session, start, now, self.ids)

    def __call__(self, session: Session, parent: Run | None, name: str, inputs: Mapping[str, Json], key: str) -> None:
        """Begin a workflow for a step of another one."""
        workflow = self.get(name)
        start = Start(
            workflow=workflow,
            place=self.place(workflow, parent.where.platform if parent is not None else None),
            key=f"run:{key}",
            fire_at=self.clock.now(),
            charter=self.charter(),
            inputs=inputs_of(workflow, inputs),
            trigger={"kind": "start", "text": "", "by": parent.ref if parent is not None else ""},
            parent=parent.id if parent is not None else None,
        )
        begin(session, start, self.clock.now(), self.ids)

    def known(self, session: Session, name: str, key: str) -> Run | None:
        """The run that a step has begun."""
        firing = session.get(schedules.Firing, (name, f"run:{key}"))
        return session.get(runs.Run, firing.run_id) if firing is not None else None

    def ended(self, session: Session, run: Run) -> None:
        """A run has ended: begin the firing that waits for its turn, and the workflows that follow this one."""
        name = run.workflow or ""
        if not schedules.unfinished(session, name):
            begin_queued(session, name, self.clock.now(), self.ids)
        state = {runs.DONE: "done", runs.FAILED: "failed"}.get(run.state)
        for workflow in self.workflows().values():
            for trigger in workflow.events:
                after = trigger.after
                if after is not None and after.workflow == name and state in after.ended:
                    told = {"kind": "after", "text": run.answer or run.error or "", "by": run.ref, "state": state}
                    key = f"after:{run.id}:{state}:{run.segment}"
                    self.on_event(session, workflow, key, self.clock.now(), told)

    async def take_wanted(self) -> None:
        """Start what other processes have asked for (`bosun run` beside a running Bosun)."""
        for wanted_id in await self.store.read(schedules.wanted):
            await self.store.write(functools.partial(self._take, wanted_id=wanted_id))

    def _take(self, session: Session, wanted_id: str) -> None:
        row = schedules.take(session, wanted_id)
        if row is None:
            return
        try:
            row.run_id = self.run_now(session, row.workflow, asked_by=row.asked_by, inputs=row.inputs).id
        except (NotFound, BadInputError) as error:
            row.error = str(error)
        session.add(row)

    def place(self, workflow: Workflow, platform: str | None) -> Place:
        """Where its result goes."""
        place = self.home(workflow.channel, platform)
        if place is None:
            raise NotFound(f"The channel {workflow.channel} of workflow '{workflow.name}' is on no platform that runs.")
        return place

    def defaults(self, workflow: Workflow) -> dict[str, Json]:
        """The inputs of a run that nobody asked for."""
        return inputs_of(workflow, {})
