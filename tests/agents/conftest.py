"""Fixtures of the agents' tests: a fresh database, a fake model service, and an installation on both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from kernel.store import Store
from kernel.store.database import open_store
from tests.agents.bench import Bench
from tests.fakes.anthropic import FakeAnthropic


@pytest.fixture
def store(sqlite_with_tables: str) -> Iterator[Store]:
    store = open_store(sqlite_with_tables)
    yield store
    store.close()


@pytest.fixture
async def fake() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic() as fake:
        yield fake


@pytest.fixture
async def bench(store: Store, fake: FakeAnthropic) -> AsyncIterator[Bench]:
    bench = Bench(store, fake)
    yield bench
    await bench.close()
