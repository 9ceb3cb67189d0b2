"""A process that dies at any of its writes, before or after the commit: the next one finishes and doubles nothing."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import select

from kernel.clock import CountedIds, FixedClock
from kernel.store import Session, Store, approvals, runs, workflows
from kernel.store.database import open_engine
from tests.rules.people import account
from tests.rules.world import World as Rights
from tests.workflows import killed
from tests.workflows.world import World, workflow
from workflows.engine.forms import Forms

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

    async def write(self, work: Callable[[Session], T], *, synced: bool = True) -> T:
        self.left -= 1
        if self.left == 0 and not self.committed:
            raise Died
        result = await super().write(work, synced=synced)
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
        await world.store.write(lambda session: world.launch.run_now(session, "flow"))
    while True:
        await world.work()
        waiting = [run for run in await world.all_runs() if run.parent_id and run.state == runs.QUEUED]
        if not waiting:
            return
        for child in waiting:
            await world.end(child, runs.DONE, answer="Yes.")


LONG = """
name: long
description: Twelve steps with a person, a branch and a loop
channel: "#general"
steps:
  - id: facts
    collect: {if_empty: go_on}
  - id: names
    ask: {agent: lead, prompt: Whom?, result: {type: array}}
  - id: opening
    post: {text: "Opening"}
  - id: most
    form: {question: How much?, who: finance, fields: [{id: sum, label: Sum, type: number}]}
  - id: ok
    approve: {headline: "Go on?", who: finance}
  - branch:
      if: {value: "{steps.most.data.sum}", at_least: 5}
      then:
        - id: deploy
          call: {tool: deploy, agent: ops, with: {environment: staging, build: 7}}
      else:
        - post: {text: "Too little"}
  - id: all
    each:
      in: "{steps.names.data}"
      as: name
      parallel: 2
      do:
        - id: one
          ask: {agent: lead, prompt: "What of {name}?"}
        - id: line
          post: {text: "{name}: {steps.one.text}"}
  - wait: {for: 1h}
  - id: pay
    call: {tool: pay, agent: ops, with: {account: CH1, amount: 20}}
  - id: closing
    post: {text: "Closing"}
"""
RULES = """
version: 1
rules:
  - {id: all, why: A workflow may., tool: [deploy, pay], decision: allow}
"""
WRITES = range(1, 38)  # more than the whole run needs, so that none is left out
CALLS = range(18, 32)  # around the calls, a death before a commit is another thing than one after the commit before


@pytest.mark.parametrize(("dies_at", "committed"), [*((n, True) for n in WRITES), *((n, False) for n in CALLS)])
async def test_a_long_run_survives_a_death_at_any_write(
    store: Store, tmp_path: Path, dies_at: int, *, committed: bool
) -> None:
    clock = FixedClock()
    dying = DyingStore(str(store.engine.url), dies_at, committed=committed)
    try:
        await through_long(long_world(dying, tmp_path, clock, 0))
    except Died:
        await through_long(long_world(store, tmp_path, clock, 1000))
    finally:
        dying.close()
    world = long_world(store, tmp_path, clock, 2000)
    [run] = [run for run in await world.all_runs() if run.parent_id is None]
    assert run.state == runs.DONE
    assert sorted(line.split(" ")[0] for line in set(world.rights.happened)) == ["deploy", "pay"]  # repeated: same key
    assert sorted(await world.posts()) == ["A: yes", "B: yes", "C: yes", "Closing", "Opening"]


def long_world(store: Store, folder: Path, clock: FixedClock, count: int) -> World:
    """A process with the long workflow."""
    ids = CountedIds()
    ids.count = count
    rights = Rights(store, folder, clock=clock, ids=ids)
    rights.rules(RULES)
    return World(store, clock, workflow(LONG), ids=ids, rights=rights)


async def through_long(world: World) -> None:
    """Begin the run where there is none, and do everybody's part until it is at its end."""
    if not await world.all_runs():
        await world.store.write(lambda session: world.launch.run_now(session, "long"))
    for _ in range(40):
        await world.wake()
        run = next(run for run in await world.all_runs() if run.parent_id is None)
        if run.state in runs.FINAL:
            return
        await _everybody(world, run)
        world.clock.advance(minutes=10)
    raise AssertionError("the run does not come to its end")


async def _everybody(world: World, run: runs.Run) -> None:
    for child in await world.children(run.id):
        if child.state == runs.QUEUED:
            await world.end(child, runs.DONE, answer='["A", "B", "C"]' if "Whom" in child.request else "yes")
    actor = account("bo")
    forms = Forms(world.store, world.clock, world.rights.team)
    for form in await world.store.read(workflows.open_forms):
        await forms.fill_in(form.ref, {"sum": "7"}, world.rights.team.person(actor), actor)
    for row in await world.store.read(lambda session: approvals.of_run(session, run.id)):
        if row.state == approvals.PENDING and row.kind == "unknown":  # a person looks what really happened
            happened = any(line.startswith(row.tool) for line in world.rights.happened)
            await world.rights.vote("dee", row.ref, "done" if happened else "repeat")
        elif row.state == approvals.PENDING:
            await world.rights.vote("bo", row.ref)


async def test_a_run_whose_process_is_killed_again_and_again_comes_to_its_end_with_each_effect_once(
    store: Store, tmp_path: Path
) -> None:
    url = str(store.engine.url)
    for number in range(120):  # by turns after one write and after two: one that repeats a call needs the second
        code = await asyncio.to_thread(killed.process, url, tmp_path, number, 1 + number % 2)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    else:
        raise AssertionError("the run does not come to its end")
    assert number > 20
    world = long_world(store, tmp_path, FixedClock(), 0)
    everything = await world.all_runs()
    assert {run.state for run in everything} == {runs.DONE}
    assert len([run for run in everything if run.parent_id is None]) == 1
    assert len([run for run in everything if run.parent_id is not None]) == 4  # the agent was asked once for each
    assert sorted(line.split(" ")[0] for line in set(world.rights.happened)) == ["deploy", "pay"]
    assert sorted(await world.posts()) == ["A: yes", "B: yes", "C: yes", "Closing", "Opening"]
    [form] = await store.read(lambda session: list(session.exec(select(workflows.FormRequest))))
    assert form.state == workflows.ANSWERED
