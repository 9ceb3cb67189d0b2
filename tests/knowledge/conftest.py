"""Knowledge bases to try things on: the real database, the real Chroma, and a model that costs nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from kernel.clock import FixedClock, SystemIds
from kernel.store import Store, open_store
from knowledge.engine.embedding import WORDS
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.source_settings import Surroundings
from knowledge.engine.vector_lines import ThreadLine
from knowledge.engine.web_client import WebClient
from tests.knowledge.chroma_server import chroma_server
from tests.knowledge.team import FINANCE, channel

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


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Chroma server, one for all tests of this process: each installation has collections of its own there."""
    with chroma_server(tmp_path_factory.mktemp("chroma")) as server:
        yield server.url


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


@pytest.fixture
async def around(
    knowledge: Knowledge, sqlite_store: Store, clock: FixedClock, tmp_path: Path
) -> AsyncIterator[Surroundings]:
    """What sources are opened with; #finance is a channel. For modules whose `knowledge` is on SQLite."""
    client = WebClient()

    def resolve(readers: Sequence[str]) -> tuple[str, ...]:
        return tuple(channel(FINANCE) if reader == "#finance" else reader for reader in readers)

    yield Surroundings(
        charter=tmp_path / "charter",
        files=knowledge.files,
        web=client,
        clock=clock,
        store=sqlite_store,
        secret={"TOKEN": "hidden-word"}.get,
        resolve=resolve,
        places=lambda _name: [FINANCE],
        chats=knowledge.chats,
        work=tmp_path / "clones",
    )
    await client.close()
