"""What happened in one channel: runs and decisions of its conversations and of no others. Queries only, no table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from kernel.store.approvals import PENDING, Approval
from kernel.store.runs import FINAL, Conversation, Run

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from kernel.types import Place


def _in_channel(place: Place) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Conversation.platform) == place.platform,
        col(Conversation.tenant) == place.tenant,
        col(Conversation.channel) == place.channel,
    )


def ended(session: Session, place: Place, since: datetime, until: datetime, limit: int = 200) -> list[Run]:
    """Runs of the channel's conversations that ended in (since, until], oldest first."""
    return list(
        session.exec(
            select(Run)
            .join(Conversation, col(Run.conversation_id) == col(Conversation.id))
            .where(
                *_in_channel(place),
                col(Run.state).in_(FINAL),
                col(Run.updated_at) > since,
                col(Run.updated_at) <= until,
            )
            .order_by(col(Run.id))
            .limit(limit)
        )
    )


def unfinished(session: Session, place: Place, limit: int = 200) -> list[Run]:
    """Runs of the channel's conversations that are still going on or wait, oldest first."""
    return list(
        session.exec(
            select(Run)
            .join(Conversation, col(Run.conversation_id) == col(Conversation.id))
            .where(*_in_channel(place), col(Run.state).not_in(FINAL))
            .order_by(col(Run.id))
            .limit(limit)
        )
    )


def decided(session: Session, place: Place, since: datetime, until: datetime, limit: int = 200) -> list[Approval]:
    """Approvals of the channel's runs that were decided, or ran out, in (since, until], oldest first."""
    return list(
        session.exec(
            select(Approval)
            .join(Run, col(Approval.run_id) == col(Run.id))
            .join(Conversation, col(Run.conversation_id) == col(Conversation.id))
            .where(
                *_in_channel(place),
                col(Approval.state) != PENDING,
                col(Approval.decided_at) > since,
                col(Approval.decided_at) <= until,
            )
            .order_by(col(Approval.decided_at))
            .limit(limit)
        )
    )


def undecided(session: Session, place: Place, limit: int = 200) -> list[Approval]:
    """Approvals of the channel's runs that wait for people, oldest first."""
    return list(
        session.exec(
            select(Approval)
            .join(Run, col(Approval.run_id) == col(Run.id))
            .join(Conversation, col(Run.conversation_id) == col(Conversation.id))
            .where(*_in_channel(place), col(Approval.state) == PENDING)
            .order_by(col(Approval.id))
            .limit(limit)
        )
    )
