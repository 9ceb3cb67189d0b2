"""Approvals and the votes on them.

An approval comes out as a plain value, not as a row of the session, and every statement is built once: loading or
flushing a row, and building a statement, cost more than running it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, bindparam, inspect, select, update
from sqlmodel import Field, Session, SQLModel, col

from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.store.prepared import Prepared
from kernel.types import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    batch: str = Field(default="", index=True)  # "BA-7F3K": shown on one card with others; empty: on a card of its own


class Vote(SQLModel, table=True):
    """One principal's answer to one revision."""

    __tablename__ = "vote"

    approval_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    principal: str = Field(primary_key=True)
    verb: str  # "approve", "reject", "break_glass"; to an unknown outcome "done", "repeat", "give_up"
    reason: str = ""
    account: str = ""  # the account that was used
    seat: str = ""  # Person.id of who is away and for whom it was cast; empty: their own
    at: datetime = Field(sa_type=Moment)


@dataclass(kw_only=True, slots=True)
class ApprovalState:
    """An approval as it was read; the columns mean what they mean in `Approval`. Changing it writes nothing."""

    id: str
    ref: str = ""  # empty until it is written
    call_id: str
    run_id: str
    kind: str = "call"
    agent: str
    tool: str
    requester: str
    revision: int = 1
    arguments: Json
    digest: str
    origins: Json
    preview: Json
    policy: Json
    rules: Json
    reason: str
    state: str = PENDING
    outcome: Json = None
    created_at: datetime
    expires_at: datetime | None = None
    decided_at: datetime | None = None
    batch: str = ""
    parsed: dict[str, tuple[Json, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Of a JSON column: what it held, and the typed value that its owner made of that."""


NAMES = tuple(each.name for each in fields(ApprovalState) if each.init)
_COLUMNS = inspect(Approval).local_table.columns
_ALL = select(*(_COLUMNS[name] for name in NAMES))
_OF_REF, _OF_ID = (_ALL.where(col(key) == bindparam("wanted")) for key in (Approval.ref, Approval.id))
_BY_REF, _BY_REF_LOCKED = Prepared(_OF_REF), Prepared(_OF_REF.with_for_update())
_BY_ID, _BY_ID_LOCKED = Prepared(_OF_ID), Prepared(_OF_ID.with_for_update())
_OF_CALL = Prepared(_ALL.where(col(Approval.call_id) == bindparam("call")).order_by(col(Approval.id).desc()).limit(1))
_OF_RUN = Prepared(_ALL.where(col(Approval.run_id) == bindparam("run")).order_by(col(Approval.id)))
_OF_BATCH = Prepared(_ALL.where(col(Approval.batch) == bindparam("of_batch")).order_by(col(Approval.id)))
_PENDING = Prepared(_ALL.where(col(Approval.state) == PENDING).order_by(col(Approval.id)).limit(bindparam("most")))
_DECIDED = Prepared(
    _ALL.where(col(Approval.state) != PENDING)
    .order_by(col(Approval.decided_at).desc(), col(Approval.id).desc())
    .limit(bindparam("most"))
)
_ABOUT = Prepared(
    _ALL.where(
        col(Approval.agent) == bindparam("of_agent"),
        col(Approval.tool) == bindparam("of_tool"),
        col(Approval.kind) == "call",
        col(Approval.created_at) >= bindparam("since", type_=Moment),
    )
    .order_by(col(Approval.created_at).desc(), col(Approval.id).desc())
    .limit(bindparam("most"))
)
_OVERDUE = Prepared(
    _ALL.where(col(Approval.state) == PENDING, col(Approval.expires_at) <= bindparam("now", type_=Moment))
    .order_by(col(Approval.id))
    .limit(bindparam("most"))
)
_NEXT_EXPIRY = Prepared(
    select(col(Approval.expires_at))
    .where(col(Approval.state) == PENDING, col(Approval.expires_at).is_not(None))
    .order_by(col(Approval.expires_at))
    .limit(1)
)
_VOTES = Prepared(
    select(*inspect(Vote).local_table.columns)
    .where(col(Vote.approval_id) == bindparam("approval"), col(Vote.revision) == bindparam("of_revision"))
    .order_by(col(Vote.at))
)


@cache
def _change(names: tuple[str, ...], *, compared: bool) -> Prepared:
    """Writes the columns; `compared`: only where revision and state are what they are thought to be."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=_COLUMNS[name].type) for name in names}
    statement = update(Approval).where(col(Approval.id) == bindparam("approval")).values(**values)
    if not compared:
        return Prepared(statement)
    known = (col(Approval.revision) == bindparam("known_revision"), col(Approval.state) == bindparam("known_state"))
    return Prepared(statement.where(*known))


def _rows(session: Session, statement: Prepared, values: Mapping[str, object]) -> list[ApprovalState]:
    found = statement.run(session, values)
    return [ApprovalState(**dict(zip(NAMES, row, strict=True))) for row in found]


def _first(session: Session, statement: Prepared, values: Mapping[str, object]) -> ApprovalState | None:
    return next(iter(_rows(session, statement, values)), None)


def by_ref(session: Session, ref: str, *, lock: bool = False) -> ApprovalState | None:
    """The approval that people know as `ref`, any case; `lock` holds the row until the transaction ends."""
    return _first(session, _BY_REF_LOCKED if lock else _BY_REF, {"wanted": ref.upper()})


def by_id(session: Session, approval_id: str, *, lock: bool = False) -> ApprovalState | None:
    """The approval with this id; `lock` holds the row until the transaction ends."""
    return _first(session, _BY_ID_LOCKED if lock else _BY_ID, {"wanted": approval_id})


def of_call(session: Session, call_id: str) -> ApprovalState | None:
    """The newest approval of a call."""
    return _first(session, _OF_CALL, {"call": call_id})


def of_run(session: Session, run_id: str) -> list[ApprovalState]:
    """All approvals of a run, oldest first."""
    return _rows(session, _OF_RUN, {"run": run_id})


def of_batch(session: Session, batch: str) -> list[ApprovalState]:
    """All approvals on the one card that people know as `batch`, any case, in the order of the card."""
    return _rows(session, _OF_BATCH, {"of_batch": batch.upper()}) if batch else []


def pending(session: Session, limit: int = 200) -> list[ApprovalState]:
    """What waits for people, oldest first."""
    return _rows(session, _PENDING, {"most": limit})


def decided(session: Session, limit: int) -> list[ApprovalState]:
    """What is no longer pending, the latest first."""
    return _rows(session, _DECIDED, {"most": limit})


def about(session: Session, agent: str, tool: str, since: datetime, limit: int) -> list[ApprovalState]:
    """What was asked about calls of an agent and a tool from then on, the newest first."""
    return _rows(session, _ABOUT, {"of_agent": agent, "of_tool": tool, "since": since, "most": limit})


def overdue(session: Session, now: datetime, limit: int = 100) -> list[ApprovalState]:
    """Pending approvals whose time is up."""
    return _rows(session, _OVERDUE, {"now": now, "most": limit})


def next_expiry(session: Session) -> datetime | None:
    """When the next pending approval expires."""
    return _NEXT_EXPIRY.run(session).scalar()


def votes(session: Session, approval_id: str, revision: int) -> list[Vote]:
    """The votes on a revision, in the order in which they were cast."""
    found = _VOTES.run(session, {"approval": approval_id, "of_revision": revision})
    return [Vote(**row._mapping) for row in found]


def add(session: Session, row: ApprovalState) -> bool:
    """Write a new approval; False, and nothing changed, if its reference is taken."""
    return insert_new(session, Approval, {name: getattr(row, name) for name in NAMES})


def add_vote(session: Session, row: ApprovalState, now: datetime, **vote: str) -> bool:
    """Record a vote (principal, verb, reason, account, seat) on the current revision; False if they have voted."""
    own = {"approval_id": row.id, "revision": row.revision, "at": now, "seat": ""}
    return insert_new(session, Vote, {**own, **vote})


def save(session: Session, row: ApprovalState, *names: str) -> None:
    """Write these columns of an approval that the caller's transaction holds."""
    values = {f"new_{name}": getattr(row, name) for name in names}
    _change(names, compared=False).count(session, {"approval": row.id, **values})


def move(session: Session, approval_id: str, revision: int, from_state: str, to_state: str, **values: object) -> bool:
    """Compare-and-set on (id, revision, state); False if somebody was first."""
    known = {"approval": approval_id, "known_revision": revision, "known_state": from_state, "new_state": to_state}
    fresh = {f"new_{name}": value for name, value in values.items()}
    return _change(("state", *values), compared=True).count(session, {**known, **fresh}) == 1
