"""The migrations make the tables that the models describe; processes that start together make them once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from kernel.store import Session, Store, files, migrations, open_store, payments
from kernel.store.files import FileLabel
from kernel.store.payments import Payment

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_the_migrations_make_the_tables_of_the_models(store: Store) -> None:
    import kernel.store.tables  # noqa: F401  registers every table

    def compare(session: Session) -> list[object]:
        context = MigrationContext.configure(session.connection())
        return list(compare_metadata(context, SQLModel.metadata))

    assert store.read_now(compare) == []


def test_a_second_upgrade_changes_nothing(store: Store) -> None:
    migrations.upgrade(store)
    assert migrations.is_current(store)


@pytest.mark.postgres
async def test_processes_that_start_together_migrate_once_on_postgres(new_postgres_url: Callable[[], str]) -> None:
    await start_together(new_postgres_url())


async def test_processes_that_start_together_migrate_once_on_sqlite(tmp_path: Path) -> None:
    await start_together(f"sqlite:///{tmp_path / 'bosun.sqlite3'}")


async def start_together(url: str) -> None:
    stores = [open_store(url) for _ in range(3)]
    assert not migrations.is_current(stores[0])
    await asyncio.gather(*(asyncio.to_thread(migrations.upgrade, store) for store in stores))
    assert all(migrations.is_current(store) for store in stores)
    for store in stores:
        store.close()


def pay(payee: str, number: int) -> Payment:
    return Payment(
        id=f"{number}",
        ref=f"P-{number}",
        payee=payee,
        amount="1.00",
        currency="EUR",
        reference="r",
        why="w",
        origin="member_text",
        run_id="r",
        requester="mia",
        agent="finance",
        created_at=NOW,
    )


def test_payments_are_found_by_what_the_payee_contains_and_nothing_is_a_wildcard(store: Store) -> None:
    names = ["Acme GmbH", "100% Foods", "under_score", "back\\slash", "Müller"]

    def add(session: Session) -> None:
        for number, name in enumerate(names):
            payments.add(session, pay(name, number))

    store.write_now(add)

    def found(part: str) -> list[str]:
        return [row.payee for row in store.read_now(lambda session: payments.newest(session, 10, part))]

    assert found("") == names[::-1]
    assert [found(part) for part in ("acme", "%", "_", "\\", "müll")] == [[name] for name in names]
    assert store.read_now(lambda session: [row.id for row in payments.newest(session, 2)]) == ["4", "3"]


def test_a_file_has_a_label_for_each_version(store: Store) -> None:
    def write(session: Session, digest: str, origin: str) -> None:
        files.record(session, "a.md", digest, origin=origin, run_id="r", now=NOW)

    store.write_now(lambda session: write(session, "1", "member_text"))
    store.write_now(lambda session: write(session, "1", "outside_text"))
    store.write_now(lambda session: write(session, "2", "member_text"))
    first = store.read_now(lambda session: files.label(session, "a.md", "1"))
    assert first is not None
    assert first.origin == "outside_text"
    store.write_now(lambda session: files.forget_others(session, "a.md", "2"))
    left = store.read_now(lambda session: files.labels(session, ["a.md", "b.md"]))
    assert [(row.path, row.digest) for row in left] == [("a.md", "2")]
    assert isinstance(left[0], FileLabel)


def test_a_call_queues_one_payment_and_a_reference_names_one(store: Store) -> None:
    first = pay("Acme GmbH", 1)
    assert store.write_now(lambda session: payments.add(session, first))
    same_call = first.model_copy(update={"ref": "P-NEW"})
    same_ref = first.model_copy(update={"id": "another"})
    assert not store.write_now(lambda session: payments.add(session, same_call))
    assert not store.write_now(lambda session: payments.add(session, same_ref))
    known = store.read_now(lambda session: payments.get(session, first.id))
    assert known is not None
    assert known.ref == first.ref
