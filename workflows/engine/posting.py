"""A message of a step: its row is the same each time the step is done, and a run a moment later replaces it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import outbox, schedules
from workflows.engine import template
from workflows.engine.start import AGAIN_WITHIN
from workflows.engine.steps import derived_id

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.types import Text
    from workflows.engine.steps import StepContext

TIMED = frozenset({"", "hand", "cron", "every"})  # runs that cover a span of time, so that a new one replaces the old


def show(session: Session, step: StepContext, body: Text, subject: str | None = None) -> str:
    """Show it in the workflow's channel, in place of what the run a moment ago showed; returns its row."""
    earlier = _recent(session, step)
    if earlier is not None and outbox.revise(session, earlier, body, subject):
        return earlier
    row = row_id(step.run, step.path)
    outbox.put(session, row, step.place, body, step.clock.now(), run_id=step.run.id, subject=subject)
    return row


def after(run: Run) -> datetime:
    """When the row of what comes after a message of the run is dated: rows go out in the order of their ids."""
    return run.created_at + timedelta(milliseconds=1)


def row_id(run: Run, path: str, what: str = "post") -> str:
    """The outbox row of a step: the same each time it is done, and an id that every platform takes."""
    return derived_id(run.created_at, run.id, path, what)


def _recent(session: Session, step: StepContext) -> str | None:
    """The message that the run before this one posted a moment ago; every event has a message of its own."""
    if template.look_up("trigger.kind", step.values) not in TIMED:
        return None
    before = schedules.last_done(session, step.workflow.name, step.place, step.run.created_at)
    if before is None or step.run.created_at - before.created_at > AGAIN_WITHIN:
        return None
    return row_id(before, step.path)
