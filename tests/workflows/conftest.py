"""A store in a folder of its own."""

from collections.abc import Iterator

import pytest

from kernel.store import Store, open_store


@pytest.fixture
def store(sqlite_with_tables: str) -> Iterator[Store]:
    opened = open_store(sqlite_with_tables)
    yield opened
    opened.close()
