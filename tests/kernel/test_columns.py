"""What is stored is what is read, on both databases."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.store import Session, Store
from kernel.store.payments import Payment
from kernel.store.runs import Entry

WHENEVER = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ON_ONE_DATABASE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def kept(store: Store, entry: Entry) -> Entry:
    def write(session: Session) -> None:
        session.merge(entry)

    store.write_now(write)
    return store.read_now(lambda session: session.get_one(Entry, (entry.run_id, entry.number)))


@ON_ONE_DATABASE
@given(when=WHENEVER)
def test_a_time_comes_back_exactly(store: Store, when: datetime) -> None:
    entry = Entry(run_id="r", number=1, kind="note", content=0, created_at=when)
    assert kept(store, entry).created_at == when


@ON_ONE_DATABASE
@given(value=VALUES.filter(lambda value: value is not None))
def test_a_json_value_comes_back_as_it_was(store: Store, value: object) -> None:
    entry = Entry(run_id="r", number=1, kind="note", content=value, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert kept(store, entry).content == value


def test_a_time_of_another_zone_is_the_same_instant(store: Store) -> None:
    summer = timezone(timedelta(hours=2))
    entry = Entry(run_id="r", number=1, kind="note", content=0, created_at=datetime(2026, 7, 1, 12, tzinfo=summer))
    found = kept(store, entry).created_at
    assert found == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    entry = Entry(run_id="r", number=1, kind="note", content=0, created_at=datetime(2026, 7, 1))  # noqa: DTZ001
    with pytest.raises(Exception, match="a time without a zone"):
        kept(store, entry)


def test_text_of_every_kind_is_kept_in_plain_columns(store: Store) -> None:
    """All of Unicode but NUL, which Postgres cannot hold in a text column."""
    every = "".join(chr(point) for point in range(1, sys.maxunicode, 97) if not 0xD800 <= point <= 0xDFFF)
    when = datetime(2026, 1, 1, tzinfo=UTC)
    row = Payment(
        id="1",
        ref="P-1",
        payee=every,
        amount="1",
        currency="EUR",
        reference="",
        why="",
        origin="member_text",
        run_id="r",
        requester="p",
        agent="a",
        created_at=when,
    )

    def add(session: Session) -> None:
        session.add(row)

    store.write_now(add)
    assert store.read_now(lambda session: session.get_one(Payment, "1")).payee == every
