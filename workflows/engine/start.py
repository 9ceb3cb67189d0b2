"""Starting a run of a workflow: its firing and its run in one transaction, so that one firing is one run."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from kernel import ledger
from kernel.errors import BosunError
from kernel.store import runs, schedules
from kernel.store.runs import Run
from kernel.store.schedules import Firing
from kernel.types import Frozen, Json, Place
from workflows.engine.definition import Workflow
from workflows.engine.steps import derived_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.clock import Ids
    from kernel.store import Session
    from workflows.engine.cron import Fire
    from workflows.engine.definition import Input

AGAIN_WITHIN = timedelta(minutes=10)  # a run this soon after the last one covers the same time and replaces its message
FIRST = timedelta(days=1)  # how far back the first run looks
LONGEST = 4000  # characters of an input


class BadInputError(BosunError):
    """What was said in starting a workflow does not fit its inputs."""

    code = "bad-input"


class Request(Frozen):
    """The first entry of a workflow run's transcript: everything that it needs to finish as it was begun."""

    text: str
    person: str  # whom the run belongs to: "workflow:NAME"
    workflow: Workflow
    since: datetime  # what happened after this is new
    asked_by: str = ""  # Person id, for a run by hand
    report_to: Place | None = None  # where whoever asked for it is told how it ended
    inputs: dict[str, Json] = Field(default_factory=dict)
    trigger: dict[str, Json] = Field(default_factory=dict)  # what made it begin: kind, text, by and more
    parent: str | None = None  # the run of the workflow that waits for this one


class Start(Frozen):
    """What one firing is to become."""

    workflow: Workflow
    place: Place  # where the result goes
    key: str  # of the firing
    fire_at: datetime
    charter: str  # digest of the charter in force
    asked_by: str = ""
    report_to: Place | None = None
    inputs: dict[str, Json] = Field(default_factory=dict)
    trigger: dict[str, Json] = Field(default_factory=dict)
    parent: str | None = None


def begin(session: Session, start: Start, now: datetime, ids: Ids) -> Run | None:
    """Record the firing and make its run ready; None if another process was first, or if it has to wait its turn."""
    name = start.workflow.name
    run_id = derived_id(start.fire_at, name, start.key)
    waits = _waits(session, start)
    firing = Firing(
        workflow=name,
        key=start.key,
        run_id=run_id,
        fire_at=start.fire_at,
        created_at=now,
        state=waits or schedules.BEGUN,
        start=start.model_dump(mode="json", exclude_defaults=True) if waits == schedules.QUEUED else None,
    )
    if not schedules.fire(session, firing):
        return None
    if waits:
        ledger.append(session, now, f"workflow.{waits}", run_id, {"workflow": name, "firing": start.key})
        return None
    return _run(session, start, run_id, now, ids)


def _waits(session: Session, start: Start) -> str:
    """What the overlap policy makes of the firing; empty where its run begins now. `replace` stops the one before."""
    overlap = start.workflow.overlap
    if overlap == "parallel" or start.parent is not None or (overlap == "queue" and start.key.startswith(BY_HAND)):
        return ""  # a person who starts it by hand does not wait, and a workflow that waits for it cannot
    open_ = schedules.unfinished(session, start.workflow.name)
    if not open_:
        return ""
    if overlap == "replace":
        for run in open_:
            run.stop_requested_by = f"workflow:{start.workflow.name}"
            session.add(run)
            session.flush()
            runs.next_segment(session, run.id, start.fire_at)
        return ""
    return schedules.QUEUED if overlap == "queue" else schedules.OVERLAPPED


def leave_out(  # noqa: PLR0917  what is known of it
    session: Session, name: str, first: Fire, state: str, now: datetime, count: int = 1, last_at: datetime | None = None
) -> None:
    """Keep that firings become no run: a row for people to look up, not a silence. `count` of them, up to `last_at`."""
    run_id = derived_id(first.at, name, first.key)
    row = Firing(
        workflow=name,
        key=first.key,
        run_id=run_id,
        fire_at=first.at,
        created_at=now,
        state=state,
        count=count,
        last_at=last_at,
    )
    schedules.fire(session, row)


def begin_queued(session: Session, name: str, now: datetime, ids: Ids) -> Run | None:
    """Begin the oldest firing of the workflow that waits for its turn; None if none does."""
    firing = schedules.oldest_queued(session, name)
    if firing is None or firing.start is None:
        return None
    start = Start.model_validate(firing.start)
    firing.state, firing.start = schedules.BEGUN, None
    session.add(firing)
    session.flush()
    return _run(session, start, firing.run_id, now, ids)


def _run(session: Session, start: Start, run_id: str, now: datetime, ids: Ids) -> Run:
    name, place = start.workflow.name, start.place
    before = schedules.last_done(session, name, place, now - AGAIN_WITHIN)
    request = Request(
        text=f"run {name}",
        person=f"workflow:{name}",
        workflow=start.workflow,
        since=before.created_at if before else now - FIRST,
        asked_by=start.asked_by,
        report_to=start.report_to,
        inputs=start.inputs,
        trigger=start.trigger,
        parent=start.parent,
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


BY_HAND = "now:"


def by_hand(ids: Ids) -> str:
    """The key of a firing that somebody asked for."""
    return f"{BY_HAND}{ids.new()}"


def inputs_of(workflow: Workflow, given: Mapping[str, Json]) -> dict[str, Json]:
    """The inputs of a run: what was given, checked, and defaults. BadInputError says what does not fit."""
    unknown = [name for name in given if name not in workflow.inputs]
    if unknown:
        known = ", ".join(workflow.inputs) or "none"
        raise BadInputError(f"{workflow.name} has no input '{unknown[0]}'. Inputs: {known}.")
    return {name: _checked(name, one, given.get(name, one.default)) for name, one in workflow.inputs.items()}


def _checked(name: str, wanted: Input, value: Json) -> Json:
    if value is None or value == "":
        if wanted.required:
            raise BadInputError(f"{name} is missing: {wanted.description or 'it has to be given'}.")
        return value
    if wanted.of and str(value) not in wanted.of:
        raise BadInputError(f"{name} is one of {', '.join(wanted.of)}, not '{value}'.")
    if isinstance(value, str) and len(value) > LONGEST:
        raise BadInputError(f"{name} is longer than {LONGEST} characters.")
    try:
        return _typed(wanted.type, value)
    except ValueError:
        raise BadInputError(f"{name} should be a {wanted.type}, and '{value}' is none.") from None


def _typed(kind: str, value: Json) -> Json:
    if kind == "number":
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        return int(number) if number.is_integer() else number
    if kind == "flag":
        words = {"yes": True, "true": True, "no": False, "false": False}
        if isinstance(value, bool):
            return value
        if str(value).casefold() not in words:
            raise ValueError
        return words[str(value).casefold()]
    return date.fromisoformat(str(value)).isoformat() if kind == "date" else str(value)
