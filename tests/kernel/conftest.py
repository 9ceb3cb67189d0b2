"""Every test of the store runs on SQLite and on Postgres; the tables are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from kernel.clock import CountedIds, FixedClock
from kernel.store import Store, open_store
from tests.conftest import PostgresServer

OpenStore = Callable[[], Store]


@pytest.fixture(scope="session")
def postgres_database(postgres_server: PostgresServer, postgres_template: str) -> str:
    """The URL of a Postgres database with all tables, which each test leaves empty: a new one takes too long."""
    return postgres_server.create(postgres_template)


def empty(url: str) -> None:
    """Delete all rows of a Postgres database."""
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        statements = [
            sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for (name,) in names if "alembic" not in name
        ]
        connection.execute(sql.SQL(";").join(statements))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with all tables and no rows."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_with_tables")
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
