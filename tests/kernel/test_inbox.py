"""One event is one row, and one worker settles it, however many processes hear of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from kernel.clock import CountedIds, FixedClock
from kernel.store import Session, Store, inbox
from kernel.store.runs import Conversation
from kernel.types import Actor, Inbound, Place

PLACE = Place(platform="slack", tenant="T1", channel="C1")
MIA = Actor(platform="slack", tenant="T1", user="U1")


def event(key: str, place: Place = PLACE, text: str = "hello", **changes: object) -> Inbound:
    message = key.rpartition("/")[2]
    made = Inbound(key=key, kind="mention", place=place, actor=MIA, message=message, text=text)
    return made.model_copy(update=changes)


def accept(session: Session, heard: Inbound, row_id: str) -> bool:
    return inbox.accept(session, heard, row_id, FixedClock().now())


def new(store: Store) -> list[str]:
    now = FixedClock().now()
    return [row.id for row in store.read_now(lambda session: inbox.unprocessed(session, now))]


async def test_the_same_event_in_two_processes_is_one_row(stores: tuple[Store, Store], ids: CountedIds) -> None:
    heard = event("T1/C1/1")
    fresh = await asyncio.gather(
        *(stores[n % 2].write(partial(accept, heard=heard, row_id=ids.new())) for n in range(24))
    )
    assert sorted(fresh) == [False] * 23 + [True]
    assert len(new(stores[0])) == 1


async def test_different_events_at_once_are_all_kept(stores: tuple[Store, Store], ids: CountedIds) -> None:
    fresh = await asyncio.gather(
        *(stores[n % 2].write(partial(accept, heard=event(f"T1/C1/{n}"), row_id=ids.new())) for n in range(40))
    )
    assert all(fresh)
    assert len(new(stores[1])) == 40


def test_the_same_key_on_two_platforms_is_two_events(store: Store) -> None:
    there = PLACE.model_copy(update={"platform": "discord"})
    assert store.write_now(partial(accept, heard=event("1"), row_id="a"))
    assert store.write_now(partial(accept, heard=event("1", there), row_id="b"))


def test_an_event_comes_back_as_it_came(store: Store) -> None:
    heard = event("T1/C1/1", text="Grüße \0 🎉", redelivered=True, sent_at=FixedClock().now())
    store.write_now(partial(accept, heard=heard, row_id="a"))
    row = store.read_now(lambda session: inbox.get(session, "a"))
    assert row is not None
    assert row.inbound == heard
    assert (row.state, row.lane, row.message) == (inbox.NEW, PLACE.lane, "1")


def test_a_redelivery_changes_nothing(store: Store) -> None:
    store.write_now(partial(accept, heard=event("1", text="first"), row_id="a"))
    store.write_now(lambda session: inbox.settle(session, "a"))
    assert not store.write_now(partial(accept, heard=event("1", text="second"), row_id="b"))
    row = store.read_now(lambda session: inbox.get(session, "a"))
    assert row is not None
    assert (row.inbound.text, row.state) == ("first", inbox.DONE)


def test_what_nobody_has_looked_at_comes_oldest_first(store: Store, ids: CountedIds) -> None:
    made = [ids.new() for _ in range(5)]
    for row_id in reversed(made):
        store.write_now(partial(accept, heard=event(row_id), row_id=row_id))
    store.write_now(lambda session: inbox.settle(session, made[2]))
    assert new(store) == [made[0], made[1], made[3], made[4]]


async def test_one_worker_settles_an_event(stores: tuple[Store, Store]) -> None:
    stores[0].write_now(partial(accept, heard=event("1"), row_id="a"))
    done = await asyncio.gather(
        *(stores[n % 2].write(lambda session: inbox.settle(session, "a", run_id="r")) for n in range(12))
    )
    assert sorted(done) == [False] * 11 + [True]


def conversation(store: Store, conversation_id: str, active: str | None) -> None:
    now = FixedClock().now()
    row = Conversation(
        id=conversation_id,
        platform="slack",
        tenant="T1",
        channel=conversation_id,
        thread="",
        place=PLACE.model_dump(),
        active_run_id=active,
        active_at=now,
        created_at=now,
    )

    def add(session: Session) -> None:
        session.add(row)

    store.write_now(add)


def test_messages_that_wait_are_found_by_their_conversation_and_once_it_is_free(store: Store, ids: CountedIds) -> None:
    conversation(store, "busy", "run")
    conversation(store, "free", None)
    made = {place: [ids.new(), ids.new()] for place in ("busy", "free")}
    for place, row_ids in made.items():
        for row_id in row_ids:
            store.write_now(partial(accept, heard=event(row_id), row_id=row_id))
            store.write_now(
                partial(inbox.settle, row_id=row_id, state=inbox.WAITING, conversation_id=place),
            )
    waiting = store.read_now(lambda session: [row.id for row in inbox.waiting(session, "busy")])
    assert waiting == made["busy"]
    assert store.read_now(inbox.conversations_waiting) == ["free"]
    assert store.write_now(lambda session: inbox.settle(session, waiting[0], run_id="r", conversation_id="busy"))
    assert store.read_now(lambda session: [row.id for row in inbox.waiting(session, "busy")]) == waiting[1:]


def test_what_waits_is_taken_up_in_the_order_in_which_it_was_said(store: Store) -> None:
    said = FixedClock().now()
    for seconds, row_id in [(2, "a"), (1, "b"), (3, "c")]:  # the platform delivered the second one first
        heard = event(f"T1/C1/{seconds}", sent_at=said + timedelta(seconds=seconds))
        store.write_now(partial(accept, heard=heard, row_id=row_id))
        store.write_now(partial(inbox.settle, row_id=row_id, state=inbox.WAITING, conversation_id="busy"))
    assert store.read_now(lambda session: [row.id for row in inbox.waiting(session, "busy")]) == ["b", "a", "c"]


async def test_two_processes_take_up_what_was_held_once(stores: tuple[Store, Store], ids: CountedIds) -> None:
    made = [ids.new() for _ in range(3)]
    for row_id in made:
        stores[0].write_now(partial(accept, heard=event(row_id), row_id=row_id))
        stores[0].write_now(partial(inbox.settle, row_id=row_id, state=inbox.HELD, conversation_id="c"))
    held = stores[0].read_now(lambda session: [row.id for row in inbox.held(session, PLACE.lane)])
    assert held == made
    taken = await asyncio.gather(
        *(stores[n % 2].write(lambda session: inbox.unhold(session, held, inbox.WAITING)) for n in range(6))
    )
    assert sorted(map(len, taken)) == [0, 0, 0, 0, 0, 1]


def test_the_event_behind_a_message_is_found_in_its_own_channel(store: Store) -> None:
    store.write_now(partial(accept, heard=event("T1/C1/7"), row_id="a"))
    other = PLACE.model_copy(update={"channel": "C2"})
    found = store.read_now(lambda session: inbox.by_message(session, PLACE, "7"))
    assert found is not None
    assert found.id == "a"
    assert store.read_now(lambda session: inbox.by_message(session, other, "7")) is None
    assert store.read_now(lambda session: inbox.by_message(session, PLACE, None)) is None
