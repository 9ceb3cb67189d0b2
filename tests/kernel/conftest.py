"""Every test of the store runs on SQLite and on Postgres; the tables are made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from kernel.clock import CountedIds, FixedClock
from kernel.store import Store, migrations, open_store
from tests.conftest import PostgresServer

OpenStore = Callable[[], Store]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables."""
    path = tmp_path_factory.mktemp("template") / "bosun.sqlite3"
    make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres_server: PostgresServer) -> str:
    """The URL of a Postgres database with all tables, which each test leaves empty: a new one takes too long."""
    url = postgres_server.create()
    make_tables(url)
    return url


def empty(url: str) -> None:
    """Delete all rows of a Postgres database."""
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        statements = [
            sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for (name,) in names if "alembic" not in name
        ]
        connection.execute(sql.SQL(";").join(statements))


def make_tables(url: str) -> None:
    """Bring an empty database to the newest version."""
    store = open_store(url)
    migrations.upgrade(store)
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with all tables and no rows."""
    if request.param == "sqlite":
        path = tmp_path / "bosun.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    url: str = request.getfixturevalue("postgres_database")
    yield url
    empty(url)


@pytest.fixture
def another_store(database_url: str) -> Iterator[OpenStore]:
    """Opens the database once more, as another process would; closed after the test."""
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(open_store(database_url))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(another_store: OpenStore) -> Store:
    """The database."""
    return another_store()


@pytest.fixture
def stores(another_store: OpenStore) -> tuple[Store, Store]:
    """Two processes on one database."""
    return another_store(), another_store()


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still."""
    return FixedClock()


@pytest.fixture
def ids() -> CountedIds:
    """Ids that count."""
    return CountedIds()
