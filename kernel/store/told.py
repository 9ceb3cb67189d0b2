"""What was brought before each person about approvals, so that nobody is told too much or twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, update
from sqlmodel import Field, Session, SQLModel, col, func, select

from kernel.store.columns import Moment
from kernel.store.database import insert_new

CARD, REMINDER, DIGEST = "card", "reminder", "digest"


class Told(SQLModel, table=True):
    """One direct message about approvals, or one that was held back and stands in the next digest."""

    __tablename__ = "told"
    __table_args__ = (Index("told_lately", "person", "at"),)

    person: str = Field(primary_key=True)
    about: str = Field(primary_key=True)  # id of the approval; for a digest its day or hour
    kind: str = Field(primary_key=True)  # card, reminder, digest
    number: int = Field(default=0, primary_key=True)  # of the reminder
    at: datetime = Field(sa_type=Moment)
    held: bool = False  # not sent: the person had their share of this hour


def add(  # noqa: PLR0917  one column each
    session: Session, person: str, about: str, kind: str, now: datetime, number: int = 0, held: bool = False
) -> bool:
    """Record it; False if it was recorded before."""
    values = {"person": person, "about": about, "kind": kind, "number": number, "at": now, "held": held}
    return insert_new(session, Told, values)


def sent_since(session: Session, person: str, since: datetime) -> int:
    """How many cards and reminders the person got."""
    counted = select(func.count()).where(
        col(Told.person) == person, col(Told.at) > since, col(Told.held).is_(False), col(Told.kind) != DIGEST
    )
    return session.exec(counted).one()


def last(session: Session, person: str, about: str, kind: str) -> datetime | None:
    """When the person was last told of it."""
    found = select(func.max(col(Told.at))).where(
        col(Told.person) == person, col(Told.about) == about, col(Told.kind) == kind, col(Told.held).is_(False)
    )
    at: int | datetime | None = session.exec(found).one()
    return at if isinstance(at, datetime) or at is None else None


def held(session: Session, before: datetime) -> dict[str, list[str]]:
    """Per person the approvals that were held back before this time."""
    found: dict[str, list[str]] = {}
    rows = session.exec(
        select(Told)
        .where(col(Told.held).is_(True), col(Told.kind) == CARD, col(Told.at) <= before)
        .order_by(col(Told.at), col(Told.about))
    )
    for row in rows:
        found.setdefault(row.person, []).append(row.about)
    return found


def release(session: Session, person: str, about: list[str], now: datetime) -> None:
    """These were told in a digest."""
    session.connection().execute(
        update(Told)
        .where(col(Told.person) == person, col(Told.kind) == CARD, col(Told.about).in_(about))
        .values(held=False, at=now)
    )
