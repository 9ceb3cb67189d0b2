"""Schedules over both time changes, with replicas that come and go: the short form.

The full length is `python -m tests.workflows.year --schedules 200 --days 365 --restarts 30 --outages 10 --replicas 3`.
"""

from datetime import date

import pytest

from kernel.store import Store, open_store
from tests.workflows.year import simulate


@pytest.mark.parametrize("first", [date(2026, 3, 28), date(2026, 10, 24)])
async def test_every_firing_is_one_run_and_every_other_one_is_recorded(store: Store, first: date) -> None:
    found, total = await simulate([store], 18, first, 3, restarts=3, outages=1)
    assert not found
    assert total > 15


async def test_replicas_with_connections_of_their_own_begin_each_firing_once(postgres_with_tables: str) -> None:
    stores = [open_store(postgres_with_tables) for _ in range(3)]
    try:
        found, total = await simulate(stores, 12, date(2026, 3, 28), 2, restarts=2, outages=1)
    finally:
        for store in stores:
            store.close()
    assert not found
    assert total > 5
