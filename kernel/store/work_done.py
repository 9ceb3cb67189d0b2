"""What was decided and what was answered, as later work looks back on it. Queries over runs and approvals."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from kernel.store import approvals, runs
from kernel.store.approvals import Approval, Vote
from kernel.store.outbox import OutboxRow
from kernel.store.runs import Run
from kernel.types import Frozen, Json, Place

AT_ONCE = 500  # approvals whose votes are asked for together
MOST = 5_000  # of each, the newest
OUTCOMES = {
    approvals.APPROVED: "approved",
    approvals.CONSUMED: "approved and done",
    approvals.REJECTED: "rejected",
    approvals.EXPIRED: "nobody decided in time",
    approvals.WITHDRAWN: "withdrawn",
}

__all__ = ["Answered", "Decided", "Place", "Shown", "answered", "decided", "last_answer"]


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
