"""A run moves on once for each decision, a transcript line is written once, and a late writer is fenced."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from kernel.clock import CountedIds, FixedClock
from kernel.store import Session, Store, calls, runs
from kernel.store.database import insert_new
from kernel.store.runs import Conversation, Run
from kernel.types import Place

PLACE = Place(platform="slack", tenant="T1", channel="C1")
CLOCK = FixedClock()
NOW = CLOCK.now()


def begin(store: Store, run_id: str = "r", state: str = runs.QUEUED, **changes: Any) -> None:
    values: dict[str, Any] = {
        "id": run_id,
        "ref": f"R-{run_id}".upper(),
        "agent": "ops",
        "requester": "mia",
        "place": PLACE.model_dump(mode="json"),
        "request": "hello",
        "created_at": NOW,
        "updated_at": NOW,
        "state": state,
    }
    store.write_now(lambda session: runs.begin(session, Run(**(values | changes)), {"text": "hello"}))


def run_of(store: Store, run_id: str = "r") -> Run:
    return store.read_now(lambda session: session.get_one(Run, run_id))


async def test_beginning_a_run_wakes_the_engine_with_its_first_segment(store: Store) -> None:
    woken: list[str] = []
    store.on(runs.READY, woken.append)
    row = Run(id="r", ref="R-1", agent="ops", requester="mia", place={}, request="x", created_at=NOW, updated_at=NOW)
    await store.write(lambda session: runs.begin(session, row, {"text": "hello"}))
    assert woken == ["r:1"]
    (entry,) = await store.read(lambda session: runs.transcript(session, "r"))
    assert (entry.number, entry.kind, entry.content) == (1, "user", {"text": "hello"})


async def test_of_many_decisions_one_starts_the_next_segment(stores: tuple[Store, Store]) -> None:
    begin(stores[0], state=runs.WAITING)
    moved = await asyncio.gather(
        *(stores[n % 2].write(lambda session: runs.next_segment(session, "r", NOW)) for n in range(12))
    )
    assert sorted(moved) == [False] * 11 + [True]
    run = run_of(stores[0])
    assert (run.state, run.segment) == (runs.QUEUED, 2)


@pytest.mark.parametrize("state", [runs.QUEUED, *runs.FINAL])
def test_only_a_run_that_waits_goes_on(store: Store, state: str) -> None:
    begin(store, state=state)
    assert not store.write_now(lambda session: runs.next_segment(session, "r", NOW))
    assert run_of(store).segment == 1


async def test_a_segment_put_off_wakes_nobody_and_is_ready_at_its_time(store: Store) -> None:
    begin(store, state=runs.WAITING)
    woken: list[str] = []
    store.on(runs.READY, woken.append)
    later = NOW + timedelta(minutes=5)
    await store.write(lambda session: runs.next_segment(session, "r", NOW, retry_at=later))
    assert woken == []
    assert await store.read(lambda session: runs.ready(session, NOW, NOW)) == []
    assert await store.read(lambda session: runs.ready(session, later, NOW)) == [("r", 2)]


def test_runs_with_a_segment_to_run_are_found_oldest_first(store: Store) -> None:
    begin(store, "b")
    begin(store, "a")
    begin(store, "waits", state=runs.WAITING)
    begin(store, "done", state=runs.DONE)
    begin(store, "fresh", updated_at=NOW + timedelta(seconds=1))
    assert store.read_now(lambda session: runs.ready(session, NOW, NOW)) == [("a", 1), ("b", 1)]


async def test_a_line_of_the_transcript_is_written_once(stores: tuple[Store, Store]) -> None:
    begin(stores[0])
    written = await asyncio.gather(
        *(
            stores[n % 2].write(
                partial(runs.append, run_id="r", number=2, kind="assistant", content={"by": n}, now=NOW)
            )
            for n in range(12)
        )
    )
    assert sorted(written) == [False] * 11 + [True]
    _, line = stores[0].read_now(lambda session: runs.transcript(session, "r"))
    assert line.content == {"by": written.index(True)}


def test_a_late_writer_is_fenced(store: Store) -> None:
    begin(store, state=runs.WAITING)
    store.write_now(lambda session: runs.next_segment(session, "r", NOW))
    assert store.read_now(lambda session: runs.fence(session, "r", 1)) is None
    assert store.read_now(lambda session: runs.fence(session, "r", 2)) is not None
    assert store.read_now(lambda session: runs.fence(session, "none", 1)) is None
    assert not store.read_now(lambda session: calls.is_current(session, "r", 1))
    assert store.read_now(lambda session: calls.is_current(session, "r", 2))


@pytest.mark.parametrize("state", runs.FINAL)
def test_a_finished_run_is_fenced_whatever_its_segment(store: Store, state: str) -> None:
    begin(store, state=state)
    assert store.read_now(lambda session: runs.fence(session, "r", 1)) is None
    assert not store.read_now(lambda session: calls.is_current(session, "r", 1))


async def test_a_fence_holds_the_run_until_the_end_of_the_transaction(stores: tuple[Store, Store]) -> None:
    """Read, think, write: what two processes add up within fences comes out whole."""
    begin(stores[0])

    def count(session: Session) -> None:
        run = runs.fence(session, "r", 1)
        assert run is not None
        run.model_calls += 1
        session.add(run)

    await asyncio.gather(*(stores[n % 2].write(count) for n in range(20)))
    assert run_of(stores[0]).model_calls == 20


async def test_two_messages_in_one_thread_make_one_conversation(stores: tuple[Store, Store], ids: CountedIds) -> None:
    def values(conversation_id: str) -> dict[str, Any]:
        place = PLACE.model_dump(mode="json")
        key = {"platform": "slack", "tenant": "T1", "channel": "C1", "thread": "7"}
        return {"id": conversation_id, "place": place, "active_at": NOW, "created_at": NOW, **key}

    made = [ids.new() for _ in range(8)]
    fresh = await asyncio.gather(
        *(
            stores[n % 2].write(partial(insert_new, table=Conversation, values=values(row_id)))
            for n, row_id in enumerate(made)
        )
    )
    assert sorted(fresh) == [False] * 7 + [True]
    found = stores[0].read_now(lambda session: runs.conversation_at(session, PLACE.in_thread("7")))
    assert found is not None
    assert found.id == made[fresh.index(True)]
    assert stores[0].read_now(lambda session: runs.conversation_at(session, PLACE)) is None


def call(call_id: str, use_id: str = "u") -> dict[str, Any]:
    return {
        "id": call_id,
        "run_id": "r",
        "use_id": use_id,
        "entry": 2,
        "agent": "ops",
        "tool": "post_message",
        "arguments": {"channel": "#finance"},
        "digest": "d",
        "state": runs.STARTED,
        "created_at": NOW,
    }


async def test_a_use_of_a_tool_is_one_call(stores: tuple[Store, Store], ids: CountedIds) -> None:
    made = [ids.new() for _ in range(10)]
    fresh = await asyncio.gather(
        *(stores[n % 2].write(partial(calls.add, **call(call_id))) for n, call_id in enumerate(made))
    )
    assert sorted(fresh) == [False] * 9 + [True]
    found = stores[0].read_now(lambda session: calls.get(session, "r", "u"))
    assert found is not None
    assert found.id == made[fresh.index(True)]


async def test_the_first_result_of_a_call_stays(stores: tuple[Store, Store]) -> None:
    stores[0].write_now(partial(calls.add, **call("c")))
    done = await asyncio.gather(
        *(stores[n % 2].write(partial(calls.finish, call_id="c", result={"by": n}, now=NOW)) for n in range(10))
    )
    assert sorted(done) == [False] * 9 + [True]
    found = stores[0].read_now(lambda session: calls.by_id(session, "c"))
    assert found is not None
    assert (found.state, found.result) == (runs.CALL_DONE, {"by": done.index(True)})


def test_a_call_is_moved_only_from_where_it_is(store: Store) -> None:
    store.write_now(partial(calls.add, **call("c")))
    assert not store.write_now(lambda session: calls.move(session, "c", (runs.ASKED,), runs.STARTED))
    assert not store.write_now(lambda session: calls.refuse(session, "c", (runs.ASKED,), {}, NOW))
    assert store.write_now(lambda session: calls.move(session, "c", (runs.STARTED,), runs.UNKNOWN))


def test_calls_come_in_the_order_in_which_they_were_proposed(store: Store) -> None:
    for call_id, use_id, entry in (("b", "1", 2), ("a", "2", 4), ("c", "3", 2)):
        store.write_now(partial(calls.add, **(call(call_id, use_id) | {"entry": entry})))
    assert [row.id for row in store.read_now(lambda session: runs.calls(session, "r"))] == ["b", "c", "a"]


def test_a_reference_is_free_and_found_in_any_case(store: Store, ids: CountedIds) -> None:
    taken = {CountedIds().short()}
    begin(store, "x", ref=f"R-{next(iter(taken))}")
    ref = store.read_now(lambda session: runs.free_ref(session, ids))
    assert ref.startswith("R-")
    assert ref.removeprefix("R-") not in taken
    begin(store, "y", ref=ref)
    found = store.read_now(lambda session: runs.by_ref(session, ref.lower()))
    assert found is not None
    assert found.id == "y"
