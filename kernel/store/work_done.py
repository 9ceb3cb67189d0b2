"""What was decided and what was answered, as later work looks back on it. Queries over runs and approvals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import orjson
from sqlalchemy import bindparam, type_coerce
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from kernel.store import approvals, runs
from kernel.store.approvals import Approval, Vote
from kernel.store.columns import BigInteger, SqlText, moment
from kernel.store.outbox import OutboxRow
from kernel.store.prepared import Prepared
from kernel.store.runs import Run
from kernel.types import Frozen, Json, Place

AT_ONCE = 500  # approvals whose votes are asked for together
MOST = 5_000  # of each, the newest
LOOKED_BACK = 100  # requests among which earlier ones like one are looked for
OUTCOMES = {
    approvals.APPROVED: "approved",
    approvals.CONSUMED: "approved and done",
    approvals.REJECTED: "rejected",
    approvals.EXPIRED: "nobody decided in time",
    approvals.WITHDRAWN: "withdrawn",
}

__all__ = [
    "Answered",
    "Decided",
    "Earlier",
    "Place",
    "Shown",
    "answered",
    "decided",
    "earlier",
    "last_answer",
    "readable_run",
]


class Decided(Frozen):
    """An approval with its outcome."""

    ref: str
    version: str
    headline: str
    outcome: str
    by: tuple[str, ...]  # Person ids
    reasons: tuple[str, ...]
    why: str
    requester: str
    place: Place
    at: datetime


class Answered(Frozen):
    """A finished run with its answer."""

    ref: str
    agent: str
    requester: str
    request: str
    answer: str
    place: Place
    at: datetime


@dataclass(frozen=True, slots=True)
class Earlier:
    """A request that came to its end, as a later one in the same channel looks back on it, and on many others."""

    ref: str
    requester: str  # Person.id
    request: str
    asked: int  # when, in microseconds since 1970
    account: str | None = None  # JSON of the account that asked

    @property
    def by(self) -> str:
        """Who asked, for people."""
        account = orjson.loads(self.account) if self.account else {}
        return account.get("name") or self.requester

    @property
    def at(self) -> datetime:
        """When it was asked."""
        return moment(self.asked)


class Shown(Frozen):
    """The last answer in a thread, as it is shown."""

    ref: str
    agent: str
    body: Json  # of a Text


def last_answer(session: Session, place: Place) -> Shown | None:
    """What the last run of this thread that came to its end has answered."""
    conversation = runs.conversation_at(session, place)
    if conversation is None:
        return None
    run = session.exec(
        select(Run)
        .where(Run.conversation_id == conversation.id, Run.state == runs.DONE, col(Run.parent_id).is_(None))
        .order_by(col(Run.id).desc())
        .limit(1)
    ).first()
    row = session.get(OutboxRow, run.progress_id or f"{run.id}-answer") if run is not None else None
    if run is None or row is None or not isinstance(row.body, dict) or row.body.get("type") != "text":
        return None
    return Shown(ref=run.ref, agent=run.agent, body=row.body)


def earlier(session: Session, place: Place, conversation_id: str, before: str) -> list[Earlier]:
    """Requests of other threads of this very channel or direct message that were answered, newest first.

    They are looked for among the last ones of the whole installation, so that it takes no longer as these grow.
    """
    where = {"platform": place.platform, "tenant": place.tenant, "channel": place.channel}
    found = _earlier().run(session, {**where, "this": conversation_id, "before": before})
    return [Earlier(*row) for row in found]


@cache
def _earlier() -> Prepared:
    asked, account = type_coerce(col(Run.created_at), BigInteger), type_coerce(col(Run.requester_actor), SqlText)
    last = (
        columns(col(Run.id), col(Run.ref), col(Run.requester), col(Run.request))
        .add_columns(asked.label("asked"), account.label("account"))
        .add_columns(col(Run.conversation_id), col(Run.state), col(Run.parent_id), col(Run.workflow))
        .where(col(Run.id) < bindparam("before"))
        .order_by(col(Run.id).desc())
        .limit(LOOKED_BACK)
        .subquery()
    )
    there = runs.Conversation
    return Prepared(
        columns(last.c.ref, last.c.requester, last.c.request, last.c.asked, last.c.account)
        .join(there, col(there.id) == last.c.conversation_id)
        .where(
            col(there.platform) == bindparam("platform"),
            col(there.tenant) == bindparam("tenant"),
            col(there.channel) == bindparam("channel"),
            col(there.id) != bindparam("this"),
            last.c.state == runs.DONE,
            last.c.parent_id.is_(None),
            last.c.workflow.is_(None),
        )
        .order_by(last.c.id.desc())
    )


def readable_run(session: Session, ref: str, place: Place) -> Run | None:
    """A finished request of this very channel or direct message; None for any other."""
    found = runs.by_ref(session, ref)
    if found is None or found.where.lane != place.lane or found.state not in runs.FINAL or found.parent_id is not None:
        return None
    return found


def decided(session: Session, since: datetime) -> list[Decided]:
    """Approvals that were decided since, newest first."""
    found = session.exec(
        select(Approval, Run)
        .join(Run, col(Run.id) == col(Approval.run_id))
        .where(col(Approval.state).in_(tuple(OUTCOMES)), col(Approval.decided_at) >= since)
        .order_by(col(Approval.decided_at).desc())
        .limit(MOST)
    ).all()
    votes: dict[str, list[Vote]] = {}
    ids = [approval.id for approval, _run in found]
    for start in range(0, len(ids), AT_ONCE):
        some = select(Vote).where(col(Vote.approval_id).in_(ids[start : start + AT_ONCE])).order_by(col(Vote.at))
        for vote in session.exec(some):
            votes.setdefault(vote.approval_id, []).append(vote)
    made = []
    for approval, run in found:
        counted = [vote for vote in votes.get(approval.id, ()) if vote.revision == approval.revision]
        made.append(
            Decided(
                ref=approval.ref,
                version=f"{approval.state}-{approval.revision}",
                headline=str((approval.preview or {}).get("headline") or approval.tool),
                outcome=OUTCOMES[approval.state],
                by=tuple(vote.principal for vote in counted),
                reasons=tuple(vote.reason for vote in counted if vote.reason),
                why=approval.reason,
                requester=approval.requester,
                place=run.where,
                at=approval.decided_at or approval.created_at,
            )
        )
    return made


def answered(session: Session, since: datetime, shortest: int) -> list[Answered]:
    """Runs that ended with an answer since, newest first; not those that only another run has asked for."""
    found = session.exec(
        select(Run)
        .where(Run.state == runs.DONE, col(Run.parent_id).is_(None), col(Run.updated_at) >= since)
        .order_by(col(Run.updated_at).desc())
        .limit(MOST)
    )
    return [
        Answered(
            ref=run.ref,
            agent=run.agent,
            requester=run.requester,
            request=run.request,
            answer=run.answer,
            place=run.where,
            at=run.updated_at,
        )
        for run in found
        if run.answer and len(run.answer) >= shortest
    ]
