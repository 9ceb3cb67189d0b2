"""What has to happen to an approval because time has passed: each a row with its due time, dealt with once.

Expiry is not among them: it stands in the approval itself, because a vote has to see it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import Moment, partial
from kernel.store.database import insert_new

if TYPE_CHECKING:
    from collections.abc import Iterable

INVITE, REMIND, ESCALATE = "invite", "remind", "escalate"


class ApprovalClock(SQLModel, table=True):
    """Something that is due once. Whoever sets `done_at` does it, in the same transaction."""

    __tablename__ = "approval_clock"
    __table_args__ = (partial("approval_clock_due", "due_at", where="done_at IS NULL"),)

    approval_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)  # "remind-0", "escalate-1-0", "invite-0": the same name, the same occasion
    kind: str  # invite, remind, escalate
    due_at: datetime = Field(sa_type=Moment)
    done_at: datetime | None = Field(default=None, sa_type=Moment)


_DONE = (
    update(ApprovalClock)
    .where(
        col(ApprovalClock.approval_id) == bindparam("approval"),
        col(ApprovalClock.name) == bindparam("of_name"),
        col(ApprovalClock.done_at).is_(None),
    )
    .values(done_at=bindparam("now", type_=Moment))
)
_DUE = (
    select(ApprovalClock)
    .where(col(ApprovalClock.done_at).is_(None), col(ApprovalClock.due_at) <= bindparam("now", type_=Moment))
    .order_by(col(ApprovalClock.due_at), col(ApprovalClock.approval_id), col(ApprovalClock.name))
    .limit(bindparam("most"))
)


def add(session: Session, approval_id: str, planned: Iterable[tuple[str, str, datetime]]) -> None:
    """Plan (name, kind, due) of an approval; what has the name already stays as it is."""
    for name, kind, due_at in planned:
        values = {"approval_id": approval_id, "name": name, "kind": kind, "due_at": due_at, "done_at": None}
        insert_new(session, ApprovalClock, dict(values))


def due(session: Session, now: datetime, limit: int = 100) -> list[ApprovalClock]:
    """What is due and not done, the longest overdue first."""
    found = session.execute(_DUE, {"now": now, "most": limit})
    return list(found.scalars())


def claim(session: Session, row: ApprovalClock, now: datetime) -> bool:
    """Compare-and-set: the caller does it, in this transaction. False if somebody was first."""
    changed = session.connection().execute(_DONE, {"approval": row.approval_id, "of_name": row.name, "now": now})
    return changed.rowcount == 1


def put_off(session: Session, row: ApprovalClock, due_at: datetime) -> None:
    """Do it later: what it needs cannot be looked up now."""
    session.connection().execute(
        update(ApprovalClock)
        .where(
            col(ApprovalClock.approval_id) == row.approval_id,
            col(ApprovalClock.name) == row.name,
            col(ApprovalClock.done_at).is_(None),
        )
        .values(due_at=due_at)
    )


def forget(session: Session, approval_id: str) -> None:
    """Drop what is planned and not done: the approval has a new plan."""
    session.connection().execute(
        delete(ApprovalClock).where(col(ApprovalClock.approval_id) == approval_id, col(ApprovalClock.done_at).is_(None))
    )
