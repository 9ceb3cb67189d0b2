"""What happened in one channel: runs and decisions of its conversations and workflows, of no others. Queries only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from kernel.store.approvals import PENDING, Approval
from kernel.store.runs import FAILED, FINAL, Conversation, Run
from kernel.types import Place

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select


def in_channel(place: Place) -> tuple[ColumnElement[bool], ...]:
    """The condition that a conversation is in this channel."""
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
                *in_channel(place),
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
            .where(*in_channel(place), col(Run.state).not_in(FINAL))
            .order_by(col(Run.id))
            .limit(limit)
        )
    )


def of_runs(session: Session, rows: Select[*tuple[Any, ...]], place: Place, limit: int) -> list[tuple[Any, ...]]:
    """Those of `rows`, which are joined to their runs, that are of this channel: at most `limit` of its conversations,
    then those of workflows that run there unattended, each in the order of `rows`."""
    asked = rows.join(Conversation, col(Run.conversation_id) == col(Conversation.id)).where(*in_channel(place))
    unattended = rows.add_columns(col(Run.place)).where(col(Run.conversation_id).is_(None))
    there = [row[:-1] for row in session.execute(unattended) if Place.model_validate(row[-1]).lane == place.lane]
    return [*map(tuple, session.execute(asked.limit(limit))), *there]


def decided(session: Session, place: Place, since: datetime, until: datetime, limit: int = 200) -> list[Approval]:
    """Approvals of the channel's runs, workflows among them, that were decided, or ran out, in (since, until].

    Oldest first.
    """
    when = (
        col(Approval.state) != PENDING,
        col(Approval.decided_at) > since,
        col(Approval.decided_at) <= until,
    )
    rows = columns(Approval).join(Run, col(Approval.run_id) == col(Run.id)).where(*when)
    found = [row[0] for row in of_runs(session, rows.order_by(col(Approval.decided_at)), place, limit)]
    return sorted(found, key=lambda row: (row.decided_at or since, row.id))[:limit]


def undecided(session: Session, place: Place, limit: int = 200) -> list[Approval]:
    """Approvals of the channel's runs that wait for people, oldest first."""
    return list(
        session.exec(
            select(Approval)
            .join(Run, col(Approval.run_id) == col(Run.id))
            .join(Conversation, col(Run.conversation_id) == col(Conversation.id))
            .where(*in_channel(place), col(Approval.state) == PENDING)
            .order_by(col(Approval.id))
            .limit(limit)
        )
    )


def undecided_of(session: Session, run_id: str) -> list[Approval]:
    """Approvals of a workflow's run, and of the agents' runs in it, that wait for people."""
    return list(
        session.exec(
            select(Approval)
            .join(Run, col(Approval.run_id) == col(Run.id))
            .where((col(Run.id) == run_id) | (col(Run.parent_id) == run_id), col(Approval.state) == PENDING)
            .order_by(col(Approval.id))
        )
    )


def workflows_open(session: Session, limit: int = 500) -> list[Run]:
    """Runs of workflows that have not come to their end, oldest first."""
    return list(
        session.exec(
            select(Run)
            .where(col(Run.workflow).is_not(None), col(Run.parent_id).is_(None), col(Run.state).not_in(FINAL))
            .order_by(col(Run.id))
            .limit(limit)
        )
    )


def workflows_failed(session: Session, since: datetime, until: datetime, limit: int = 200) -> list[Run]:
    """Runs of workflows that failed in (since, until], oldest first."""
    return list(
        session.exec(
            select(Run)
            .where(
                col(Run.workflow).is_not(None),
                col(Run.parent_id).is_(None),
                col(Run.state) == FAILED,
                col(Run.updated_at) > since,
                col(Run.updated_at) <= until,
            )
            .order_by(col(Run.id))
            .limit(limit)
        )
    )


def cost(session: Session, place: Place, since: datetime, until: datetime) -> float:
    """USD for models of the channel's runs that ended in (since, until]."""
    total = session.exec(
        select(func.sum(col(Run.cost_usd)))
        .join(Conversation, col(Run.conversation_id) == col(Conversation.id))
        .where(*in_channel(place), col(Run.state).in_(FINAL), col(Run.updated_at) > since, col(Run.updated_at) <= until)
    ).one()
    return float(total or 0.0)
