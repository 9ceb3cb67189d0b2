"""State changes of an approval, each inside the caller's transaction: row, ledger entry, all cards, next segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import approvals as rows
from kernel.store import outbox, runs, wake
from rules.engine.cards import card
from rules.engine.record import outcome_of

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import Approval
    from kernel.types import Json
    from rules.engine.record import Outcome

TOPIC = "approvals"  # woken with the reference after every change


def redraw(session: Session, row: Approval) -> None:
    """Bring every copy of the card to the state of the row."""
    body = card(row)
    for copy in outbox.copies(session, row.ref):
        outbox.revise(session, copy.id, body)
    session.flush()  # a later expire_all would forget the new bodies
    wake(session, TOPIC, row.ref)


def note(session: Session, row: Approval, outcome: Outcome) -> None:
    """Store what has become of the approval so far, without moving it."""
    row.outcome = outcome.model_dump(mode="json", exclude_defaults=True)
    session.add(row)
    session.flush()


def close(session: Session, row: Approval, state: str, outcome: Outcome, now: datetime, **told: Json) -> bool:
    """End the wait: pending to `state`, in the ledger, on all cards, and the run goes on. False if somebody was first.

    `told` goes into the ledger entry beside what every entry holds.
    """
    body = outcome.model_dump(mode="json", exclude_defaults=True)
    moved = rows.move(session, row.id, row.revision, rows.PENDING, state, outcome=body, decided_at=now)
    if not moved:
        return False
    session.refresh(row)
    record(session, now, f"approval.{state}", row, **told)
    redraw(session, row)
    runs.next_segment(session, row.run_id, now)
    return True


def settle(session: Session, row: Approval, state: str, outcome: Outcome, now: datetime, **told: Json) -> bool:
    """Move an approved request on (consumed, withdrawn) without waking the run. False if somebody was first."""
    body = outcome.model_dump(mode="json", exclude_defaults=True)
    if not rows.move(session, row.id, row.revision, rows.APPROVED, state, outcome=body):
        return False
    session.refresh(row)
    record(session, now, f"approval.{state}", row, **told)
    redraw(session, row)
    return True


def executed(session: Session, row: Approval, now: datetime, *, failed: bool) -> None:
    """Say on the cards that the approved call has its result."""
    outcome = outcome_of(row).model_copy(update={"done_at": now, "failed": failed})
    note(session, row, outcome)
    redraw(session, row)


def record(session: Session, now: datetime, kind: str, row: Approval, **told: Json) -> None:
    """A ledger entry about the approval. It names the exact call by its digest, never its content."""
    body = {
        "call": row.call_id,
        "run": row.run_id,
        "agent": row.agent,
        "tool": row.tool,
        "revision": row.revision,
        "digest": row.digest,
        **told,
    }
    ledger.append(session, now, kind, row.ref, body)
