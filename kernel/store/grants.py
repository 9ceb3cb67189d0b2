"""Standing permissions: what may be done without asking, how often and until when, and who gave it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Index, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment
from kernel.types import Json

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

ACTIVE, REVOKED = "active", "revoked"


class Grant(SQLModel, table=True):
    """A standing, scoped, expiring permission. Used up when `used` is `calls`; nothing of it changes but that."""

    __tablename__ = "standing_grant"
    __table_args__ = (Index("grant_of_tool", "tool", "agent", "state"),)

    id: str = Field(primary_key=True)
    ref: str = Field(unique=True)  # "G-7F3K"
    agent: str
    tool: str
    scope: Json = Field(sa_type=JsonText)  # argument -> {"is": value} or {"at_most": number}; others are free
    policy: Json = Field(sa_type=JsonText)  # what the people who gave it satisfied
    givers: Json = Field(sa_type=JsonText)  # [{"id", "name", "groups", "seat"}] who approved it
    headline: str  # of the call that it was given with
    approval: str  # reference of the approval that it was given with
    calls: int  # at most
    used: int = 0
    expires_at: datetime = Field(sa_type=Moment)
    state: str = ACTIVE
    created_at: datetime = Field(sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_by: str = ""  # name


def _holds(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What is true of a grant that still holds."""
    return col(Grant.state) == ACTIVE, col(Grant.expires_at) > now, col(Grant.used) < col(Grant.calls)


def of_tool(session: Session, agent: str, tool: str, now: datetime) -> list[Grant]:
    """What an agent may do with a tool by a grant that still holds, the one that ends first before the others."""
    return list(
        session.exec(
            select(Grant)
            .where(col(Grant.tool) == tool, col(Grant.agent) == agent, *_holds(now))
            .order_by(col(Grant.expires_at), col(Grant.id))
        )
    )


def use(session: Session, grant_id: str, now: datetime) -> int | None:
    """Count one call by compare-and-set; how many it has been with this one, None if the grant no longer holds."""
    found: int | None = (
        session.connection()
        .execute(
            update(Grant)
            .where(col(Grant.id) == grant_id, *_holds(now))
            .values(used=col(Grant.used) + 1)
            .returning(col(Grant.used))
        )
        .scalar()
    )
    return found


def revoke(session: Session, ref: str, by: str, now: datetime) -> bool:
    """End a grant; False if it was over."""
    changed = session.connection().execute(
        update(Grant).where(col(Grant.ref) == ref, *_holds(now)).values(state=REVOKED, revoked_at=now, revoked_by=by)
    )
    return changed.rowcount == 1


def by_ref(session: Session, ref: str) -> Grant | None:
    """The grant that people know as `ref`, any case."""
    return session.exec(select(Grant).where(col(Grant.ref) == ref.upper())).first()


def listing(session: Session, now: datetime, *, over: bool = False, limit: int = 100) -> list[Grant]:
    """Grants that hold, newest first; with `over` also those that have ended."""
    statement = select(Grant).order_by(col(Grant.id).desc()).limit(limit)
    if not over:
        statement = statement.where(*_holds(now))
    return list(session.exec(statement))


def add(session: Session, row: Grant) -> None:
    """Write a new grant."""
    session.add(row)
    session.flush()
