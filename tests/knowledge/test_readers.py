"""Nobody reads through Bosun what they could not read without it: on any path, whatever has happened before."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from kernel.store import open_store
from tests.knowledge.readers_machine import ReadersMachine
from tests.knowledge.readers_world import ReadersWorld

EXAMPLES = {"sqlite": 5, "postgres": 2}


@pytest.mark.parametrize("database", list(EXAMPLES))
def test_nobody_is_told_what_they_may_not_read(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> None:
    store = open_store(request.getfixturevalue(f"{database}_with_tables"))
    with asyncio.Runner() as loop:
        opened = ReadersWorld(store, tmp_path)
        loop.run(opened.knowledge.start())

        class Machine(ReadersMachine):
            world = opened
            runner = loop

        try:
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=EXAMPLES[database],
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            loop.run(opened.knowledge.stop())
            store.close()
