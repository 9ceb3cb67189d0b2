"""Whatever happens between Bosun and a platform, people see each message once, in order, in its last form."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.engine.adapter import Capabilities
from bot.engine.edit_pace import EditPace
from bot.engine.sender import Sender
from kernel.errors import OutcomeUnknown, PlatformError, RateLimited, TargetGone
from kernel.store import outbox, runs, wake
from kernel.types import Actor, Place, Progress, Text
from tests.fakes.platform import FakePlatform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kernel.clock import FixedClock
    from kernel.store import Store

ROOM = Place(platform="fake", tenant="t", channel="general")
ANN = Actor(platform="fake", tenant="t", user="ann")


@asynccontextmanager
async def sending(store: Store, clock: FixedClock, platform: FakePlatform, owner: str = "me") -> AsyncIterator[Sender]:
    sender = Sender(store, clock, owner, {"fake": platform})
    await sender.start()
    try:
        yield sender
    finally:
        await sender.stop()


async def put(store: Store, clock: FixedClock, row_id: str, text: str, place: Place = ROOM) -> None:
    await store.write(lambda session: outbox.put(session, row_id, place, Text(markdown=text), clock.now()))


async def test_messages_of_a_channel_are_posted_in_order(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform()
    async with sending(store, clock, platform):
        for number in range(5):
            await put(store, clock, f"o{number}", f"text {number}")
        await platform.until(lambda: len(platform.posts) == 5)
    assert platform.texts() == [f"text {number}" for number in range(5)]


async def test_a_file_goes_into_the_thread_of_the_message_that_it_belongs_to(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform()
    await put(store, clock, "o1", "A digest")
    await store.write(
        lambda session: outbox.put_file(session, "o2", ROOM, "a.png", b"\x89PNG", "A chart", clock.now(), "o1", "run")
    )
    async with sending(store, clock, platform):
        await platform.until(lambda: "o2" in platform.posts)
    assert platform.origin[platform.files["o2"].thread or ""] == "o1"


async def test_a_row_that_was_queued_twice_is_posted_once(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform()
    async with sending(store, clock, platform):
        await put(store, clock, "o1", "first")
        await put(store, clock, "o1", "again")
        await put(store, clock, "o2", "last")
        await platform.until(lambda: "o2" in platform.posts)
    assert platform.texts() == ["first", "last"]


async def test_what_a_dead_process_was_sending_is_looked_for_before_it_is_posted_again(
    store: Store, clock: FixedClock
) -> None:
    platform = FakePlatform()
    for row_id in ("arrived", "lost"):
        place = ROOM.model_copy(update={"channel": row_id})
        await put(store, clock, row_id, row_id, place)
        row = await claim(store, clock, place.lane, "dead")
        assert row is not None
        if row_id == "arrived":
            await platform.post(row)
    async with sending(store, clock, platform):
        await platform.until(lambda: "lost" in platform.posts)
    assert sorted(platform.posts) == ["arrived", "lost"]


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform()
    platform.lost.append(OutcomeUnknown("The connection broke."))
    async with sending(store, clock, platform) as sender:
        await put(store, clock, "o1", "text")
        await platform.until(lambda: platform.posts == ["o1"])
        await settled(store, "o1", clock, sender)
    assert platform.posts == ["o1"]
    assert await state(store, "o1") == outbox.SENT


@pytest.mark.parametrize("failure", [PlatformError("500"), RateLimited("429", retry_after=3)], ids=["500", "429"])
async def test_a_post_that_cannot_be_looked_for_at_once_is_not_posted_twice_either(
    store: Store, clock: FixedClock, failure: PlatformError
) -> None:
    platform = FakePlatform()
    platform.lost.append(OutcomeUnknown("The connection broke."))
    platform.blind.append(failure)
    async with sending(store, clock, platform) as sender:
        await put(store, clock, "o1", "text")
        await platform.until(lambda: platform.posts == ["o1"])
        await settled(store, "o1", clock, sender)
    assert not platform.blind
    assert platform.posts == ["o1"]
    assert await state(store, "o1") == outbox.SENT


async def test_failures_delay_a_message_and_nothing_overtakes_it(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform()
    platform.failures.extend([PlatformError("500"), RateLimited("429", retry_after=3)])
    async with sending(store, clock, platform) as sender:
        await put(store, clock, "o1", "first")
        await put(store, clock, "o2", "second")
        await settled(store, "o2", clock, sender)
    assert platform.texts() == ["first", "second"]


async def test_edits_made_while_one_is_on_its_way_coalesce_to_the_last(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform(capabilities=Capabilities(edit_interval=3))
    async with sending(store, clock, platform) as sender:
        await store.write(lambda session: outbox.put(session, "o1", ROOM, Progress(title="0"), clock.now()))
        await platform.until(lambda: platform.posts == ["o1"])
        for number in range(1, 20):
            await revise(store, "o1", Progress(title=str(number)))
        await revise(store, "o1", Text(markdown="done"))
        await settled(store, "o1", clock, sender)
    assert platform.texts() == ["done"]
    assert len(platform.edits) < 10


async def test_a_deleted_message_is_posted_anew_with_its_last_form(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform()
    async with sending(store, clock, platform) as sender:
        await put(store, clock, "o1", "before")
        await settled(store, "o1", clock, sender)
        platform.failures.append(TargetGone("message_not_found"))
        await revise(store, "o1", Text(markdown="after"))
        await platform.until(lambda: len(platform.posts) == 2)
    assert platform.texts() == ["before", "after"]


async def test_who_asked_gets_the_answer_in_a_dm_when_the_channel_is_closed(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform()
    platform.failures.append(TargetGone("is_archived"))
    await store.write(lambda session: session.add(run_of_ann(clock)))
    async with sending(store, clock, platform):
        await store.write(
            lambda session: outbox.put(session, "o1", ROOM, Text(markdown="42"), clock.now(), run_id="run")
        )
        await platform.until(lambda: platform.posts == ["o1-dm"])
    assert "42" in platform.texts()[0]
    assert await state(store, "o1") == outbox.DEAD


async def test_a_message_that_cannot_be_posted_for_a_day_is_given_up(store: Store, clock: FixedClock) -> None:
    platform = FakePlatform()
    platform.failures.append(PlatformError("500"))
    await put(store, clock, "o1", "old")
    clock.advance(hours=25)
    async with sending(store, clock, platform) as sender:
        await settled(store, "o1", clock, sender)
    assert platform.posts == []


async def test_two_processes_never_send_in_one_channel_at_once(store: Store, clock: FixedClock) -> None:
    await put(store, clock, "o1", "first")
    await put(store, clock, "o2", "second")
    assert await claim(store, clock, ROOM.lane, "a") is not None
    assert await claim(store, clock, ROOM.lane, "b") is None


async def state(store: Store, row_id: str) -> str:
    return (await store.read(lambda session: session.get_one(outbox.OutboxRow, row_id))).state


async def settled(store: Store, row_id: str, clock: FixedClock, sender: Sender) -> None:
    """Let the time of every retry come until the row is sent or given up."""
    while True:
        await sender.drained()
        if await state(store, row_id) in (outbox.SENT, outbox.DEAD):
            return
        clock.time += timedelta(seconds=61)
        await store.write(lambda session: wake(session, outbox.TOPIC, ROOM.lane))


async def claim(store: Store, clock: FixedClock, lane: str, owner: str) -> outbox.Claimed | None:
    return await store.write(lambda session: outbox.claim(session, lane, owner, clock.now()))


def test_messages_that_grow_at_the_same_time_share_one_rate() -> None:
    capabilities, pace = Capabilities(edit_interval=1.0, edit_share=0.7), EditPace()
    alone, crowded = _edits(pace, capabilities, 1), _edits(EditPace(), capabilities, 40)
    assert 55 <= alone <= 61
    assert crowded <= 60 / 0.7 + 40  # the first edit of each comes at once
    pace.ended("row0")
    assert pace.due("row0", capabilities, datetime(2026, 1, 1, tzinfo=UTC)) is None


def _edits(pace: EditPace, capabilities: Capabilities, growing: int) -> int:
    """How many edits so many messages that change all the time get in a minute."""
    now, count = datetime(2026, 1, 1, tzinfo=UTC), 0
    for _ in range(600):
        for number in range(growing):
            if pace.due(f"row{number}", capabilities, now) is None:
                pace.edited(f"row{number}", now)
                count += 1
        now += timedelta(seconds=0.1)
    return count


async def revise(store: Store, row_id: str, body: Progress | Text) -> None:
    await store.write(lambda session: outbox.revise(session, row_id, body))


def run_of_ann(clock: FixedClock) -> runs.Run:
    return runs.Run(
        id="run",
        ref="R-ANN1",
        agent="lead",
        requester="ann",
        requester_actor=ANN.model_dump(),
        place=ROOM.model_dump(),
        request="?",
        created_at=clock.now(),
        updated_at=clock.now(),
    )
