"""Rules that ask and let calls of one kind through, because people have agreed often enough; and those calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import literal, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.approvals import REJECTED, Approval
from kernel.store.attempts import Undone
from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.types import Json

REVIEW = "review-"  # before the id of a call: under which the question about it stands in the place of a call
PROPOSAL = "promotion-"  # the same before the id of a promotion
PROPOSED, ACTIVE, DECLINED, ENDED = "proposed", "active", "declined", "ended"


class Promotion(SQLModel, table=True):
    """proposed -> active -> ended, or proposed -> declined."""

    __tablename__ = "promotion"

    id: str = Field(primary_key=True)
    rule: str = Field(index=True)  # id
    agent: str
    tool: str
    scope: str  # canonical JSON of the arguments that have to be the same; "{}": all calls of agent and tool
    fingerprint: str  # digest of rule, tool schema and agent: what it was agreed for
    state: str = PROPOSED
    evidence: Json = Field(sa_type=JsonText)  # on the day of the proposal
    proposed_at: datetime = Field(sa_type=Moment)
    promoted_at: datetime | None = Field(default=None, sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    reason: str = ""  # why it was declined or has ended


class PromotedCall(SQLModel, table=True):
    """A call that went through by a promotion."""

    __tablename__ = "promoted_call"

    call_id: str = Field(primary_key=True)
    promotion_id: str = Field(index=True)
    reviewed: bool = False  # people are asked afterwards whether it was right
    at: datetime = Field(sa_type=Moment)


def add(session: Session, row: Promotion) -> bool:
    """Write a proposal; False if it is there already."""
    return insert_new(session, Promotion, row.model_dump())


def newest(session: Session, rule: str, agent: str, tool: str, scope: str) -> Promotion | None:
    """The last promotion of these calls, whatever became of it."""
    return session.exec(
        select(Promotion)
        .where(
            col(Promotion.rule) == rule,
            col(Promotion.agent) == agent,
            col(Promotion.tool) == tool,
            col(Promotion.scope) == scope,
        )
        .order_by(col(Promotion.proposed_at).desc(), col(Promotion.id).desc())
        .limit(1)
    ).first()


def listing(session: Session, *states: str) -> list[Promotion]:
    """The promotions in one of the states, oldest first."""
    statement = select(Promotion).where(col(Promotion.state).in_(states))
    return list(session.exec(statement.order_by(col(Promotion.proposed_at), col(Promotion.id))))


def move(session: Session, promotion_id: str, from_state: str, to_state: str, **values: object) -> bool:
    """Compare-and-set on the state; False if somebody was first."""
    session.flush()
    changed = session.connection().execute(
        update(Promotion)
        .where(col(Promotion.id) == promotion_id, col(Promotion.state) == from_state)
        .values(state=to_state, **values)
    )
    session.expire_all()
    return changed.rowcount == 1


def add_call(session: Session, row: PromotedCall) -> bool:
    """Note a call that went through; False if it is noted already."""
    return insert_new(session, PromotedCall, row.model_dump())


def calls_of(session: Session, promotion_id: str) -> list[PromotedCall]:
    """The calls that went through by a promotion."""
    return list(session.exec(select(PromotedCall).where(col(PromotedCall.promotion_id) == promotion_id)))


def was_undone(session: Session, promotion_id: str) -> bool:
    """Whether a call that went through by it was taken back."""
    statement = select(PromotedCall.call_id).join(Undone, col(Undone.call_id) == col(PromotedCall.call_id))
    return session.exec(statement.where(col(PromotedCall.promotion_id) == promotion_id).limit(1)).first() is not None


def is_about(call_id: str) -> bool:
    """Whether what stands in the place of a call is a question about a promotion, for which no run waits."""
    return call_id.startswith((PROPOSAL, REVIEW))


def was_rejected(session: Session, promotion_id: str) -> bool:
    """Whether people who looked at such a call afterwards said that it was wrong."""
    about = literal(REVIEW) + col(PromotedCall.call_id)
    statement = select(PromotedCall.call_id).join(Approval, col(Approval.call_id) == about)
    mine = statement.where(col(PromotedCall.promotion_id) == promotion_id, col(PromotedCall.reviewed).is_(True))
    return session.exec(mine.where(col(Approval.state) == REJECTED).limit(1)).first() is not None
