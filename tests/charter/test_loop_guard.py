"""Bots and people are answered as often as their budget allows, and never without end."""

from collections.abc import Iterator

import pytest

from bot.engine.loop_guard import LoopGuard
from kernel.clock import CountedIds, FixedClock
from kernel.store import Session, Store, inbox, open_store
from kernel.types import Actor, Inbound, Person, Place

HELPER = Actor(platform="slack", tenant="T1", user="B1", is_bot=True)
OTHER = Actor(platform="slack", tenant="T1", user="B2", is_bot=True)

ANN, BO = Person(id="ann", name="Ann"), Person(id="bo", name="Bo")


def place(thread: str = "1") -> Place:
    return Place(platform="slack", tenant="T1", channel="C1", thread=thread)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(sqlite_with_tables: str) -> Iterator[Store]:
    opened = open_store(sqlite_with_tables)
    yield opened
    opened.close()


class Process:
    """A guard on the database, as one process has it."""

    def __init__(self, store: Store, clock: FixedClock, ids: CountedIds) -> None:
        self.guard = LoopGuard(clock, ids, lambda: 3)
        self.store = store

    def lets(self, actor: Actor, where: Place) -> bool:
        return self.store.write_now(lambda session: self.guard.lets(session, actor, where))


@pytest.fixture
def process(store: Store, clock: FixedClock) -> Process:
    return Process(store, clock, CountedIds())


def test_after_twenty_messages_in_a_minute_a_bot_is_not_answered_for_one(process: Process, clock: FixedClock) -> None:
    assert [process.lets(HELPER, place(str(number))) for number in range(21)] == [True] * 20 + [False]
    assert process.lets(OTHER, place())  # each bot has its own budget
    clock.advance(seconds=59)
    assert not process.lets(HELPER, place())
    clock.advance(seconds=2)
    assert process.lets(HELPER, place())


def test_the_budget_of_a_bot_is_the_same_for_every_process(store: Store, clock: FixedClock) -> None:
    ids = CountedIds()
    one, after_a_restart = Process(store, clock, ids), Process(store, clock, ids)
    assert all(one.lets(HELPER, place(str(number))) for number in range(20))
    assert not after_a_restart.lets(HELPER, place())
    clock.advance(seconds=30)
    assert not one.lets(HELPER, place())


def test_a_slow_loop_ends_too(process: Process, clock: FixedClock) -> None:
    answered = 0
    for _ in range(60):
        answered += process.lets(HELPER, place())
        clock.advance(seconds=10)
    assert answered == 50
    assert process.lets(HELPER, place("another thread"))
    clock.advance(days=1)
    assert process.lets(HELPER, place())


def test_who_asks_too_often_waits_for_a_minute_and_others_do_not(process: Process, clock: FixedClock) -> None:
    guard = process.guard
    assert [guard.has_turn(ANN) for _ in range(5)] == [True, True, True, False, False]
    assert guard.has_turn(BO)
    clock.advance(seconds=59)
    assert not guard.has_turn(ANN)
    clock.advance(seconds=2)
    assert guard.has_turn(ANN)


async def test_who_has_asked_too_often_has_done_so_after_a_restart_as_well(
    store: Store, clock: FixedClock, process: Process
) -> None:
    ann = Actor(platform="slack", tenant="T1", user="ann")

    def ask(number: int) -> None:
        asked = Inbound(key=f"k{number}", kind="mention", place=place(), actor=ann)

        def take(session: Session) -> None:
            inbox.accept(session, asked, f"row-{number}", clock.now())
            inbox.settle(session, f"row-{number}", run_id="run")

        store.write_now(take)

    for number in range(3):
        ask(number)
    await process.guard.remember(store, lambda actor: Person(id=actor.user, name=actor.user))
    assert not process.guard.has_turn(ANN)
    clock.advance(minutes=3)
    later = Process(store, clock, CountedIds())
    await later.guard.remember(store, lambda actor: Person(id=actor.user, name=actor.user))
    assert later.guard.has_turn(ANN)
