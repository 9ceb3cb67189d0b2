"""Approvals and the votes on them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.types import Json

PENDING, APPROVED, REJECTED, EXPIRED, WITHDRAWN, CONSUMED = (
    "pending",
    "approved",
    "rejected",
    "expired",
    "withdrawn",
    "consumed",
)


class Approval(SQLModel, table=True):
    """The request for a human decision on one exact call.

    pending -> approved -> consumed, or pending -> rejected | expired | withdrawn. An edit raises `revision`.
    """

    __tablename__ = "approval"
    __table_args__ = (Index("approval_due", "state", "expires_at"),)

    id: str = Field(primary_key=True)
    ref: str = Field(unique=True)  # "AP-7F3K"
    call_id: str = Field(index=True)
    run_id: str = Field(index=True)
    kind: str = "call"  # "call", or "unknown" for a call whose outcome nobody knows
    agent: str
    tool: str
    requester: str  # Person.id
    revision: int = 1
    arguments: Json = Field(sa_type=JsonText)
    digest: str
    origins: Json = Field(sa_type=JsonText)
    preview: Json = Field(sa_type=JsonText)  # headline, facts, payloads of the card
    policy: Json = Field(sa_type=JsonText)  # who, need, not_requester, confirm, edit, if_nobody_answers, where
    rules: Json = Field(sa_type=JsonText)  # ids of the deciding rules, with the version of the rule set
    reason: str  # why it is asked, one sentence
    state: str = PENDING
    outcome: Json = Field(default=None, sa_type=JsonText, nullable=True)  # who decided, reason, edited by, executed at
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    decided_at: datetime | None = Field(default=None, sa_type=Moment)


class Vote(SQLModel, table=True):
    """One principal's answer to one revision."""

    __tablename__ = "vote"

    approval_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    principal: str = Field(primary_key=True)
    verb: str  # "approve", "reject"
    reason: str = ""
    account: str = ""  # the account that was used
    at: datetime = Field(sa_type=Moment)


def by_ref(session: Session, ref: str, *, lock: bool = False) -> Approval | None:
    """The approval that people know as `ref`, any case; `lock` holds the row until the transaction ends."""
    statement = select(Approval).where(col(Approval.ref) == ref.upper())
    return session.exec(statement.with_for_update() if lock else statement).first()


def of_call(session: Session, call_id: str) -> Approval | None:
    """The newest approval of a call."""
    return session.exec(
        select(Approval).where(col(Approval.call_id) == call_id).order_by(col(Approval.id).desc()).limit(1)
    ).first()


def of_run(session: Session, run_id: str) -> list[Approval]:
    """All approvals of a run, oldest first."""
    return list(session.exec(select(Approval).where(col(Approval.run_id) == run_id).order_by(col(Approval.id))))


def pending(session: Session, limit: int = 200) -> list[Approval]:
    """What waits for people, oldest first."""
    return list(
        session.exec(select(Approval).where(col(Approval.state) == PENDING).order_by(col(Approval.id)).limit(limit))
    )


def decided(session: Session, limit: int) -> list[Approval]:
    """What is no longer pending, the latest first."""
    return list(
        session.exec(
            select(Approval)
            .where(col(Approval.state) != PENDING)
            .order_by(col(Approval.decided_at).desc(), col(Approval.id).desc())
            .limit(limit)
        )
    )


def overdue(session: Session, now: datetime, limit: int = 100) -> list[Approval]:
    """Pending approvals whose time is up."""
    return list(
        session.exec(
            select(Approval)
            .where(col(Approval.state) == PENDING, col(Approval.expires_at) <= now)
            .order_by(col(Approval.id))
            .limit(limit)
        )
    )


def next_expiry(session: Session) -> datetime | None:
    """When the next pending approval expires."""
    return session.exec(
        select(col(Approval.expires_at))
        .where(col(Approval.state) == PENDING, col(Approval.expires_at).is_not(None))
        .order_by(col(Approval.expires_at))
        .limit(1)
    ).first()


def votes(session: Session, approval_id: str, revision: int) -> list[Vote]:
    """The votes on a revision, in the order in which they were cast."""
    return list(
        session.exec(
            select(Vote)
            .where(col(Vote.approval_id) == approval_id, col(Vote.revision) == revision)
            .order_by(col(Vote.at))
        )
    )


def add_vote(session: Session, row: Approval, now: datetime, **vote: str) -> bool:
    """Record a vote (principal, verb, reason, account) on the current revision; False if the principal has voted."""
    return insert_new(session, Vote, {"approval_id": row.id, "revision": row.revision, "at": now, **vote})


def move(session: Session, approval_id: str, revision: int, from_state: str, to_state: str, **values: object) -> bool:
    """Compare-and-set on (id, revision, state); False if somebody was first."""
    session.flush()  # or what was changed and not written yet would be forgotten below
    changed = session.connection().execute(
        update(Approval)
        .where(col(Approval.id) == approval_id, col(Approval.revision) == revision, col(Approval.state) == from_state)
        .values(state=to_state, **values)
    )
    session.expire_all()
    return changed.rowcount == 1
