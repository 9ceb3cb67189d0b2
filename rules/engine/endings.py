"""Approvals that end without a vote: their time is up, or nobody needs them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from rules.engine import writing
from rules.engine.record import outcome_of

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Json

AT_ONCE = 50  # approvals in one transaction


def expire(session: Session, now: datetime) -> int:
    """Expire what is overdue, at most AT_ONCE of it; returns how many."""
    ended = 0
    for row in rows.overdue(session, now, AT_ONCE):
        ended += writing.close(session, row, rows.EXPIRED, outcome_of(row), now)
    return ended


def withdraw(session: Session, run_id: str, reason: str, now: datetime) -> int:
    """Withdraw what a run that ends still waits for; returns how many. Does not wake the run."""
    waiting = [row for row in rows.of_run(session, run_id) if row.state in {rows.PENDING, rows.APPROVED}]
    return sum(writing.withdraw(session, row, reason, now) for row in waiting)


def withdraw_one(session: Session, row: ApprovalState, reason: str, now: datetime, **told: Json) -> bool:
    """Withdraw what nobody has begun yet, and the run goes on from there; False if it is too late."""
    outcome = outcome_of(row).model_copy(update={"reason": reason})
    if row.state == rows.PENDING:
        return writing.close(session, row, rows.WITHDRAWN, outcome, now, reason=reason, **told)
    return writing.withdraw(session, row, reason, now) if row.state == rows.APPROVED else False
