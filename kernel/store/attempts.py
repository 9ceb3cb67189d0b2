"""What tools have begun outside that must not be begun twice, and which calls were undone."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.types import Json


class Attempt(SQLModel, table=True):
    """A call that is about to act on a service: committed before it does, so that a repetition knows."""

    __tablename__ = "attempt"

    call_id: str = Field(primary_key=True)
    tool: str
    began_at: datetime = Field(sa_type=Moment)
    outcome: Json = Field(default=None, sa_type=JsonText, nullable=True)  # what the service answered, or the plan


class Undone(SQLModel, table=True):
    """A call whose effect was taken back."""

    __tablename__ = "undone"

    call_id: str = Field(primary_key=True)
    undone_by: str = Field(index=True)  # the call of `undo`
    undone_at: datetime = Field(sa_type=Moment)


def begin(session: Session, call_id: str, tool: str, now: datetime) -> Attempt | None:
    """Note that the call is about to act; the earlier attempt, and nothing changed, where there is one."""
    attempt = Attempt(call_id=call_id, tool=tool, began_at=now)
    if insert_new(session, Attempt, attempt.model_dump()):
        return None
    return session.get_one(Attempt, call_id)


def get(session: Session, call_id: str) -> Attempt | None:
    """What is known of an earlier attempt of the call."""
    return session.get(Attempt, call_id)


def finish(session: Session, call_id: str, outcome: Json) -> None:
    """Keep what came of an attempt."""
    attempt = session.get_one(Attempt, call_id)
    attempt.outcome = outcome
    session.add(attempt)


def forget(session: Session, call_id: str) -> None:
    """The attempt certainly did nothing: it may be made again."""
    attempt = session.get(Attempt, call_id)
    if attempt is not None:
        session.delete(attempt)


def undo(session: Session, call_id: str, by: str, now: datetime) -> bool:
    """Note that the call was taken back; False if it was before."""
    return insert_new(session, Undone, Undone(call_id=call_id, undone_by=by, undone_at=now).model_dump())


def undone(session: Session, call_ids: list[str]) -> dict[str, str]:
    """Those of the calls that were taken back, with the call that did it."""
    found = session.exec(select(Undone).where(col(Undone.call_id).in_(call_ids)))
    return {row.call_id: row.undone_by for row in found}
