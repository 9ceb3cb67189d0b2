"""Every test of the store runs on SQLite and on Postgres; the tables are made once and copied."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a Postgres database with all tables."""
    url = postgres_server.create()
    make_tables(url)
    return url.partition("@/")[2].partition("?")[0]


def make_tables(url: str) -> None:
    """Bring an empty database to the newest version."""
    store = open_store(url)
    migrations.upgrade(store)
    store.close()


@contextlib.contextmanager
def new_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A database of the kind `request.param` with all tables and no rows."""
    if request.param == "sqlite":
        path = folder / "bosun.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create(request.getfixturevalue("postgres_template"))
    yield url
    server.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with all tables and no rows."""
    with new_database(request, tmp_path) as url:
        yield url


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
