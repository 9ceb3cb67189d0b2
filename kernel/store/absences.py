"""Who is away until when, and who decides for them meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Field, Session, SQLModel, col, or_, select

from kernel.store.columns import Moment


class Absence(SQLModel, table=True):
    """A person is away. The newest one that is not over counts."""

    __tablename__ = "absence"

    id: str = Field(primary_key=True)
    person: str = Field(index=True)  # Person.id
    delegate: str | None = None  # Person.id; None: nobody decides for them
    until: datetime = Field(sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    created_by: str  # Person.id, or "cli:USER"
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


def current(session: Session, now: datetime) -> list[Absence]:
    """Who is away now, each person once, oldest first."""
    rows = session.exec(
        select(Absence)
        .where(
            col(Absence.until) > now,
            or_(col(Absence.ended_at).is_(None), col(Absence.ended_at) > now),
        )
        .order_by(col(Absence.id))
    )
    return list({row.person: row for row in rows}.values())


def add(session: Session, row: Absence) -> None:
    """The person is away from now on; what was said before is over."""
    end(session, row.person, row.created_at)
    session.add(row)
    session.flush()


def end(session: Session, person: str, now: datetime) -> int:
    """The person is back; returns how many absences that ends."""
    changed = session.connection().execute(
        update(Absence)
        .where(col(Absence.person) == person, col(Absence.ended_at).is_(None), col(Absence.until) > now)
        .values(ended_at=now)
    )
    return changed.rowcount
