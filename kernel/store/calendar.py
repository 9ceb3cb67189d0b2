"""The local calendars: the events of an installation that has no CalDAV server."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, Session, SQLModel, col, or_, select

from kernel.store.columns import Moment

ORIGIN = "X-BOSUN-ORIGIN"  # in the text of an event: label of the run that made it


class CalendarEvent(SQLModel, table=True):
    """An event, with all its recurrences, as iCalendar text."""

    __tablename__ = "calendar_event"

    uid: str = Field(primary_key=True)
    calendar: str = Field(primary_key=True)  # Person id, or "team"
    ics: str = Field(sa_type=Text)  # RFC 5545
    starts_at: datetime = Field(sa_type=Moment, index=True)  # the first time
    ends_at: datetime | None = Field(default=None, sa_type=Moment, nullable=True)  # None: it recurs
    changed_at: datetime = Field(sa_type=Moment)


def between(session: Session, calendar: str, start: datetime, end: datetime) -> list[CalendarEvent]:
    """Events that may touch the time from `start` to `end`; of the recurring ones all that have begun."""
    return list(
        session.exec(
            select(CalendarEvent)
            .where(
                col(CalendarEvent.calendar) == calendar,
                col(CalendarEvent.starts_at) < end,
                or_(col(CalendarEvent.ends_at).is_(None), col(CalendarEvent.ends_at) > start),
            )
            .order_by(col(CalendarEvent.starts_at), col(CalendarEvent.uid))
        )
    )


def get(session: Session, calendar: str, uid: str) -> CalendarEvent | None:
    """The event."""
    return session.get(CalendarEvent, (uid, calendar))


def put(session: Session, event: CalendarEvent) -> None:
    """Store an event, in place of the one with its uid."""
    session.merge(event)


def remove(session: Session, calendar: str, uid: str) -> bool:
    """Delete an event; False if there is none."""
    found = get(session, calendar, uid)
    if found is None:
        return False
    session.delete(found)
    return True


def every(session: Session, calendar: str) -> list[CalendarEvent]:
    """All events of a calendar."""
    return list(session.exec(select(CalendarEvent).where(col(CalendarEvent.calendar) == calendar)))
