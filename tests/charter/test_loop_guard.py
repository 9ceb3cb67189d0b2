"""Bots and people are answered as often as their budget allows, and never without end."""

import pytest

from bot.engine.loop_guard import LoopGuard
from kernel.clock import FixedClock
from kernel.types import Actor, Person, Place

HELPER = Actor(platform="slack", tenant="T1", user="B1", is_bot=True)
OTHER = Actor(platform="slack", tenant="T1", user="B2", is_bot=True)

ANN, BO = Person(id="ann", name="Ann"), Person(id="bo", name="Bo")


def place(thread: str = "1") -> Place:
    return Place(platform="slack", tenant="T1", channel="C1", thread=thread)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


def test_after_twenty_messages_in_a_minute_a_bot_is_not_answered_for_one(clock: FixedClock) -> None:
    guard = LoopGuard(clock, lambda: 3)
    assert [guard.lets(HELPER, place(str(number))) for number in range(21)] == [True] * 20 + [False]
    assert guard.lets(OTHER, place())  # each bot has its own budget
    clock.advance(seconds=59)
    assert not guard.lets(HELPER, place())
    clock.advance(seconds=2)
    assert guard.lets(HELPER, place())


def test_a_slow_loop_ends_too(clock: FixedClock) -> None:
    guard = LoopGuard(clock, lambda: 3)
    answered = 0
    for _ in range(200):
        answered += guard.lets(HELPER, place())
        clock.advance(seconds=10)
    assert answered == 50
    assert guard.lets(HELPER, place("another thread"))
    clock.advance(days=1)
    assert guard.lets(HELPER, place())


def test_who_asks_too_often_waits_for_a_minute_and_others_do_not(clock: FixedClock) -> None:
    guard = LoopGuard(clock, lambda: 3)
    assert [guard.has_turn(ANN) for _ in range(5)] == [True, True, True, False, False]
    assert guard.has_turn(BO)
    clock.advance(seconds=59)
    assert not guard.has_turn(ANN)
    clock.advance(seconds=2)
    assert guard.has_turn(ANN)


def test_what_is_remembered_has_an_end(clock: FixedClock) -> None:
    guard = LoopGuard(clock, lambda: 3)
    for number in range(3000):
        guard.lets(HELPER.model_copy(update={"user": f"B{number}"}), place())
    assert len(guard._said) <= 1000
