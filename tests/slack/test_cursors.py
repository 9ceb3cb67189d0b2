"""How far a channel was heard never goes back, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from kernel.clock import FixedClock
from kernel.store import Store, cursors, open_store

LANE = "slack:T0:C0"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty database of each kind."""
    store = open_store(request.getfixturevalue(f"{request.param}_with_tables"))
    yield store
    store.close()


def test_a_cursor_moves_forward_only(database: Store) -> None:
    clock = FixedClock()

    def hear(last: str) -> None:
        heard = {(LANE, ""): last, (LANE, "1.0"): last}
        database.write_now(lambda session: cursors.advance(session, heard, clock.now()))

    for last in ("1700000001.000000", "1700000003.000000", "1700000002.000000"):
        hear(last)
    rows = database.read_now(lambda session: cursors.of(session, "slack:T0:", clock.now()))
    assert sorted(rows) == [(LANE, "", "1700000003.000000"), (LANE, "1.0", "1700000003.000000")]
    assert database.read_now(lambda session: cursors.of(session, "slack:T_:", clock.now())) == []


def test_quiet_threads_are_forgotten_and_channels_are_not(database: Store) -> None:
    clock = FixedClock()
    heard = {(LANE, ""): "1.0", (LANE, "1.0"): "1.0"}
    database.write_now(lambda session: cursors.advance(session, heard, clock.now()))
    later = clock.now() + timedelta(days=3)
    assert database.read_now(lambda session: cursors.of(session, "slack:", later)) == [(LANE, "", "1.0")]
    database.write_now(lambda session: cursors.forget(session, later))
    start = clock.now() - timedelta(days=1)
    assert database.read_now(lambda session: cursors.of(session, "slack:", start)) == [(LANE, "", "1.0")]
