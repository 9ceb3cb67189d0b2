"""A store in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.store import Store, open_store
from kernel.store.migrations import upgrade


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    upgrade(opened)
    yield opened
    opened.close()
