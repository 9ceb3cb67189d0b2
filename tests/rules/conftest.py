"""A world on SQLite, and the same on Postgres for what depends on the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.store import open_store
from tests.rules.world import World


@pytest.fixture
def world(tmp_path: Path, sqlite_with_tables: str) -> Iterator[World]:
    made = World(open_store(sqlite_with_tables), tmp_path)
    yield made
    made.store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def either_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same promises on both databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("world")
        return
    store = open_store(request.getfixturevalue("postgres_with_tables"))
    yield World(store, tmp_path)
    store.close()
