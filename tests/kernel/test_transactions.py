"""A transaction commits whole or not at all, wakes after it, and a database that is away is an error that passes."""

from __future__ import annotations

import asyncio
import functools
import threading
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from kernel.clock import FixedClock
from kernel.errors import ConfigError, StoreError
from kernel.store import Session, Store, open_store, runs, wake
from kernel.store.database import insert_new
from kernel.store.runs import Entry
from tests.kernel.conftest import OpenStore
from tests.kernel.databases import on_postgres, on_sqlite

CLOCK = FixedClock()


def note(number: int, run_id: str = "r") -> Entry:
    return Entry(run_id=run_id, number=number, kind="note", content={}, created_at=CLOCK.now())


def count(store: Store) -> int:
    return store.read_now(lambda session: len(runs.transcript(session, "r")))


async def test_what_is_returned_is_committed(store: Store, another_store: OpenStore) -> None:
    assert await store.write(lambda session: runs.append(session, "r", 1, "note", {}, CLOCK.now()))
    assert count(another_store()) == 1


async def test_an_exception_passes_through_and_leaves_nothing(store: Store) -> None:
    woken: list[str] = []
    store.on("topic", woken.append)

    def fail(session: Session) -> None:
        session.add(note(1))
        session.flush()
        wake(session, "topic", "key")
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        await store.write(fail)
    assert count(store) == 0
    assert woken == []


@pytest.mark.parametrize("failing", [{0}, {2}, {0, 1, 3}, {0, 1, 2, 3}])
async def test_of_writes_that_wait_together_each_has_its_own_outcome(store: Store, failing: set[int]) -> None:
    may_go_on = threading.Event()
    before = asyncio.create_task(store.write(lambda _session: may_go_on.wait(30)))
    await asyncio.sleep(0)

    def work(number: int, session: Session) -> int:
        runs.append(session, "r", number, "note", {}, CLOCK.now())
        session.add(note(number + 10))
        session.flush()
        if number in failing:
            insert_new(session, Entry, note(number + 20).model_dump())
            session.add(note(number + 10))
            session.flush()  # the key exists
        return number

    writes = [asyncio.create_task(store.write(functools.partial(work, number))) for number in range(4)]
    await asyncio.sleep(0)
    may_go_on.set()
    await before
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    kept = [number for number in range(4) if number not in failing]
    assert [type(one) for one in outcomes] == [IntegrityError if n in failing else int for n in range(4)]
    written = {entry.number for entry in store.read_now(lambda session: runs.transcript(session, "r"))}
    assert written == {*kept, *(number + 10 for number in kept)}


async def test_what_a_read_writes_is_rolled_back(store: Store) -> None:
    def write(session: Session) -> None:
        session.add(note(1))
        session.flush()

    await store.read(write)
    assert count(store) == 0


async def test_subscribers_are_called_after_the_commit_in_the_loop_once_for_a_key(
    store: Store, another_store: OpenStore
) -> None:
    seen: list[tuple[str, int, bool]] = []
    other = another_store()
    here = threading.current_thread()
    store.on("topic", lambda key: seen.append((key, count(other), threading.current_thread() is here)))

    def write(session: Session) -> None:
        session.add(note(1))
        for key in ("a", "b", "a"):
            wake(session, "topic", key)
        wake(session, "nobody", "listens")

    await store.write(write)
    assert seen == [("a", 1, True), ("b", 1, True)]


async def test_objects_stay_usable_after_the_transaction(store: Store) -> None:
    def write(session: Session) -> Entry:
        row = note(1)
        session.add(row)
        return row

    row = await store.write(write)
    assert (row.number, row.content) == (1, {})


async def test_many_writers_in_two_processes_lose_nothing(stores: tuple[Store, Store]) -> None:
    def write(number: int) -> object:
        return stores[number % 2].write(lambda session: runs.append(session, "r", number, "note", {}, CLOCK.now()))

    done = await asyncio.gather(*(write(number) for number in range(60)))  # type: ignore[call-overload]
    assert all(done)
    assert count(stores[0]) == 60


async def test_only_the_first_of_two_inserts_counts(stores: tuple[Store, Store]) -> None:
    values = {"run_id": "r", "number": 1, "kind": "note", "content": {}, "created_at": CLOCK.now()}
    won = await asyncio.gather(
        *(stores[n % 2].write(lambda session: insert_new(session, Entry, values)) for n in range(10))
    )
    assert sorted(won) == [False] * 9 + [True]


@on_sqlite
async def test_a_reader_sees_one_state_while_another_writes(stores: tuple[Store, Store]) -> None:
    """Postgres gives each statement its own snapshot; what has to hold there, holds a lock or reads once."""
    reader, writer = stores
    started, written = threading.Event(), threading.Event()

    def read(session: Session) -> tuple[int, int]:
        before = len(runs.transcript(session, "r"))
        started.set()
        assert written.wait(10)
        return before, len(runs.transcript(session, "r"))

    reading = asyncio.create_task(reader.read(read))
    await asyncio.to_thread(started.wait, 10)
    await writer.write(lambda session: runs.append(session, "r", 1, "note", {}, CLOCK.now()))
    written.set()
    assert await reading == (0, 0)


def test_a_database_that_cannot_be_opened_is_a_store_error(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/none/bosun.db", f"postgresql://nobody@/none?host={tmp_path}"):
        store = open_store(url)
        with pytest.raises(StoreError, match="cannot be written"):
            store.write_now(lambda session: session.connection())
        with pytest.raises(StoreError, match="cannot be read"):
            store.read_now(lambda session: session.connection())
        store.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "oracle://x"])
def test_another_kind_of_database_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL names"):
        open_store(url)


@on_postgres
async def test_a_lost_connection_is_a_store_error_and_the_next_transaction_works(
    store: Store, another_store: OpenStore
) -> None:
    await store.write(lambda session: runs.append(session, "r", 1, "note", {}, CLOCK.now()))
    other = another_store()

    def cut_all_others(session: Session) -> None:
        session.connection().exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def cut_within(session: Session) -> None:
        session.add(note(2))
        session.flush()
        other.write_now(cut_all_others)

    with pytest.raises(StoreError):
        await store.write(cut_within)
    assert await store.write(lambda session: runs.append(session, "r", 3, "note", {}, CLOCK.now()))
    other.write_now(cut_all_others)
    assert await store.write(lambda session: runs.append(session, "r", 4, "note", {}, CLOCK.now()))
    found = await store.read(lambda session: runs.transcript(session, "r"))
    assert [entry.number for entry in found] == [1, 3, 4]


@on_sqlite
async def test_a_busy_sqlite_file_is_waited_for(stores: tuple[Store, Store]) -> None:
    holder, waiter = stores
    held, go_on = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        session.add(note(1))
        session.flush()
        held.set()
        assert go_on.wait(10)

    holding = asyncio.create_task(holder.write(hold))
    await asyncio.to_thread(held.wait, 10)
    waiting = asyncio.create_task(waiter.write(lambda session: runs.append(session, "r", 2, "note", {}, CLOCK.now())))
    go_on.set()
    await asyncio.gather(holding, waiting)
    assert count(holder) == 2


async def test_what_a_subscriber_prepares_is_part_of_the_transaction_that_wakes_it(store: Store) -> None:
    told: list[tuple[str, object]] = []

    def prepare(session: Session, key: str) -> int:
        assert runs.append(session, "r", 2, "note", {"for": key}, CLOCK.now())
        return 2

    store.on("topic", lambda key, prepared: told.append((key, prepared)), prepare=prepare)

    def work(session: Session, *, fails: bool = False) -> None:
        runs.append(session, "r", 1, "note", {}, CLOCK.now())
        wake(session, "topic", "key")
        if fails:
            raise LookupError

    with pytest.raises(LookupError):
        await store.write(functools.partial(work, fails=True))
    assert (count(store), told) == (0, [])
    store.write_now(work)  # nobody would hear of what was prepared
    assert (count(store), told) == (1, [])
    await store.write(work)
    assert (count(store), told) == (2, [("key", 2)])


async def test_a_write_that_need_not_wait_for_the_disk_is_seen_by_all_and_changes_nothing_for_the_next(
    store: Store, another_store: OpenStore
) -> None:
    def setting(session: Session) -> str:
        asked = "PRAGMA synchronous" if store.is_sqlite else "SHOW synchronous_commit"
        return str(session.connection().exec_driver_sql(asked).scalar())

    lasting = await store.write(setting)
    assert await store.write(setting, synced=False) != lasting
    await store.write(lambda session: runs.append(session, "r", 1, "note", {}, CLOCK.now()), synced=False)
    assert count(another_store()) == 1
    quick, slow = await asyncio.gather(store.write(setting, synced=False), store.write(setting))
    assert slow == lasting
    assert quick in {lasting, await store.write(setting, synced=False)}
    assert await store.write(setting) == lasting
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    alone = asyncio.create_task(store.write(setting, synced=False))
    await asyncio.sleep(0)
    await asyncio.gather(alone, store.write(setting))
    assert len(commits) == (1 if store.is_sqlite else 2)
