"""State changes of an approval, each inside the caller's transaction: row, ledger entries, all cards, next segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import ledger
from kernel.ledger import Record
from kernel.store import approvals as rows
from kernel.store import outbox, runs, wake
from kernel.types import Text
from rules.engine import batch_cards
from rules.engine.cards import card, stub
from rules.engine.record import outcome_of, policy_of, preview_of

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Card, Json
    from rules.engine.record import Outcome
    from rules.engine.services import Services

SHORT = 800  # characters that every platform shows on a card without attaching them
TOPIC = "approvals"  # woken with the reference after every change


def redraw(session: Session, row: ApprovalState) -> None:
    """Bring every copy of the card to the state of the row, and that of the card on which it stands with others."""
    outbox.revise_copies(session, row.ref, card(row))
    if preview_of(row).private:
        outbox.revise_copies(session, stub_subject(row.ref), stub(row))
    if row.batch:
        _redraw_batch(session, row)
    wake(session, TOPIC, row.ref)


def _redraw_batch(session: Session, row: ApprovalState) -> None:
    """Two changes of different calls in the same instant draw one after the other: the second sees the first."""
    ledger.hold(session)
    items = rows.of_batch(session, row.batch)
    outbox.revise_copies(session, row.batch, batch_cards.shown(items))
    if preview_of(row).private:
        outbox.revise_copies(session, stub_subject(row.batch), batch_cards.stub(items))


def common(session: Session, row: ApprovalState) -> tuple[str, Card]:
    """Under which subject people are sent the approval, and what is shown: its own card, or that of its batch."""
    return (row.batch, batch_cards.shown(rows.of_batch(session, row.batch))) if row.batch else (row.ref, card(row))


def unread(session: Session, row: ApprovalState) -> bool:
    """Whether it is too long for every card and no copy with what is attached has arrived where people read it."""
    if sum(len(payload.content) for payload in preview_of(row).payloads) <= SHORT:
        return False
    copies = [copy for subject in filter(None, (row.ref, row.batch)) for copy in outbox.copies(session, subject)]
    return bool(copies) and all(copy.error for copy in copies)


def name(session: Session, row: ApprovalState) -> str:
    """How people are told of it: by its reference, or by that of the card on which it stands with others."""
    return batch_cards.name_of(rows.of_batch(session, row.batch)) if row.batch else row.ref


def stub_subject(ref: str) -> str:
    """The subject of the copies that stand where more people read than where it was asked."""
    return f"{ref}/stub"


def announce(session: Session, services: Services, row: ApprovalState, markdown: str) -> None:
    """Tell the thread, and the channels where the team reads of emergencies."""
    home, glass = preview_of(row).place, policy_of(row).break_glass
    names = (glass.where if glass else ()) or tuple(filter(None, (services.operators,)))
    places = [home, *(services.directory.channel(name, home.platform, home.tenant) for name in names)]
    now, told = services.clock.now(), {place.lane: place for place in places if place is not None}
    for number, place in enumerate(told.values()):
        body = Text(markdown=markdown)
        outbox.put(session, f"{row.id}-glass-{number}", place, body, now, run_id=row.run_id)


def note(session: Session, row: ApprovalState, outcome: Outcome) -> None:
    """Store what has become of the approval so far, without moving it."""
    row.outcome = stored(outcome)
    rows.save(session, row, "outcome")


def close(
    session: Session, row: ApprovalState, state: str, outcome: Outcome, now: datetime, *records: Record, **told: Json
) -> bool:
    """End the wait: pending to `state`, in the ledger, on all cards, and the run goes on. False if somebody was first.

    `records` go into the ledger before the entry about the end, `told` into that entry beside what every one holds.
    """
    if not _end(session, row, state, outcome, now):
        return False
    ledger.append_all(session, now, (*records, record(f"approval.{state}", row, **told)))
    redraw(session, row)
    runs.next_segment(session, row.run_id, now)
    return True


def withdraw(session: Session, row: ApprovalState, reason: str, now: datetime) -> bool:
    """Nobody needs an answer any more: pending or approved to withdrawn. Does not wake the run.

    False if somebody was first.
    """
    outcome = outcome_of(row).model_copy(update={"reason": reason})
    if row.state == rows.APPROVED:
        return settle(session, row, rows.WITHDRAWN, outcome, now, reason=reason)
    if not _end(session, row, rows.WITHDRAWN, outcome, now):
        return False
    tell(session, now, f"approval.{rows.WITHDRAWN}", row, reason=reason)
    redraw(session, row)
    return True


def settle(session: Session, row: ApprovalState, state: str, outcome: Outcome, now: datetime, **told: Json) -> bool:
    """Move an approved request on (consumed, withdrawn) without waking the run. False if somebody was first."""
    if not _move_on(session, row, state, outcome):
        return False
    tell(session, now, f"approval.{state}", row, **told)
    redraw(session, row)
    return True


def consume(session: Session, row: ApprovalState) -> bool:
    """Use the approval up, for a call that begins: approved to consumed. False if somebody was first.

    The caller writes the ledger. The cards are left as they are: most calls have their result before anybody could
    have read on them that they are under way (see `under_way`).
    """
    return _move_on(session, row, rows.CONSUMED, outcome_of(row))


def under_way(session: Session, ref: str) -> None:
    """Say on the cards that the approved call has begun and takes its time; nothing if it has its result by now."""
    seen = rows.by_ref(session, ref)
    if seen is not None and seen.batch:
        ledger.hold(session)  # before the row, as whoever writes the result does
    row = rows.by_ref(session, ref, lock=True)
    if row is not None and row.state == rows.CONSUMED and outcome_of(row).done_at is None:
        redraw(session, row)


def executed(session: Session, row: ApprovalState, now: datetime, *, failed: bool) -> None:
    """Say on the cards that the approved call has its result."""
    note(session, row, outcome_of(row).model_copy(update={"done_at": now, "failed": failed}))
    redraw(session, row)


def tell(session: Session, now: datetime, kind: str, row: ApprovalState, **told: Json) -> None:
    """Put an entry about the approval into the ledger."""
    ledger.append_all(session, now, (record(kind, row, **told),))


def record(kind: str, row: ApprovalState, **told: Json) -> Record:
    """An entry about the approval. It names the exact call by its digest, never its content."""
    body = {
        "call": row.call_id,
        "run": row.run_id,
        "agent": row.agent,
        "tool": row.tool,
        "revision": row.revision,
        "digest": row.digest,
        **told,
    }
    return Record(kind=kind, subject=row.ref, body=body)


def stored(outcome: Outcome) -> Json:
    """The outcome as it is kept with the approval."""
    return outcome.model_dump(mode="json", exclude_defaults=True)


def _end(session: Session, row: ApprovalState, state: str, outcome: Outcome, now: datetime) -> bool:
    """Pending to `state`, in the database and in `row`."""
    body = stored(outcome)
    if not rows.move(session, row.id, row.revision, rows.PENDING, state, outcome=body, decided_at=now):
        return False
    row.state, row.outcome, row.decided_at = state, body, now
    return True


def _move_on(session: Session, row: ApprovalState, state: str, outcome: Outcome) -> bool:
    """Approved to `state`, in the database and in `row`."""
    body = stored(outcome)
    if not rows.move(session, row.id, row.revision, rows.APPROVED, state, outcome=body):
        return False
    row.state, row.outcome = state, body
    return True
