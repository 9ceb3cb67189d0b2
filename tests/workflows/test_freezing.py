"""A workflow that is frozen begins no step, and goes on where it stood."""

from pathlib import Path

import pytest

from kernel.clock import FixedClock
from kernel.store import Store, freezes, runs
from rules.engine import freezing
from tests.rules.world import World as Rights
from tests.workflows.world import World, workflow

PAYING = """
name: paying
description: Pays
channel: "#general"
steps:
  - id: pay
    call: {tool: look, agent: ops, with: {text: x}}
  - id: post
    post: {text: "It is {steps.pay.text}"}
"""


@pytest.mark.parametrize("scope", ["everything", "channel:#general", "tool:look", "agent:ops"])
async def test_a_workflow_is_held_and_goes_on_after_the_thaw(store: Store, tmp_path: Path, scope: str) -> None:
    clock = FixedClock()
    world = World(store, clock, workflow(PAYING), rights=Rights(store, tmp_path, clock=clock))
    state = freezes.FreezeState(scope=scope, by="dee", by_name="Dee", reason="", at=world.clock.now())
    await store.write(lambda session: freezes.add(session, state))
    await world.rights.door.freezes.refresh()
    run = await world.run_now("paying")
    assert run.state == runs.WAITING
    assert await store.read(freezes.held) == {run.id: scope}
    assert await world.posts() == []
    await store.write(lambda session: freezing.thaw(session, scope, world.clock.now()))
    await world.work()
    assert (await world.run(run.id)).state == runs.DONE
    assert await world.posts() == ["It is found x"]
