"""Schedules of workflows and their firings: what has been dealt with, and which run each firing became."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.store.runs import DONE, WAITING, Run
from kernel.store.runs import QUEUED as READY
from kernel.types import Json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernel.types import Place


class Schedule(SQLModel, table=True):
    """How far a workflow's trigger has been walked."""

    __tablename__ = "schedule"

    workflow: str = Field(primary_key=True)
    trigger: str  # expression and zone; another one starts afresh
    last_fire: datetime = Field(sa_type=Moment)  # every firing up to here has been dealt with


OPEN = (READY, WAITING)  # states of a run that has not come to its end

# What became of a firing.
BEGUN = "begun"  # it is a run
QUEUED = "queued"  # it waits for the run before it to end
OVERLAPPED = "overlapped"  # left out, because the run before it had not ended
MISSED = "missed"  # left out by the policy for what was missed
PAUSED = "paused"  # left out, because the workflow was paused
UNVERIFIED = "unverified"  # left out, because it could not be told who caused it, or by what


class Firing(SQLModel, table=True):
    """One firing of a workflow. Its key is the same on every replica, so whoever inserts it first starts the run."""

    __tablename__ = "firing"

    workflow: str = Field(primary_key=True)
    key: str = Field(primary_key=True)  # the scheduled time, or "now:" and an id for a run by hand
    run_id: str = Field(unique=True)  # of the run that it becomes, also while there is none yet
    fire_at: datetime = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    state: str = BEGUN
    count: int = 1  # firings that a row of left-out ones stands for: this one and those after it up to `last_at`
    last_at: datetime | None = Field(default=None, sa_type=Moment)
    start: Json = Field(default=None, sa_type=JsonText, nullable=True)  # of a queued one: how it begins


class Wanted(SQLModel, table=True):
    """A run by hand that another process asks of the one that serves: it knows the platforms, the asker does not."""

    __tablename__ = "wanted_run"

    id: str = Field(primary_key=True)
    workflow: str
    asked_by: str = ""
    inputs: Json = Field(default=None, sa_type=JsonText, nullable=True)
    created_at: datetime = Field(sa_type=Moment)
    run_id: str | None = None  # set by whoever takes it
    error: str | None = None  # why it was not taken


def get(session: Session, workflow: str) -> Schedule | None:
    """The schedule of a workflow."""
    return session.get(Schedule, workflow)


_HELD = (
    select(Schedule)
    .where(col(Schedule.workflow).in_(bindparam("keys", expanding=True)))
    .order_by(col(Schedule.workflow))
    .with_for_update()
)


def establish(session: Session, triggers: Mapping[str, str], now: datetime) -> dict[str, Schedule]:
    """The schedules of these keys, locked; a new one, or one with another trigger, begins now."""
    rows = _held(session, triggers)
    if missing := triggers.keys() - rows.keys():
        establish_all(session, {key: triggers[key] for key in sorted(missing)}, now)
        rows = _held(session, triggers)
    for key, row in rows.items():
        if row.trigger != triggers[key]:
            row.trigger, row.last_fire = triggers[key], now
            session.add(row)
    return rows


def _held(session: Session, keys: Iterable[str]) -> dict[str, Schedule]:
    return {row.workflow: row for row in session.execute(_HELD, {"keys": list(keys)}).scalars()}


def establish_all(session: Session, triggers: Mapping[str, str], now: datetime) -> None:
    """Schedules that were not there a moment ago begin now."""
    for workflow, trigger in triggers.items():
        insert_new(session, Schedule, {"workflow": workflow, "trigger": trigger, "last_fire": now})


def walked(session: Session) -> dict[str, tuple[str, datetime]]:
    """Schedule -> its trigger, and how far it has been walked."""
    rows = session.exec(select(Schedule.workflow, Schedule.trigger, Schedule.last_fire))
    return {workflow: (trigger, last_fire) for workflow, trigger, last_fire in rows}


_ADVANCE = (
    update(Schedule)
    .where(col(Schedule.workflow) == bindparam("key"), col(Schedule.last_fire) < bindparam("reached", type_=Moment))
    .values(last_fire=bindparam("reached", type_=Moment))
)


def advance(session: Session, workflow: str, last_fire: datetime) -> None:
    """Everything up to `last_fire` has been dealt with; never moves back."""
    session.connection().execute(_ADVANCE, {"key": workflow, "reached": last_fire})


def forget_others(session: Session, workflows: Iterable[str]) -> None:
    """Drop the schedules of workflows that are no longer in the charter."""
    session.connection().execute(delete(Schedule).where(col(Schedule.workflow).not_in(list(workflows))))


def fire(session: Session, firing: Firing) -> bool:
    """Record a firing; False if it was recorded before."""
    return insert_new(session, Firing, firing.model_dump())


def firing_of(session: Session, run_id: str) -> Firing | None:
    """The firing that a run belongs to."""
    return session.exec(select(Firing).where(col(Firing.run_id) == run_id)).first()


_UNFINISHED = (
    select(Run)
    .where(col(Run.workflow) == bindparam("name"), col(Run.parent_id).is_(None), col(Run.state).in_(OPEN))
    .order_by(col(Run.id))
)


def unfinished(session: Session, workflow: str) -> list[Run]:
    """The runs of a workflow that have not come to an end, oldest first."""
    return list(session.execute(_UNFINISHED, {"name": workflow}).scalars())


_OLDEST_QUEUED = (
    select(Firing)
    .where(col(Firing.workflow) == bindparam("name"), col(Firing.state) == QUEUED)
    .order_by(col(Firing.fire_at))
    .limit(1)
    .with_for_update()
)


def oldest_queued(session: Session, workflow: str) -> Firing | None:
    """The firing that has waited longest for its turn, locked."""
    return session.execute(_OLDEST_QUEUED, {"name": workflow}).scalars().first()


def firings(session: Session, workflow: str, limit: int = 20) -> list[Firing]:
    """What became of the latest firings, newest first."""
    rows = session.exec(
        select(Firing).where(col(Firing.workflow) == workflow).order_by(col(Firing.fire_at).desc()).limit(limit)
    )
    return list(rows)


_DONE_BEFORE = (
    select(Run)
    .where(
        col(Run.workflow) == bindparam("name"),
        col(Run.parent_id).is_(None),
        col(Run.state) == DONE,
        col(Run.created_at) < bindparam("before", type_=Moment),
    )
    .order_by(col(Run.created_at).desc())
    .limit(bindparam("most"))
)


def done_before(session: Session, workflow: str, place: Place, before: datetime, limit: int) -> list[Run]:
    """The runs of a workflow for this channel that came to their end, newest first."""
    values = {"name": workflow, "before": before, "most": limit * 4}
    found = session.execute(_DONE_BEFORE, values).scalars()
    return [run for run in found if run.where.lane == place.lane][:limit]


def last_done(session: Session, workflow: str, place: Place, before: datetime) -> Run | None:
    """The latest run of a workflow for this channel that was begun before `before` and came to its end."""
    return next(iter(done_before(session, workflow, place, before, 1)), None)


def last_place(session: Session, workflow: str) -> Place | None:
    """Where the result of the latest run of a workflow goes."""
    run = session.exec(
        select(Run)
        .where(col(Run.workflow) == workflow, col(Run.parent_id).is_(None))
        .order_by(col(Run.created_at).desc())
        .limit(1)
    ).first()
    return run.where if run is not None else None


def want(session: Session, wanted: Wanted) -> None:
    """Ask for a run."""
    session.add(wanted)


def wanted(session: Session) -> list[str]:
    """Ids of what nobody has taken yet, oldest first."""
    open_ = (col(Wanted.run_id).is_(None), col(Wanted.error).is_(None))
    return list(session.exec(select(Wanted.id).where(*open_).order_by(col(Wanted.id)).limit(100)))


def take(session: Session, wanted_id: str) -> Wanted | None:
    """The request, locked; None if another process has taken it."""
    row = session.exec(select(Wanted).where(col(Wanted.id) == wanted_id).with_for_update()).one()
    return row if row.run_id is None and row.error is None else None
