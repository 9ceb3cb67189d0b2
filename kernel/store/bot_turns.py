"""When other bots were answered, so that two bots that answer each other come to an end, also across a restart."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Index, delete, func
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import Moment


class BotTurn(SQLModel, table=True):
    """A message of a bot that was answered, or the first one that was not."""

    __tablename__ = "bot_turn"
    __table_args__ = (Index("bot_turn_of", "bot", "at"),)

    id: str = Field(primary_key=True)
    bot: str  # Actor.account
    thread: str  # the place's lane and thread
    refused: bool = False
    at: datetime = Field(sa_type=Moment)


def answered(session: Session, bot: str, since: datetime, thread: str | None = None) -> int:
    """How many messages of the bot were answered after `since`, in that thread or everywhere."""
    query = select(func.count()).select_from(BotTurn).where(*_of(bot, since), col(BotTurn.refused).is_(False))
    return session.exec(query if thread is None else query.where(col(BotTurn.thread) == thread)).one()


def refused(session: Session, bot: str, since: datetime) -> bool:
    """Whether the bot was told no more after `since`."""
    query = select(BotTurn.id).where(*_of(bot, since), col(BotTurn.refused).is_(True))
    return session.exec(query.limit(1)).first() is not None


def note(session: Session, turn: BotTurn, *, forget: datetime) -> None:
    """Remember it, and nothing of the bot from before `forget`."""
    session.connection().execute(delete(BotTurn).where(col(BotTurn.bot) == turn.bot, col(BotTurn.at) <= forget))
    session.add(turn)


def _of(bot: str, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(BotTurn.bot) == bot, col(BotTurn.at) > since
