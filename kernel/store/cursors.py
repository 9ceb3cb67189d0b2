"""How far the history of each channel and thread was heard, so that what was said during downtime can be fetched."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from kernel.store.columns import Moment
from kernel.store.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping


class Cursor(SQLModel, table=True):
    """The last message that was heard in a lane, or in one thread of it."""

    __tablename__ = "cursor"

    lane: str = Field(primary_key=True)  # Place.lane
    thread: str = Field(default="", primary_key=True)  # "" is the lane as a whole
    last: str  # the platform's id of the message; ids of one platform sort by time
    heard_at: datetime = Field(sa_type=Moment)


def advance(session: Session, heard: Mapping[tuple[str, str], str], now: datetime) -> None:
    """Move cursors `(lane, thread) -> last message` forward; none ever moves back."""
    if not heard:
        return
    rows = [{"lane": lane, "thread": thread, "last": last, "heard_at": now} for (lane, thread), last in heard.items()]
    _advance(session.get_bind().dialect.name).many(session, rows)


@cache
def _advance(dialect: str) -> Prepared:
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(Cursor)
    return Prepared(
        insert.on_conflict_do_update(
            index_elements=["lane", "thread"],
            set_={"last": insert.excluded.last, "heard_at": insert.excluded.heard_at},
            where=insert.excluded.last > Cursor.last,
        )
    )


def of(session: Session, prefix: str, since: datetime) -> list[tuple[str, str, str]]:
    """(lane, thread, last) of the lanes that begin with `prefix` and of their threads heard since; newest first."""
    rows = session.connection().execute(
        select(col(Cursor.lane), col(Cursor.thread), col(Cursor.last))
        .where(col(Cursor.lane).startswith(prefix, autoescape=True))
        .where((col(Cursor.thread) == "") | (col(Cursor.heard_at) >= since))
        .order_by(col(Cursor.heard_at).desc())
    )
    return [(lane, thread, last) for lane, thread, last in rows]


def forget(session: Session, before: datetime) -> None:
    """Drop the cursors of threads that have been quiet since `before`."""
    session.connection().execute(delete(Cursor).where(col(Cursor.thread) != "", col(Cursor.heard_at) < before))
