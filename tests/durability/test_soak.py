"""kill -9 at random instants while people ask and approve: nothing is lost and nothing is done twice.

The full length is `python -m tests.durability.soak --requests 50 --kills 200`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.durability.soak import Soak

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(240)
async def test_on_sqlite_nothing_is_lost_or_done_twice(tmp_path: Path) -> None:
    found = await Soak(tmp_path, None, replicas=1, seed=7).run(requests=10, kills=5)
    assert found.problems == []


@pytest.mark.timeout(240)
async def test_on_postgres_with_two_replicas_nothing_is_lost_or_done_twice(tmp_path: Path, postgres_url: str) -> None:
    found = await Soak(tmp_path, postgres_url, replicas=2, seed=8).run(requests=10, kills=5)
    assert found.problems == []
