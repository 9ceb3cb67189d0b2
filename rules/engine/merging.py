"""Two principals turn out to be one person: what both have said in open approvals counts once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from rules.engine import writing
from rules.engine.record import Voter, outcome_of

if TYPE_CHECKING:
    from kernel.store import Session

MOST = 10_000  # open approvals that are looked at


def merge(session: Session, principal: str, into: str) -> list[str]:
    """Give the votes of one principal to another, in every open approval; references of those that it changed.

    A vote stays. Where both have voted, the earlier one stays and the later one goes: one human is one vote.
    """
    changed = []
    for found in rows.pending(session, MOST):
        if not any(vote.id == principal for vote in outcome_of(found).votes):
            continue
        row = rows.by_ref(session, found.ref, lock=True)
        if row is None or row.state != rows.PENDING:
            continue
        outcome = outcome_of(row)
        votes: dict[str, Voter] = {}
        for vote in outcome.votes:
            owner = into if vote.id == principal else vote.id
            votes.setdefault(owner, vote.model_copy(update={"id": owner}))
        writing.note(session, row, outcome.model_copy(update={"votes": tuple(votes.values())}))
        writing.redraw(session, row)
        changed.append(row.ref)
    return changed
