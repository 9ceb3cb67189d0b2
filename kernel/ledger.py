"""The append-only record of what was decided and done, in one hash chain per installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.canonical import digest
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
    last, previous = rows.end(session)
    number = last + 1
    values = {
        "number": number,
        "at": now,
        "kind": kind,
        "subject": subject,
        "body": body,
        "previous": previous,
    }
    rows.add(session, {**values, "hash": link(**values)})
    return number


def link(*, number: int, at: datetime, kind: str, subject: str, body: Json, previous: str) -> str:
    """SHA-256 over the canonical form of an entry and the hash of the one before it."""
    entry = {
        "number": number,
        "at": at.isoformat(),
        "kind": kind,
        "subject": subject,
        "body": body,
        "previous": previous,
    }
    return digest(entry)


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
        elif row.hash != _relink(row):
            problem = f"entry {number} was changed"
        if problem:
            return Verification(entries=number - 1, head=previous, problem=problem)
        previous = row.hash
    written, head = rows.end(session)
    if (written, head) != (number, previous):
        problem = f"the chain ends at entry {number}, but {written} entries were written"
        return Verification(entries=number, head=previous, problem=problem)
    return Verification(entries=number, head=previous)


def _relink(row: rows.LedgerRow) -> str:
    return link(number=row.number, at=row.at, kind=row.kind, subject=row.subject, body=row.body, previous=row.previous)
