"""The migrations make exactly the tables that the code works with, on both databases, also when replicas race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from kernel.store import migrations, open_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'bosun.sqlite3'}"


def test_an_empty_database_gets_the_tables_of_the_code(database_url: str) -> None:
    store = open_store(database_url)
    migrations.upgrade(store)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _ours})
        assert compare_metadata(context, SQLModel.metadata) == []
    assert migrations.current(store) == migrations.newest()
    store.close()


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    store = open_store(database_url)
    migrations.upgrade(store)
    migrations.upgrade(store)
    assert migrations.current(store) == migrations.newest()
    store.close()


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    stores = [open_store(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as together:
        list(together.map(migrations.upgrade, stores))
    assert {migrations.current(store) for store in stores} == {migrations.newest()}
    for store in stores:
        store.close()


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in SQLModel.metadata.tables
