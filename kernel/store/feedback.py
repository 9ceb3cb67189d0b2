"""What people say of answers: whether one helped them, and what was wrong with it. Of each person their last word."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Index, delete, update
from sqlalchemy import select as columns
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.activity import of_runs
from kernel.store.columns import Moment
from kernel.store.database import insert_new
from kernel.store.runs import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from sqlalchemy import Select

    from kernel.types import Place

MOST = 5000  # rows that are looked at
T = TypeVar("T")


class Feedback(SQLModel, table=True):
    """What one person says of the answer of one run."""

    __tablename__ = "feedback"
    __table_args__ = (Index("feedback_lately", "at"),)

    run_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)  # Person id when it was said; who has linked accounts since may have two
    helpful: bool
    reason: str = ""  # what was wrong, in their words
    at: datetime = Field(sa_type=Moment)


Said = tuple[Run, Feedback]  # an answer, and what somebody said of it


def of_person(session: Session, run_id: str, is_them: Callable[[str], bool]) -> Feedback | None:
    """What this human said last of the answer, under whichever of their ids."""
    return max((row for row in of_run(session, run_id) if is_them(row.person)), key=_when, default=None)


def say(session: Session, said: Feedback, is_them: Callable[[str], bool]) -> None:
    """Keep it in place of everything that this human said of the answer before."""
    withdraw(session, said.run_id, lambda person: person != said.person and is_them(person))
    values = said.model_dump()
    if not insert_new(session, Feedback, values):
        mine = (col(Feedback.run_id) == said.run_id, col(Feedback.person) == said.person)
        session.connection().execute(update(Feedback).where(*mine).values(**values))


def withdraw(session: Session, run_id: str, is_them: Callable[[str], bool]) -> bool:
    """Forget what this human said of the answer; False if that was nothing."""
    ids = [row.person for row in of_run(session, run_id) if is_them(row.person)]
    if ids:
        mine = (col(Feedback.run_id) == run_id, col(Feedback.person).in_(ids))
        session.connection().execute(delete(Feedback).where(*mine))
        session.expire_all()
    return bool(ids)


def of_run(session: Session, run_id: str) -> list[Feedback]:
    """All that was said of the answer of one run, newest first."""
    rows = select(Feedback).where(col(Feedback.run_id) == run_id)
    return list(session.exec(rows.order_by(col(Feedback.at).desc(), col(Feedback.person))))


def of_refs(session: Session, refs: Collection[str]) -> list[tuple[str, Feedback]]:
    """What was said of the answers of these runs, oldest first, each with the run's reference."""
    rows = select(Run.ref, Feedback).join(Run, col(Feedback.run_id) == col(Run.id)).where(col(Run.ref).in_(refs))
    return list(session.exec(rows.order_by(col(Feedback.at), col(Feedback.person))))


def lately(
    session: Session, since: datetime, until: datetime, principal: Callable[[str], str], limit: int = MOST
) -> list[Said]:
    """What was said in (since, until], newest first: of each human the last word about each answer."""
    rows = _said(since, until).limit(limit)
    return _pairs(session.execute(rows), principal)


def in_channel(
    session: Session, place: Place, since: datetime, until: datetime, principal: Callable[[str], str]
) -> list[Said]:
    """The same of the answers in one channel."""
    rows = of_runs(session, _said(since, until), place, MOST)
    return _pairs(rows, principal)


def _said(since: datetime, until: datetime) -> Select[Feedback, Run]:
    return (
        columns(Feedback, Run)
        .join(Run, col(Feedback.run_id) == col(Run.id))
        .where(col(Feedback.at) > since, col(Feedback.at) <= until)
        .order_by(col(Feedback.at).desc(), col(Feedback.run_id), col(Feedback.person))
    )


def _pairs(rows: Iterable[Any], principal: Callable[[str], str]) -> list[Said]:
    return _last_words(((said.run_id, said.person, (run, said)) for said, run in rows), principal)


def _last_words(newest_first: Iterable[tuple[str, str, T]], principal: Callable[[str], str]) -> list[T]:
    """Of (run, person, what is known of their word): what is known of each human's last word about each answer."""
    last: dict[tuple[str, str], T] = {}
    for run_id, person, known in newest_first:
        last.setdefault((run_id, principal(person)), known)
    return list(last.values())


def helped(session: Session, since: datetime, principal: Callable[[str], str]) -> dict[str, tuple[int, int]]:
    """Agent -> how many of the opinions since then say that its answer helped, and how many there are."""
    rows = (
        columns(col(Run.agent), col(Feedback.run_id), col(Feedback.person), col(Feedback.helpful))
        .join(Run, col(Feedback.run_id) == col(Run.id))
        .where(col(Feedback.at) > since)
        .order_by(col(Feedback.at).desc(), col(Feedback.person))
        .limit(MOST)
    )
    words = ((run_id, person, (agent, helpful)) for agent, run_id, person, helpful in session.execute(rows))
    found: dict[str, tuple[int, int]] = {}
    for agent, helpful in _last_words(words, principal):
        good, all_ = found.get(agent, (0, 0))
        found[agent] = (good + helpful, all_ + 1)
    return found


def _when(row: Feedback) -> tuple[datetime, str]:
    return row.at, row.person
