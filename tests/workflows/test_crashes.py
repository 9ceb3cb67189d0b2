"""A process that dies at any of its writes, before or after the commit: the next one finishes and doubles nothing."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from kernel.clock import CountedIds, FixedClock
from kernel.store import Session, Store, runs
from kernel.store.database import open_engine
from tests.workflows.world import World, workflow

T = TypeVar("T")

FLOW = """
name: flow
description: Collects, asks and posts twice
channel: "#general"
steps:
  - id: facts
    collect: {if_empty: go_on}
  - id: first
    post: {text: "First"}
  - id: summary
    ask: {agent: lead, prompt: Sum it up., reads: [facts]}
  - id: second
    post: {text: "Second: {steps.summary.text}"}
"""


class Died(Exception):
    """The process is gone."""


class DyingStore(Store):
    """A store whose process dies at its n-th write."""

    def __init__(self, url: str, dies_at: int, *, committed: bool) -> None:
        super().__init__(open_engine(url))
        self.left = dies_at
        self.committed = committed

    async def write(self, work: Callable[[Session], T]) -> T:
        self.left -= 1
        if self.left == 0 and not self.committed:
            raise Died
        result = await super().write(work)
        if self.left == 0:
            raise Died
        return result


@pytest.mark.parametrize("committed", [False, True], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("dies_at", range(1, 9))
async def test_a_death_at_any_write(store: Store, dies_at: int, *, committed: bool) -> None:
    clock = FixedClock()
    dying = DyingStore(str(store.engine.url), dies_at, committed=committed)
    try:
        await _through(World(dying, clock, workflow(FLOW)))
    except Died:
        survivor = World(store, clock, workflow(FLOW), ids=CountedIds())
        survivor.ids.count = 1000
        await _through(survivor)
    finally:
        dying.close()
    everything = await World(store, clock).all_runs()
    parents = [run for run in everything if run.parent_id is None]
    assert {run.state for run in everything} == {runs.DONE}
    assert len(everything) == 2 * len(parents)
    assert sorted(await World(store, clock).posts()) == ["First", "Second: Yes."]


async def _through(world: World) -> None:
    """Begin the run where there is none, and see it to its end; the agent answers at once."""
    if not await world.all_runs():
        await world.store.write(lambda session: world.scheduler.run_now(session, "flow"))
    while True:
        await world.work()
        waiting = [run for run in await world.all_runs() if run.parent_id and run.state == runs.QUEUED]
        if not waiting:
            return
        for child in waiting:
            await world.end(child, runs.DONE, answer="Yes.")
