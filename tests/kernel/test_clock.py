"""Times are aware, ids sort by creation, and the doubles do what they say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from kernel.clock import ALPHABET, CountedIds, FixedClock, SystemClock, SystemIds


def test_the_machine_s_time_is_aware() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_an_id_is_a_ulid() -> None:
    made = SystemIds().new()
    assert len(made) == 26
    assert set(made) <= set(ALPHABET)
    milliseconds = 0
    for digit in made[:10]:
        milliseconds = milliseconds * 32 + ALPHABET.index(digit)
    made_at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert abs(made_at - SystemClock().now()) < timedelta(seconds=10)


def test_ids_sort_by_creation_also_within_a_millisecond() -> None:
    """Rows of one transaction are sent in the order of their ids: the status before the answer."""
    ids = SystemIds()
    made = [ids.new() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_ids_from_many_threads_are_unique_and_sorted_in_each() -> None:
    ids = SystemIds()
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [ids.new() for _ in range(1_000)], range(8)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({made for batch in batches for made in batch}) == 8_000


def test_two_processes_do_not_make_the_same_id() -> None:
    one, other = SystemIds(), SystemIds()
    assert not {one.new() for _ in range(1_000)} & {other.new() for _ in range(1_000)}


def test_a_short_reference_has_the_asked_length() -> None:
    ids = SystemIds()
    assert {len(ids.short()), len(ids.short(8))} == {4, 8}
    assert set(ids.short(200)) <= set(ALPHABET)


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock()
    start = clock.now()
    assert clock.now() == start
    assert clock.advance(hours=4) == start + timedelta(hours=4) == clock.now()


def test_counted_ids_repeat_and_sort() -> None:
    first, again = CountedIds(), CountedIds()
    made = [first.new() for _ in range(100)]
    assert made == [again.new() for _ in range(100)]
    assert made == sorted(set(made))
    assert len({first.short() for _ in range(1_000)}) == 1_000
