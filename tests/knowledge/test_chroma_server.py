"""The vector index on a real Chroma server, shared by two processes."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import cast

from kernel.clock import FixedClock, SystemIds
from kernel.store import Session, Store, open_store
from kernel.store import knowledge_vectors as stored
from knowledge.engine.embedding import WORDS
from knowledge.engine.index_files import index_place
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.upkeep import LEASE
from knowledge.engine.vector_lines import ProcessLine
from tests.knowledge.chroma_server import chroma_server
from tests.knowledge.conftest import Opened
from tests.knowledge.replicas import replicas
from tests.knowledge.searching import Searching
from tests.knowledge.team import IN_GENERAL, document
from tests.knowledge.test_index import fill


async def test_two_processes_share_a_server(
    sqlite_store: Store, open_knowledge: Opened, chroma_url: str, tmp_path: Path
) -> None:
    served = {"chroma_url": chroma_url, "line": ProcessLine}
    first: Knowledge = await open_knowledge(sqlite_store, **served, folder=tmp_path / "a")
    await first.add(document("a", "Refunds are paid in May.", title="Refunds"))
    assert await first.settled(90)
    second: Knowledge = await open_knowledge(sqlite_store, **served, folder=tmp_path / "b")
    found = await second.search("refunds", IN_GENERAL)
    assert (found.ways, found.passages[0].title) == (("meaning", "words"), "Refunds")
    await second.add(document("b", "Unicorns are counted in June.", title="Unicorns"))
    assert await second.settled(60)
    found = await first.search("unicorns", IN_GENERAL)
    assert (found.ways, found.passages[0].title) == (("meaning", "words"), "Unicorns")
    assert (await first.status()).indexed == 2


async def test_a_server_that_is_away_is_waited_for(sqlite_store: Store, open_knowledge: Opened, tmp_path: Path) -> None:
    knowledge = await open_knowledge(sqlite_store, chroma_url="http://127.0.0.1:9", line=ProcessLine, patience=0.0)
    await knowledge.add(document("a", "Refunds are paid in May.", title="Refunds"))
    found = await knowledge.search("refunds", IN_GENERAL)
    assert (found.ways, found.passages[0].title) == (("words",), "Refunds")
    assert not await knowledge.settled(0.1)


async def test_an_index_that_one_replica_builds_anew_is_followed_by_the_others_without_a_gap(
    postgres_with_tables: str, chroma_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    async with replicas(postgres_with_tables, chroma_url, clock, tmp_path) as three:
        await fill(cast("Knowledge", three), 20)
        builder, *others = three.members
        searching = [Searching(member) for member in others]
        for _ in range(2):
            await builder.rebuild()
            assert await three.settled(60)
            for each in searching:
                await each.more()
        for each in searching:
            await each.end()
            assert each.gaps == []
        await others[0].add(document("new", "Rule 99 is about unicorns.", title="new"))
        assert await three.settled(60)
        for member in three.members:
            found = await member.search("unicorns", IN_GENERAL)
            assert (found.ways, found.passages[0].title) == (("meaning", "words"), "new")


async def test_what_a_dead_process_began_and_what_a_model_left_is_swept_once_nobody_holds_it(
    postgres_with_tables: str, chroma_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    place, store = index_place(tmp_path, chroma_url, SystemIds()).name, open_store(postgres_with_tables)

    def left(session: Session) -> None:
        for index_id, model in (("7HALF", WORDS), ("7OTHER", "another model")):
            stored.create_index(session, index_id, place, model, WORDS, clock.now())
        stored.switch_index(session, "7OTHER")

    def kept() -> set[str]:
        return {row.id for row in store.read_now(lambda session: stored.indexes(session, place))}

    async with replicas(postgres_with_tables, chroma_url, clock, tmp_path, count=1) as one:
        await fill(cast("Knowledge", one), 3)
    (ours,) = kept()
    store.write_now(left)
    async with replicas(postgres_with_tables, chroma_url, clock, tmp_path, count=1) as one:
        assert await one.settled(60)
    assert kept() == {ours, "7HALF", "7OTHER"}  # somebody may be at work with them
    clock.advance(seconds=LEASE.total_seconds())
    async with replicas(postgres_with_tables, chroma_url, clock, tmp_path, count=1) as one:
        assert await one.settled(60)
    assert kept() == {ours}
    store.close()


async def test_an_index_that_a_crash_of_the_server_left_unreadable_is_built_again(
    sqlite_store: Store, open_knowledge: Opened, tmp_path: Path
) -> None:
    with chroma_server(tmp_path / "chroma") as server:
        first = await open_knowledge(sqlite_store, chroma_url=server.url)
        await fill(first, 3)
        await first.stop()
        server.stop()
        with contextlib.closing(sqlite3.connect(tmp_path / "chroma" / "chroma.sqlite3")) as torn, torn:
            torn.execute("DELETE FROM segments")
        server.start()
        second = await open_knowledge(sqlite_store, chroma_url=server.url)
        assert await second.settled(60)
        found = await second.search("topic2", IN_GENERAL)
        assert (found.ways, found.passages[0].title) == (("meaning", "words"), "d2")
        await second.stop()
