"""The vector index follows the database, whatever happens to it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from kernel.clock import FixedClock, SystemIds
from kernel.store import Store
from kernel.store import knowledge as rows
from kernel.store import knowledge_vectors as stored
from knowledge.engine.documents import IndexState
from knowledge.engine.embedding import WORDS, choice_of
from knowledge.engine.index_files import index_place
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.upkeep import Upkeep
from knowledge.engine.vector_lines import ProcessLine, ThreadLine
from knowledge.engine.vectors import Line, Message, VectorClient, VectorsFailed
from tests.knowledge.chroma_server import chroma_server
from tests.knowledge.conftest import Opened
from tests.knowledge.index_differences import differences
from tests.knowledge.kills import Kills
from tests.knowledge.team import IN_GENERAL, document


class Watcher:
    """Waits for states of the index."""

    def __init__(self) -> None:
        self._seen: list[IndexState] = []
        self._news = asyncio.Event()

    def __call__(self, state: IndexState, problem: str) -> None:
        self._seen.append(state)
        self._news.set()

    async def until(self, *states: IndexState) -> None:
        """Return once the states have come in this order, whatever came in between."""
        async with asyncio.timeout(60):
            for state in states:
                while state not in self._seen:
                    self._news.clear()
                    await self._news.wait()
                del self._seen[: self._seen.index(state) + 1]


async def fill(knowledge: Knowledge, count: int = 5) -> None:
    for number in range(count):
        await knowledge.add(document(f"d{number}", f"Rule {number} is about topic{number}.", title=f"d{number}"))
    assert await knowledge.settled(60)


def indexes_of(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "knowledge" / "vectors").iterdir() if path.is_dir()]


def lose_folder(index: Path) -> None:
    shutil.rmtree(index)


def tear_database(index: Path) -> None:
    (index / "chroma.sqlite3").write_bytes(b"not a database at all" * 500)


@pytest.mark.parametrize("break_it", [lose_folder, tear_database])
async def test_a_broken_index_is_built_again_from_the_database(
    sqlite_store: Store, open_knowledge: Opened, tmp_path: Path, break_it: Callable[[Path], None]
) -> None:
    first = await open_knowledge(sqlite_store)
    await fill(first)
    await first.stop()
    break_it(indexes_of(tmp_path)[0])
    second = await open_knowledge(sqlite_store)
    found = await second.search("topic3", IN_GENERAL)
    assert found.passages[0].title == "d3"
    assert await second.settled(60)
    assert (await second.search("topic3", IN_GENERAL)).ways == ("meaning", "words")
    await second.stop()
    assert await differences(sqlite_store, tmp_path / "knowledge") == []


async def test_an_index_that_lost_some_vectors_is_built_again(
    sqlite_store: Store, open_knowledge: Opened, tmp_path: Path
) -> None:
    first = await open_knowledge(sqlite_store)
    await fill(first)
    await first.stop()
    old = indexes_of(tmp_path)[0]
    client = VectorClient(ThreadLine(WORDS, str(old.parent)))
    await client.open(old.name)
    await client.remove(old.name, (await client.ids(old.name, 0, 10))[:2])
    await client.close()
    second = await open_knowledge(sqlite_store)
    assert await second.settled(60)
    await second.stop()
    assert indexes_of(tmp_path) != [old]
    assert await differences(sqlite_store, tmp_path / "knowledge") == []


async def test_searches_go_by_words_while_another_process_has_the_index(
    sqlite_store: Store, open_knowledge: Opened, tmp_path: Path
) -> None:
    root = tmp_path / "knowledge" / "vectors"
    root.mkdir(parents=True)
    with FileLock(root / "lock"):
        watcher = Watcher()
        knowledge = await open_knowledge(sqlite_store, patience=0.1, watch=watcher)
        await knowledge.add(document("a", "Refunds are paid in May.", title="Refunds"))
        await watcher.until("failed")
        found = await knowledge.search("refunds", IN_GENERAL)
        assert found.ways == ("words",)
        assert found.passages[0].title == "Refunds"
        assert found.note == "the index of meanings is not available"
        assert "Another process" in (await knowledge.status()).problem
    assert await knowledge.settled(60)
    assert (await knowledge.status()).index == "ready"


async def test_another_model_embeds_everything_again(
    sqlite_store: Store, open_knowledge: Opened, tmp_path: Path
) -> None:
    first = await open_knowledge(sqlite_store)
    await fill(first)
    await first.stop()
    sqlite_store.write_now(lambda session: rows.run(session, "UPDATE chunk_vector SET model = 'of before'"))
    sqlite_store.write_now(lambda session: rows.run(session, "UPDATE vector_index SET model = 'of before'"))
    second = await open_knowledge(sqlite_store)
    assert await second.settled(60)
    status = await second.status()
    assert (status.chunks, status.embedded, status.indexed) == (5, 5, 5)
    await second.stop()
    assert await differences(sqlite_store, tmp_path / "knowledge") == []


class Flaky(Line):
    """A line that fails every operation named in `broken`."""

    broken: frozenset[str] = frozenset()

    def __init__(self, embedder: str, place: str) -> None:
        self._line = ThreadLine(embedder, place)

    async def call(self, operation: str, request: Message) -> Message:
        if operation in Flaky.broken:
            raise VectorsFailed("The disk is gone.")
        return await self._line.call(operation, request)

    async def close(self) -> None:
        await self._line.close()


async def test_a_search_never_fails_for_the_vector_index(sqlite_store: Store, open_knowledge: Opened) -> None:
    knowledge = await open_knowledge(sqlite_store, line=Flaky)
    await fill(knowledge)
    Flaky.broken = frozenset({"query"})
    try:
        found = await knowledge.search("topic3", IN_GENERAL)
    finally:
        Flaky.broken = frozenset()
    assert (found.ways, found.passages[0].title) == (("words",), "d3")
    assert await knowledge.settled(60)
    await knowledge.add(document("new", "Rule 9 is about unicorns.", title="new"))
    assert await knowledge.settled(60)
    assert (await knowledge.search("unicorns", IN_GENERAL)).ways == ("meaning", "words")


async def test_the_engine_sleeps_when_nobody_needs_it_and_wakes_for_a_search(
    sqlite_store: Store, open_knowledge: Opened
) -> None:
    lines: list[ProcessLine] = []

    def connect(embedder: str, place: str) -> ProcessLine:
        lines.append(ProcessLine(embedder, place))
        return lines[-1]

    pace = Pace(settle=0.0, linger=0.0, linger_after_search=1.0)
    watcher = Watcher()
    knowledge = await open_knowledge(sqlite_store, line=connect, pace=pace)
    await fill(knowledge)
    await knowledge.stop()
    knowledge = await open_knowledge(sqlite_store, line=connect, pace=pace, watch=watcher)
    await watcher.until("ready", "asleep")
    assert [line.pid for line in lines] == [None] * len(lines)
    before = len(lines)
    knowledge.warm()
    await watcher.until("ready")
    await watcher.until("asleep")
    assert len(lines) == before + 1
    found = await knowledge.search("topic3", IN_GENERAL)
    assert (found.ways, found.passages[0].title) == (("meaning", "words"), "d3")
    assert len(lines) == before + 2


async def test_the_engine_may_die_at_any_time(sqlite_store: Store, open_knowledge: Opened, tmp_path: Path) -> None:
    lines: list[ProcessLine] = []

    def connect(embedder: str, place: str) -> ProcessLine:
        lines.append(ProcessLine(embedder, place))
        return lines[-1]

    knowledge = await open_knowledge(sqlite_store, line=connect)
    await fill(knowledge)
    pid = lines[-1].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    found = await knowledge.search("topic3", IN_GENERAL)
    assert found.passages[0].title == "d3"
    await knowledge.add(document("new", "Rule 9 is about unicorns.", title="new"))
    assert await knowledge.settled(60)
    assert lines[-1].pid not in {None, pid}
    await knowledge.stop()
    assert await differences(sqlite_store, tmp_path / "knowledge") == []


async def test_what_another_process_is_adding_is_no_surplus(
    sqlite_store: Store, open_knowledge: Opened, clock: FixedClock, chroma_url: str
) -> None:
    first = await open_knowledge(sqlite_store, chroma_url=chroma_url)
    await fill(first)
    await first.stop()
    ids = SystemIds()
    place = index_place(Path(), chroma_url, ids)
    choice = choice_of(WORDS)
    upkeep = Upkeep(sqlite_store, clock, ids, place, choice)
    client = VectorClient(ThreadLine(WORDS, place.address))
    index = await upkeep.current()
    assert index is not None
    held = await client.ids(index.id, 0, 100)
    # Another process has put it there, and has not noted it down yet.
    await sqlite_store.write(lambda session: stored.mark_removed(session, index.id, held[:1]))
    assert await upkeep.is_whole(client, index)
    assert sorted(await client.ids(index.id, 0, 100)) == sorted(held)
    await client.remove(index.id, held[1:2])
    assert not await upkeep.is_whole(client, index)
    await client.close()


async def test_a_kill_at_any_instant_leaves_index_and_database_equal(tmp_path: Path) -> None:
    """The full length is `python -m tests.knowledge.kills --kills 100`."""
    assert await Kills(tmp_path, seed=7, every=1).run(4) == []


async def test_a_kill_of_replicas_or_the_server_leaves_index_and_database_equal(
    postgres_with_tables: str, tmp_path: Path
) -> None:
    """The full length is `python -m tests.knowledge.kills --kills 100 --postgres --chroma-server --replicas 3`."""
    with chroma_server(tmp_path / "chroma") as server:
        kills = Kills(tmp_path, 3, postgres_with_tables, server, replicas=3, models=(WORDS,))
        assert await kills.run(1) == []  # all of the three
