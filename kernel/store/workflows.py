"""What workflows keep beside their runs: alarms of runs that wait, pauses, forms that people fill in, corrections."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment, SqlText
from kernel.store.database import insert_new
from kernel.types import Json

if TYPE_CHECKING:
    from kernel.clock import Ids

OPEN, ANSWERED, EXPIRED, CANCELLED = "open", "answered", "expired", "cancelled"  # states of a form


class Alarm(SQLModel, table=True):
    """When a run that waits is to be looked at again, whatever happens."""

    __tablename__ = "workflow_alarm"

    run_id: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=Moment, index=True)


class Pause(SQLModel, table=True):
    """A workflow that does not begin by itself until somebody resumes it."""

    __tablename__ = "workflow_pause"

    workflow: str = Field(primary_key=True)
    by: str  # Person id
    at: datetime = Field(sa_type=Moment)
    until: datetime | None = Field(default=None, sa_type=Moment)  # it begins again then; None: when somebody resumes it

    def covers(self, fire_at: datetime, now: datetime) -> bool:
        """Whether a firing of that time, dealt with now, is left out."""
        return self.until is None or self.until > now or self.at <= fire_at < self.until


class Snooze(SQLModel, table=True):
    """Somebody who for a while wants none of the digests that a workflow sends to people directly."""

    __tablename__ = "workflow_snooze"

    workflow: str = Field(primary_key=True)
    person: str = Field(primary_key=True)  # Person id
    until: datetime = Field(sa_type=Moment)


class WorkflowDraft(SQLModel, table=True):
    """A workflow file that somebody had drafted. Never changed: the reference follows from the text."""

    __tablename__ = "workflow_draft"

    ref: str = Field(primary_key=True)  # "WD-7F3K9Q"
    name: str
    text: str = Field(sa_type=SqlText)
    by: str  # Person id
    run_ref: str
    at: datetime = Field(sa_type=Moment)


class FormRequest(SQLModel, table=True):
    """A form that a step asks people to fill in. open -> answered | expired | cancelled."""

    __tablename__ = "workflow_form"

    id: str = Field(primary_key=True)
    ref: str = Field(unique=True)  # "F-7F3K"
    run_id: str = Field(index=True)
    workflow: str
    question: str
    who: Json = Field(sa_type=JsonText)  # roles; one of them may answer
    fields: Json = Field(sa_type=JsonText)
    state: str = OPEN
    answer: Json = Field(default=None, sa_type=JsonText, nullable=True)  # field -> value
    by: str | None = None  # Person id
    by_name: str | None = None
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    decided_at: datetime | None = Field(default=None, sa_type=Moment)


class Correction(SQLModel, table=True):
    """What a person said about the output of a run; later runs of the workflow are given it."""

    __tablename__ = "workflow_correction"

    id: str = Field(primary_key=True)
    workflow: str = Field(index=True)
    run_ref: str  # of the run whose output was corrected
    text: str
    by: str  # Person id
    by_name: str
    at: datetime = Field(sa_type=Moment)
    withdrawn_at: datetime | None = Field(default=None, sa_type=Moment)


# -- alarms -------------------------------------------------------------------------------------------------------


def set_alarm(session: Session, run_id: str, due_at: datetime | None) -> None:
    """The run is to be looked at then; None: only when what it waits for has ended."""
    session.connection().execute(delete(Alarm).where(col(Alarm.run_id) == run_id))
    if due_at is not None:
        insert_new(session, Alarm, {"run_id": run_id, "due_at": due_at})


def due_alarms(session: Session, now: datetime, limit: int = 200) -> list[str]:
    """Runs whose alarm is due, oldest first."""
    statement = select(Alarm.run_id).where(col(Alarm.due_at) <= now).order_by(col(Alarm.due_at)).limit(limit)
    return list(session.exec(statement))


def take_alarm(session: Session, run_id: str) -> bool:
    """Claim the alarm; False if another process has."""
    done = session.connection().execute(delete(Alarm).where(col(Alarm.run_id) == run_id))
    return bool(done.rowcount)


# -- pauses -------------------------------------------------------------------------------------------------------


def paused(session: Session, now: datetime) -> dict[str, Pause]:
    """The workflows that are paused."""
    lasting = col(Pause.until).is_(None) | (col(Pause.until) > now)
    return {row.workflow: row for row in session.exec(select(Pause).where(lasting))}


def pause_of(session: Session, workflow: str) -> Pause | None:
    """The pause of the workflow, or one that is over and was not forgotten yet."""
    return session.get(Pause, workflow)


def pause(session: Session, workflow: str, by: str, now: datetime, until: datetime | None = None) -> bool:
    """Pause it, until then if that is said; False if it is paused already."""
    over = (col(Pause.workflow) == workflow, col(Pause.until).is_not(None), col(Pause.until) <= now)
    session.connection().execute(delete(Pause).where(*over))
    return insert_new(session, Pause, {"workflow": workflow, "by": by, "at": now, "until": until})


def resume(session: Session, workflow: str) -> bool:
    """Let it begin by itself again; False if it was not paused."""
    return bool(session.connection().execute(delete(Pause).where(col(Pause.workflow) == workflow)).rowcount)


def snooze(session: Session, workflow: str, person: str, until: datetime) -> None:
    """Have the person sent none of its digests that are due before then."""
    session.merge(Snooze(workflow=workflow, person=person, until=until))


def snoozed(session: Session, workflow: str) -> dict[str, datetime]:
    """Person -> until when they want none."""
    rows = session.exec(select(Snooze).where(col(Snooze.workflow) == workflow))
    return {row.person: row.until for row in rows}


# -- forms --------------------------------------------------------------------------------------------------------


def open_form(session: Session, form: FormRequest, ids: Ids) -> FormRequest:
    """Write a form under a free reference; the one that is there where it was written before."""
    known = session.get(FormRequest, form.id)
    if known is not None:
        return known
    for length in (4, 4, 5, 6, 8, 12):
        form.ref = f"F-{ids.short(length)}"
        if session.exec(select(FormRequest.id).where(col(FormRequest.ref) == form.ref)).first() is None:
            break
    insert_new(session, FormRequest, form.model_dump())
    return form


def form_by_ref(session: Session, ref: str) -> FormRequest | None:
    """The form that people know as `ref`."""
    return session.exec(select(FormRequest).where(col(FormRequest.ref) == ref.upper())).first()


def form(session: Session, form_id: str) -> FormRequest | None:
    """The form with this id."""
    return session.get(FormRequest, form_id)


def open_forms(session: Session) -> list[FormRequest]:
    """Forms that wait for an answer, oldest first."""
    return list(session.exec(select(FormRequest).where(col(FormRequest.state) == OPEN).order_by(col(FormRequest.id))))


def close_form(session: Session, form_id: str, state: str, now: datetime, **values: Json) -> bool:
    """Move an open form on; False if somebody was first."""
    done = session.connection().execute(
        update(FormRequest)
        .where(col(FormRequest.id) == form_id, col(FormRequest.state) == OPEN)
        .values(state=state, decided_at=now, **values)
    )
    session.expire_all()
    return bool(done.rowcount)


# -- drafts -------------------------------------------------------------------------------------------------------


def keep_draft(session: Session, draft: WorkflowDraft) -> None:
    """Keep a draft; the one that is there where it was kept before."""
    insert_new(session, WorkflowDraft, draft.model_dump())


def draft(session: Session, ref: str) -> WorkflowDraft | None:
    """The draft that people know as `ref`."""
    return session.get(WorkflowDraft, ref.upper())


# -- corrections --------------------------------------------------------------------------------------------------


def correct(session: Session, correction: Correction) -> None:
    """Keep a correction."""
    session.add(correction)


def withdraw_correction(session: Session, correction_id: str, now: datetime) -> bool:
    """It is not given to later runs any more; False if it was not in force."""
    done = session.connection().execute(
        update(Correction)
        .where(col(Correction.id) == correction_id, col(Correction.withdrawn_at).is_(None))
        .values(withdrawn_at=now)
    )
    session.expire_all()
    return bool(done.rowcount)


def corrections(session: Session, workflow: str, limit: int = 20) -> list[Correction]:
    """The corrections in force, oldest first; the newest `limit` of them."""
    rows = session.exec(
        select(Correction)
        .where(col(Correction.workflow) == workflow, col(Correction.withdrawn_at).is_(None))
        .order_by(col(Correction.id).desc())
        .limit(limit)
    )
    return list(rows)[::-1]
