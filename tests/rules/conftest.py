"""A world on SQLite, and the same on Postgres for what depends on the database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.store import open_store
from kernel.store.database import sqlite_url
from kernel.store.migrations import upgrade
from tests.rules.world import World


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "test.db"
    store = open_store(sqlite_url(path))
    upgrade(store)
    store.close()
    return path


@pytest.fixture
def world(tmp_path: Path, empty_database: Path) -> Iterator[World]:
    shutil.copy(empty_database, tmp_path / "test.db")
    made = World(open_store(sqlite_url(tmp_path / "test.db")), tmp_path)
    yield made
    made.store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def either_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same promises on both databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("world")
        return
    store = open_store(request.getfixturevalue("postgres_url"))
    upgrade(store)
    yield World(store, tmp_path)
    store.close()
