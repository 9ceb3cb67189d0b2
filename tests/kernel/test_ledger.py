"""Whatever is done to a ledger that was written, `verify` names the first place; whoever writes, the chain is one."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from sqlalchemy import event

from kernel import ledger
from kernel.checkpoints import Checkpoint, Signer, parse, signer
from kernel.clock import FixedClock
from kernel.config import Secret
from kernel.errors import ConfigError
from kernel.ledger import Verification
from kernel.store import Session, Store
from kernel.store import ledger as rows

CLOCK = FixedClock()
GENESIS = "0" * 64


def append(store: Store, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        body = {"amount": number, "to": "Grüße", "rule": None}
        store.write_now(partial(ledger.append, now=CLOCK.now(), kind="call.done", subject=f"call-{number}", body=body))


def verify(store: Store) -> Verification:
    return store.read_now(ledger.verify)


def after(store: Store, *statements: str) -> Verification:
    """What a check finds once somebody with the database's password has run `statements`; they are rolled back."""

    def run(session: Session) -> Verification:
        for statement in statements:
            session.connection().exec_driver_sql(statement)
        return ledger.verify(session)

    return store.read_now(run)


@pytest.fixture
def written(store: Store) -> Store:
    """A ledger with nine entries."""
    store.write_now(nine)
    return store


def nine(session: Session) -> None:
    for number in range(1, 10):
        body = {"amount": number, "to": "Grüße", "rule": None}
        ledger.append(session, CLOCK.now(), "call.done", f"call-{number}", body)


def test_an_empty_ledger_is_whole(store: Store) -> None:
    assert verify(store) == Verification(entries=0, head=GENESIS)


def test_entries_are_numbered_from_one_and_chained(written: Store) -> None:
    found = written.read_now(lambda session: list(rows.entries(session)))
    assert [row.number for row in found] == list(range(1, 10))
    assert [row.previous for row in found] == [GENESIS, *(row.hash for row in found[:-1])]
    assert verify(written) == Verification(entries=9, head=found[-1].hash)


def test_the_hash_is_sha256_of_the_canonical_entry(written: Store) -> None:
    """Whoever has the rows can check them without us."""
    row = written.read_now(lambda session: session.get_one(rows.LedgerRow, 1))
    entry: Any = {
        "number": 1,
        "at": "2026-03-02T09:00:00+00:00",
        "kind": "call.done",
        "subject": "call-1",
        "body": {"amount": 1, "to": "Grüße", "rule": None},
        "previous": GENESIS,
    }
    assert row.hash == hashlib.sha256(rfc8785.dumps(entry)).hexdigest()


def test_the_entries_of_a_subject_are_found(written: Store) -> None:
    found = written.read_now(lambda session: list(rows.entries(session, "call-4")))
    assert [row.number for row in found] == [4]


SWAP = "UPDATE ledger SET number = {} WHERE number = {}"

TAMPERED = {
    "a body was changed": (["UPDATE ledger SET body = '{}' WHERE number = 4"], "entry 4 was changed"),
    "a body was changed by one character": (
        ["UPDATE ledger SET body = REPLACE(body, '7', '8') WHERE number = 7"],
        "entry 7 was changed",
    ),
    "a time was changed": (["UPDATE ledger SET at = at + 1 WHERE number = 2"], "entry 2 was changed"),
    "a kind was changed": (["UPDATE ledger SET kind = 'call.denied' WHERE number = 9"], "entry 9 was changed"),
    "a subject was changed": (["UPDATE ledger SET subject = 'x' WHERE number = 1"], "entry 1 was changed"),
    "a hash was changed": (["UPDATE ledger SET hash = 'x' WHERE number = 5"], "entry 5 was changed"),
    "a link was changed": (["UPDATE ledger SET previous = 'x' WHERE number = 5"], "entry 5 does not continue entry 4"),
    "an entry was removed": (
        ["DELETE FROM ledger WHERE number = 5"],
        "entry 5 is missing: entry 6 follows entry 4",
    ),
    "the first entry was removed": (
        ["DELETE FROM ledger WHERE number = 1"],
        "entry 1 is missing: entry 2 follows entry 0",
    ),
    "an entry was removed and the rest renumbered": (
        ["DELETE FROM ledger WHERE number = 8", SWAP.format(8, 9)],
        "entry 8 does not continue entry 7",
    ),
    "two entries were exchanged": (
        [SWAP.format(100, 3), SWAP.format(3, 4), SWAP.format(4, 100)],
        "entry 3 does not continue entry 2",
    ),
    "the end was cut off": (
        ["DELETE FROM ledger WHERE number > 7"],
        "the chain ends at entry 7, but 9 entries were written",
    ),
    "everything was removed": (["DELETE FROM ledger"], "the chain ends at entry 0, but 9 entries were written"),
    "an entry was put behind the end": (
        [
            (
                "INSERT INTO ledger (number, at, kind, subject, body, previous, hash)"
                " SELECT 10, at, kind, subject, body, hash, 'x' FROM ledger WHERE number = 9"
            )
        ],
        "entry 10 was changed",
    ),
    "the head was moved back": (
        ["UPDATE ledger_head SET number = 7"],
        "entry 7 differs from the recorded end of the chain",
    ),
    "the head was moved back to an entry before": (
        ["UPDATE ledger_head SET number = 7, hash = (SELECT hash FROM ledger WHERE number = 7)"],
        "the chain ends at entry 9, but 7 entries were written",
    ),
    "the head was removed": (["DELETE FROM ledger_head"], "the chain ends at entry 9, but 0 entries were written"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found(written: Store, what: str) -> None:
    statements, problem = TAMPERED[what]
    found = after(written, *statements)
    assert not found.ok
    assert found.problem == problem


def test_a_change_with_a_new_hash_breaks_the_next_link(written: Store) -> None:
    """Whoever rewrites an entry has to rewrite everything behind it, and the head."""
    row = written.read_now(lambda session: session.get_one(rows.LedgerRow, 4))
    forged = ledger.link(
        number=4, at=row.at, kind=row.kind, subject=row.subject, body={"amount": 1000}, previous=row.previous
    )
    found = after(written, f"UPDATE ledger SET body = '{{\"amount\":1000}}', hash = '{forged}' WHERE number = 4")  # noqa: S608
    assert found.problem == "entry 5 does not continue entry 4"


SIGNER = Signer(bytes(32))


def checkpoint(store: Store, upto: int) -> Checkpoint:
    """What a checkpoint would have said when the ledger had so many entries."""
    row = store.read_now(lambda session: session.get_one(rows.LedgerRow, upto))
    return SIGNER.sign(entries=upto, head=row.hash, at=CLOCK.now())


def test_a_checkpoint_that_somebody_else_keeps_finds_a_chain_that_was_written_anew_or_cut_with_its_end(
    written: Store,
) -> None:
    kept = checkpoint(written, 7)
    assert written.read_now(lambda session: ledger.verify(session, [kept, checkpoint(written, 9)])).ok

    def cut(session: Session) -> Verification:
        head = session.get_one(rows.LedgerRow, 6).hash
        session.connection().exec_driver_sql("DELETE FROM ledger WHERE number > 6")
        session.connection().exec_driver_sql(f"UPDATE ledger_head SET number = 6, hash = '{head}'")  # noqa: S608
        assert ledger.verify(session).ok
        return ledger.verify(session, [kept])

    found = written.read_now(cut)
    assert found.problem == "the chain ends at entry 6, but a signed checkpoint says that there were 7"

    def anew(session: Session) -> Verification:
        session.connection().exec_driver_sql("DELETE FROM ledger")
        session.connection().exec_driver_sql("DELETE FROM ledger_head")
        session.expire_all()
        for number in range(1, 10):
            ledger.append(session, CLOCK.now(), "call.done", f"call-{number}", {"amount": 1})
        assert ledger.verify(session).ok
        return ledger.verify(session, [kept])

    assert written.read_now(anew).problem == "entry 7 is not the one that a signed checkpoint names"


def test_a_checkpoint_is_one_line_and_any_change_of_it_is_found(written: Store) -> None:
    made = checkpoint(written, 9)
    assert parse(f"  {made}\n") == made
    assert "\n" not in str(made)
    for changed in (
        made.model_copy(update={"entries": 8}),
        made.model_copy(update={"head": GENESIS}),
        made.model_copy(update={"key": Signer(bytes([1] * 32)).key}),
        made.model_copy(update={"signature": made.signature[:-2] + "00"}),
        made.model_copy(update={"signature": "x"}),
    ):
        assert not changed.holds
        with pytest.raises(ConfigError, match="does not hold"):
            parse(str(changed))
        assert "does not hold" in written.read_now(partial(ledger.verify, checkpoints=[changed])).problem
    for text in ("", "bosun-checkpoint:", "bosun-checkpoint:bm8=", "bosun-checkpoint:é", str(made)[:-9]):
        with pytest.raises(ConfigError):
            parse(text)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.key"
    assert signer(None, file).key == signer(None, file).key
    assert file.stat().st_mode & 0o777 == 0o600
    assert signer(Secret("ab" * 32), file).key != signer(None, file).key
    with pytest.raises(ConfigError, match="BOSUN_SIGNING_KEY"):
        signer(Secret("ab"), file)


def test_what_is_rolled_back_leaves_no_gap(store: Store) -> None:
    append(store, 2)

    def fail(session: Session) -> None:
        ledger.append(session, CLOCK.now(), "call.done", "lost", {})
        raise LookupError

    with pytest.raises(LookupError):
        store.write_now(fail)
    append(store, 1, first=3)
    assert verify(store).entries == 3
    assert verify(store).ok


def test_several_entries_of_one_transaction_are_chained(store: Store) -> None:
    def write(session: Session) -> list[int]:
        return [ledger.append(session, CLOCK.now(), "kind", "subject", number) for number in range(3)]

    assert store.write_now(write) == [1, 2, 3]
    assert verify(store).ok


@pytest.mark.parametrize("before", [0, 1], ids=["from the first entry on", "later"])
async def test_two_processes_write_one_chain(stores: tuple[Store, Store], before: int) -> None:
    append(stores[0], before)
    numbers = await asyncio.gather(
        *(
            stores[n % 2].write(partial(ledger.append, now=CLOCK.now(), kind="kind", subject=f"s{n}", body={"n": n}))
            for n in range(40)
        )
    )
    assert sorted(numbers) == list(range(before + 1, before + 41))
    found = verify(stores[0])
    assert (found.entries, found.problem) == (before + 40, "")


def test_what_is_written_during_a_check_is_no_problem(stores: tuple[Store, Store]) -> None:
    """On Postgres the end of the chain and its entries are read by two statements, and each sees its own moment."""
    checker, writer = stores
    append(writer, 3)

    def check(session: Session) -> list[Verification]:
        pending = [4, 5, 6]
        found = []

        @event.listens_for(session.connection(), "before_cursor_execute")
        def write(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if pending and "FROM ledger" in statement:
                append(writer, 1, first=pending.pop())

        found.append(ledger.verify(session))
        found.append(ledger.verify(session))
        return found

    assert [found.problem for found in checker.read_now(check)] == ["", ""]
    assert verify(writer).entries == 6


def test_a_forged_chain_behind_the_head_is_found(written: Store) -> None:
    """Well-formed entries that nobody wrote through the ledger."""
    head = verify(written).head
    values: dict[str, Any] = {
        "number": 10,
        "at": CLOCK.now(),
        "kind": "k",
        "subject": "s",
        "body": {},
        "previous": head,
    }
    forged = rows.LedgerRow(**values, hash=ledger.link(**values))

    def add(session: Session) -> Verification:
        session.add(forged)
        session.flush()
        return ledger.verify(session)

    assert written.read_now(add).problem == "the chain ends at entry 10, but 9 entries were written"


def test_the_last_entry_exchanged_for_a_forged_one_is_found(written: Store) -> None:
    row = written.read_now(lambda session: session.get_one(rows.LedgerRow, 9))
    forged = ledger.link(number=9, at=row.at, kind="x", subject=row.subject, body=row.body, previous=row.previous)
    found = after(written, f"UPDATE ledger SET kind = 'x', hash = '{forged}' WHERE number = 9")  # noqa: S608
    assert found.problem == "entry 9 differs from the recorded end of the chain"
