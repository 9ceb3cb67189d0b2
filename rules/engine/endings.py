"""Approvals that end without a vote: their time is up, or nobody needs them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from rules.engine import writing
from rules.engine.record import outcome_of

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session

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
