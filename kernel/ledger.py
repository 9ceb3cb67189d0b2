"""The append-only record of what was decided and done, in one hash chain per installation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.canonical import digest
from kernel.store import ledger as rows
from kernel.types import Frozen, Json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from kernel.checkpoints import Checkpoint
    from kernel.store import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What an entry says."""

    kind: str  # "approval.vote"
    subject: str  # id of the run or call, or reference of the approval, that it is about
    body: Json


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
    return append_all(session, now, (Record(kind=kind, subject=subject, body=body),))


def append_all(session: Session, now: datetime, records: Iterable[Record]) -> int:
    """Write entries, in this order, in the transaction of what they describe; returns the number of the last one."""
    number, previous = rows.end(session)
    written = []
    for record in records:
        number += 1
        values = {
            "number": number,
            "at": now,
            "kind": record.kind,
            "subject": record.subject,
            "body": record.body,
            "previous": previous,
        }
        previous = link(**values)
        written.append({**values, "hash": previous})
    rows.add(session, written)
    return number


def hold(session: Session) -> None:
    """Wait for whoever is writing entries; whoever writes some later waits until this transaction ends."""
    rows.end(session)


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


def verify(session: Session, checkpoints: Iterable[Checkpoint] = ()) -> Verification:
    """Walk the chain from the first entry; names the first entry that was changed, removed, reordered or cut off.

    `checkpoints` say how it ended at earlier times; one whose signature does not hold is a fault by itself. Entries may
    be written meanwhile: those that are read belong to the chain, the others lie behind it.
    """
    heads: dict[int, set[str]] = {}
    for signed in checkpoints:
        if not signed.holds:
            fault = f"the signature of the checkpoint of {signed.entries} entries does not hold"
            return Verification(entries=0, head=rows.GENESIS, problem=fault)
        heads.setdefault(signed.entries, set()).add(signed.head)
    before = session.get(rows.LedgerHead, 1)
    known = (before.number, before.hash) if before is not None else (0, rows.GENESIS)
    previous, number, problem = rows.GENESIS, 0, ""
    for row in rows.entries(session):
        if problem:
            continue  # an unread rest would leave the cursor open
        problem = _fault(row, number + 1, previous)
        if not problem:
            previous, number = row.hash, row.number
            problem = _misplaced(number, previous, known, heads)
    if not problem:
        written, head = rows.end(session)
        if not known[0] <= number <= written or (number == written and previous != head):
            problem = f"the chain ends at entry {number}, but {max(written, known[0])} entries were written"
    if not problem and heads and max(heads) > number:
        problem = f"the chain ends at entry {number}, but a signed checkpoint says that there were {max(heads)}"
    return Verification(entries=number, head=previous, problem=problem)


def _misplaced(number: int, head: str, known: tuple[int, str], heads: Mapping[int, set[str]]) -> str:
    """What is wrong with the chain having this head at this length; empty where nothing is."""
    if number == known[0] and head != known[1]:
        return f"entry {number} differs from the recorded end of the chain"
    if heads.get(number, {head}) != {head}:
        return f"entry {number} is not the one that a signed checkpoint names"
    return ""


def fault(session: Session, row: rows.LedgerRow) -> str:
    """What is wrong with this one entry and with its link to the one before; empty where nothing is."""
    before = session.get(rows.LedgerRow, row.number - 1)
    if before is None and row.number > 1:
        return f"entry {row.number - 1} is missing"
    return _fault(row, row.number, before.hash if before is not None else rows.GENESIS)


def _fault(row: rows.LedgerRow, number: int, previous: str) -> str:
    """What is wrong with the row as entry `number` behind the one with the hash `previous`."""
    if row.number != number:
        return f"entry {number} is missing: entry {row.number} follows entry {number - 1}"
    if row.previous != previous:
        return f"entry {number} does not continue entry {number - 1}"
    return "" if row.hash == _relink(row) else f"entry {number} was changed"


def _relink(row: rows.LedgerRow) -> str:
    return link(number=row.number, at=row.at, kind=row.kind, subject=row.subject, body=row.body, previous=row.previous)
