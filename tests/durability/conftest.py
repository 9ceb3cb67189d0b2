"""A store with its tables on SQLite and, where it is there, on Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kernel.clock import CountedIds, FixedClock
from kernel.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.store import Store


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with its tables."""
    return str(request.getfixturevalue(f"{request.param}_with_tables"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The database with its tables."""
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still."""
    return FixedClock()


@pytest.fixture
def ids() -> CountedIds:
    """Ids that count."""
    return CountedIds()
