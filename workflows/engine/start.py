"""Starting a run of a workflow: its firing and its run in one transaction, so that one firing is one run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import runs, schedules
from kernel.store.runs import Run
from kernel.store.schedules import Firing
from kernel.types import Frozen, Place
from workflows.engine.definition import Workflow
from workflows.engine.steps import derived_id

if TYPE_CHECKING:
    from kernel.clock import Ids
    from kernel.store import Session

AGAIN_WITHIN = timedelta(minutes=10)  # a run this soon after the last one covers the same time and replaces its message
FIRST = timedelta(days=1)  # how far back the first run looks


class Request(Frozen):
    """The first entry of a workflow run's transcript: everything that it needs to finish as it was begun."""

    text: str
    person: str  # whom the run belongs to: "workflow:NAME"
    workflow: Workflow
    since: datetime  # what happened after this is new
    asked_by: str = ""  # Person id, for a run by hand
    report_to: Place | None = None  # where whoever asked for it is told how it ended


class Start(Frozen):
    """What one firing is to become."""

    workflow: Workflow
    place: Place  # where the result goes
    key: str  # of the firing
    fire_at: datetime
    charter: str  # digest of the charter in force
    asked_by: str = ""
    report_to: Place | None = None


def begin(session: Session, start: Start, now: datetime, ids: Ids) -> Run | None:
    """Record the firing and make its run ready; None if another process was first."""
    name = start.workflow.name
    run_id = derived_id(start.fire_at, name, start.key)
    firing = Firing(workflow=name, key=start.key, run_id=run_id, fire_at=start.fire_at, created_at=now)
    if not schedules.fire(session, firing):
        return None
    place = start.place.in_thread(None)
    before = schedules.last_done(session, name, place, now - AGAIN_WITHIN)
    request = Request(
        text=f"run {name}",
        person=f"workflow:{name}",
        workflow=start.workflow,
        since=before.created_at if before else now - FIRST,
        asked_by=start.asked_by,
        report_to=start.report_to,
    )
    run = Run(
        id=run_id,
        ref=runs.free_ref(session, ids),
        agent="",
        requester=request.person,
        place=place.model_dump(mode="json", exclude_defaults=True),
        request=request.text,
        workflow=name,
        charter=start.charter,
        created_at=now,
        updated_at=now,
    )
    runs.begin(session, run, request.model_dump(mode="json", exclude_defaults=True))
    entry = {"workflow": name, "firing": start.key, "charter": start.charter, "asked_by": start.asked_by}
    ledger.append(session, now, "workflow", run_id, entry)
    return run


def by_hand(ids: Ids) -> str:
    """The key of a firing that somebody asked for."""
    return f"now:{ids.new()}"
