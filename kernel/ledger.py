"""The append-only record of what was decided and done, in one hash chain per installation."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kernel.canonical import canonical
from kernel.store import ledger as rows
from kernel.types import Frozen, Json

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session


class Verification(Frozen):
    """What a check of the chain found."""

    entries: int
    head: str  # hash of the last entry
    problem: str = ""  # empty: every entry is as it was written

    @property
    def ok(self) -> bool:
        """The chain is whole."""
        return not self.problem


def append(session: Session, now: datetime, kind: str, subject: str, body: Json) -> int:
    """Write an entry in the transaction of the state that it describes; returns its number."""
    head = rows.head(session)
    number = head.number + 1
    row = rows.LedgerRow(
        number=number, at=now, kind=kind, subject=subject, body=body, previous=head.hash, hash=""
    )
    row.hash = link(row)
    session.add(row)
    head.number, head.hash = number, row.hash
    session.add(head)
    session.flush()
    return number


def link(row: rows.LedgerRow) -> str:
    """SHA-256 over the canonical form of an entry and the hash of the one before it."""
    body = {
        "number": row.number,
        "at": row.at.isoformat(),
        "kind": row.kind,
        "subject": row.subject,
        "body": row.body,
        "previous": row.previous,
    }
    return hashlib.sha256(canonical(body)).hexdigest()


def verify(session: Session) -> Verification:
    """Walk the chain from the first entry; names the first entry that was changed, removed, reordered or cut off."""
    previous, number = rows.GENESIS, 0
    for row in rows.entries(session):
        number += 1
        problem = ""
        if row.number != number:
            problem = f"entry {number} is missing: entry {row.number} follows entry {number - 1}"
        elif row.previous != previous:
            problem = f"entry {number} does not continue entry {number - 1}"
        elif row.hash != link(row):
            problem = f"entry {number} was changed"
        if problem:
            return Verification(entries=number - 1, head=previous, problem=problem)
        previous = row.hash
    head = rows.head(session)
    if (head.number, head.hash) != (number, previous):
        problem = f"the chain ends at entry {number}, but {head.number} entries were written"
        return Verification(entries=number, head=previous, problem=problem)
    return Verification(entries=number, head=previous)
