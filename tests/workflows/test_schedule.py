"""Which firings are due between the last one and now."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.engine.cron import parse
from workflows.engine.schedule import GRACE, Missed, due

DAILY = parse("0 9 * * *", "UTC")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def days(*numbers: int) -> list[str]:
    return [f"2026-03-{number:02}T09:00" for number in numbers]


@pytest.mark.parametrize("missed", ["skip", "once", "all"])
def test_on_time_is_on_time_under_every_policy(missed: Missed) -> None:
    found = due(DAILY, MONDAY - timedelta(days=1), MONDAY + timedelta(seconds=30), missed)
    assert [fire.at for fire in found.fires] == [MONDAY]
    assert found.last_fire == MONDAY


@pytest.mark.parametrize(
    ("missed", "expected", "skipped"),
    [("skip", days(), 4), ("once", days(6), 3), ("all", days(4, 5, 6), 1)],
)
def test_after_days_of_downtime(missed: Missed, expected: list[str], skipped: int) -> None:
    found = due(DAILY, MONDAY, MONDAY + timedelta(days=4, hours=3), missed, at_most=3)
    assert [fire.key for fire in found.fires] == expected
    assert found.skipped == skipped
    assert found.last_fire == MONDAY + timedelta(days=4)


def test_a_firing_on_time_stands_for_the_missed_ones() -> None:
    found = due(DAILY, MONDAY, MONDAY + timedelta(days=3, seconds=5), "once")
    assert [fire.key for fire in found.fires] == days(5)
    assert found.skipped == 2


def test_nothing_is_due_twice() -> None:
    found = due(DAILY, MONDAY, MONDAY + timedelta(hours=23), "all")
    assert found.fires == ()
    assert found.last_fire == MONDAY


def test_a_minute_schedule_behind_by_less_than_the_grace_loses_nothing() -> None:
    minutely = parse("* * * * *", "UTC")
    assert len(due(minutely, MONDAY, MONDAY + GRACE, "skip").fires) == 2


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.integers(1, 119), min_size=1, max_size=40), start=st.integers(0, 3 * 1440))
def test_however_often_it_is_asked_each_firing_comes_once(steps: list[int], start: int) -> None:
    """Around the change of October, asking every 1 to 119 seconds gives what one walk gives."""
    cron = parse("*/7 1-3 * * *", "Europe/Zurich")
    now = first = datetime(2026, 10, 24, tzinfo=UTC) + timedelta(minutes=start)
    last, seen = first, []
    for step in steps:
        now += timedelta(seconds=step)
        found = due(cron, last, now, "skip")
        seen += [fire.key for fire in found.fires]
        last = found.last_fire
    assert seen == [fire.key for fire in cron.fires(first, now)]
    assert len(set(seen)) == len(seen)
