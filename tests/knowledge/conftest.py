"""Knowledge bases to try things on: the real database, the real Chroma, and a model that costs nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from kernel.clock import FixedClock, SystemIds
from kernel.store import Store, open_store
from knowledge.engine.embedding import WORDS
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.vector_lines import ThreadLine

QUICK = Pace(settle=0.0)

Opened = Callable[..., Awaitable[Knowledge]]


@pytest.fixture
def sqlite_store(sqlite_with_tables: str) -> Iterator[Store]:
    store = open_store(sqlite_with_tables)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The same tests on both databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_store")
        return
    opened = open_store(request.getfixturevalue("postgres_with_tables"))
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def open_knowledge(tmp_path: Path, clock: FixedClock) -> AsyncIterator[Opened]:
    """Open a knowledge base on a store, in threads and with the model of words; all are stopped after the test."""
    opened: list[Knowledge] = []

    async def open_one(store: Store, **settings: object) -> Knowledge:
        chosen: dict[str, object] = {"embedder": WORDS, "line": ThreadLine, "pace": QUICK, "patience": 60.0}
        folder = settings.pop("folder", tmp_path / "knowledge")
        made = Knowledge(store, clock, SystemIds(), folder, **{**chosen, **settings})  # type: ignore[arg-type]
        opened.append(made)
        await made.start()
        return made

    yield open_one
    for knowledge in opened:
        await knowledge.stop()


@pytest.fixture
async def knowledge(store: Store, open_knowledge: Opened) -> Knowledge:
    return await open_knowledge(store)
