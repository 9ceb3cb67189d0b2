"""Polls that agents open in a channel, and the votes of people."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.types import Json


class Poll(SQLModel, table=True):
    """A question with a few answers, one of which each person chooses."""

    __tablename__ = "poll"

    id: str = Field(primary_key=True)  # the call that opened it
    ref: str = Field(unique=True)  # "V-7F3K"
    question: str
    options: Json = Field(sa_type=JsonText)  # list of texts
    place: Json = Field(sa_type=JsonText)
    requester: str  # Person id
    run_ref: str
    created_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment, nullable=True)


class PollVote(SQLModel, table=True):
    """What a person chose; their last choice counts."""

    __tablename__ = "poll_vote"

    poll_id: str = Field(primary_key=True)
    person: str = Field(primary_key=True)  # Person id: one human, one vote, whatever accounts they use
    choice: int  # index of the option
    voted_at: datetime = Field(sa_type=Moment)


def add(session: Session, poll: Poll) -> bool:
    """Open a poll; False if its call has opened one or its ref is taken."""
    return insert_new(session, Poll, poll.model_dump())


def by_id(session: Session, poll_id: str) -> Poll | None:
    """The poll that this call opened."""
    return session.get(Poll, poll_id)


def by_ref(session: Session, ref: str) -> Poll | None:
    """The poll with this ref."""
    return session.exec(select(Poll).where(col(Poll.ref) == ref)).first()


def vote(session: Session, vote: PollVote) -> None:
    """Count the person's choice, in place of an earlier one."""
    session.merge(vote)


def votes(session: Session, poll_id: str) -> list[PollVote]:
    """All votes of a poll, by person."""
    return list(session.exec(select(PollVote).where(col(PollVote.poll_id) == poll_id).order_by(col(PollVote.person))))
