"""A run of a workflow as it is in the database, with everything that its steps may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel.store import runs, schedules, workflows
from rules.engine.words import parse_duration
from workflows.engine import history
from workflows.engine.history import Saved
from workflows.engine.start import Request
from workflows.engine.steps import Output

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.store.workflows import Correction
    from kernel.types import Json
    from workflows.engine.definition import Workflow


@dataclass(frozen=True, kw_only=True)
class LoadedRun:
    """A run that has a segment to run."""

    run: Run
    request: Request
    saved: Saved
    earlier: tuple[tuple[Run, Output], ...]  # runs before it that came to their end, newest first, with what they gave
    corrections: tuple[Correction, ...]
    cost: float  # USD, of all its agents so far

    @property
    def workflow(self) -> Workflow:
        """The definition that the run was begun with."""
        return self.request.workflow

    @property
    def deadline(self) -> datetime | None:
        """When it has taken too long."""
        longest = self.workflow.limits.time
        since = self.saved.retried_at or self.run.created_at
        return since + parse_duration(longest) if longest else None

    @property
    def values(self) -> Mapping[str, Json]:
        """What templates may use at the top, before any step is done."""
        date = day_in_words(self.run.created_at, self.workflow.zone)
        told = [
            {"text": output.text, "data": output.data, "date": f"{run.created_at:%Y-%m-%d}", "ref": run.ref}
            for run, output in self.earlier
        ]
        return {
            "workflow": {"name": self.workflow.name, "channel": self.workflow.channel},
            "run": {"ref": self.run.ref, "date": date},
            "inputs": self.request.inputs,
            "trigger": self.request.trigger or {"kind": "", "text": "", "by": ""},
            "history": {**(told[0] if told else {"text": "", "data": None, "date": "", "ref": ""}), "runs": told},
        }


def day_in_words(at: datetime, zone: str) -> str:
    """ "Monday 2 March"."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%B}"


def load(session: Session, run_id: str, segment: int) -> LoadedRun | None:
    """The run; None if the segment is not its to run any more."""
    run = runs.fence(session, run_id, segment)
    if run is None or run.state != runs.QUEUED:
        return None
    entries = runs.transcript(session, run_id)
    request = Request.model_validate(entries[0].content)
    name, most = request.workflow.name, request.workflow.history
    before = schedules.done_before(session, name, run.where, run.created_at, most) if most else []
    cost = sum(child.cost_usd for child in runs.children(session, run_id))
    return LoadedRun(
        run=run,
        request=request,
        saved=history.read(entries),
        earlier=tuple((one, history.result_of(session, one.id)) for one in before),
        corrections=tuple(workflows.corrections(session, name)),
        cost=cost + run.cost_usd,
    )
