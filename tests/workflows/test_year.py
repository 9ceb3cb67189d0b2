"""Schedules over both time changes, with replicas that come and go: the short form.

The full length is `python -m tests.workflows.year --schedules 200 --days 365 --restarts 30 --outages 10 --replicas 3`.
"""

from datetime import date

import pytest

from kernel.store import Store
from tests.workflows.year import simulate


@pytest.mark.parametrize("first", [date(2026, 3, 28), date(2026, 10, 24)])
async def test_every_firing_is_one_run_and_every_other_one_is_recorded(store: Store, first: date) -> None:
    found, total = await simulate(store, 18, first, 3, restarts=3, outages=1)
    assert not found
    assert total > 15
