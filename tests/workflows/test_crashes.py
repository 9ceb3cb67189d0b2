"""A process that dies at any of its writes, before or after the commit: the next one finishes and doubles nothing."""

import asyncio
import contextlib
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import select

from kernel.clock import CountedIds, FixedClock
from kernel.store import Session, Store, approvals, open_store, runs, workflows
from kernel.store.engines import open_engine
from tests.rules.people import account
from tests.rules.world import World as Rights
from tests.workflows import killed
from tests.workflows.world import World, workflow
from workflows.engine.forms import Forms

T = TypeVar("T")


class WatchedStore(Store):
    """A store that keeps what a process would leave behind that died before or after a write."""

    def __init__(self, folder: Path, clock: FixedClock) -> None:
        super().__init__(open_engine(f"sqlite:///{folder / DATABASE}"))
        self.path = folder
        self.clock = clock
        self.writes = 0
        self.left: dict[tuple[int, bool], tuple[Path, datetime]] = {}  # (write, committed) -> data folder, and when

    async def write(self, work: Callable[[Session], T], *, synced: bool = True) -> T:
        self.writes += 1
        if self.writes in CALLS:
            self._keep(committed=False)
        result = await super().write(work, synced=synced)
        self._keep(committed=True)
        return result

    def _keep(self, *, committed: bool) -> None:
        copy = self.path / f"{self.writes}-{committed}"
        copy.mkdir()
        for effects in self.path.glob("*.txt"):
            shutil.copy(effects, copy)
        with (
            contextlib.closing(sqlite3.connect(self.path / DATABASE)) as source,
            contextlib.closing(sqlite3.connect(copy / DATABASE)) as target,
        ):
            source.backup(target)
        self.left[self.writes, committed] = copy, self.clock.time


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
WRITES = 32  # of the whole run
CALLS = range(18, 32)  # around the calls, a death before a commit is another thing than one after the commit before
DATABASE = "bosun.sqlite3"


@pytest.fixture(scope="module")
def whole(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedStore]:
    """A process that went through the whole run."""
    folder, clock = tmp_path_factory.mktemp("whole"), FixedClock()
    shutil.copy(sqlite_template, folder / DATABASE)
    store = WatchedStore(folder, clock)
    asyncio.run(through_long(long_world(store, folder, clock, 0)))
    yield store
    store.close()


def test_there_is_a_death_at_every_write(whole: WatchedStore) -> None:
    assert whole.writes == WRITES


@pytest.mark.parametrize(
    ("dies_at", "committed"), [*((n, True) for n in range(1, WRITES + 1)), *((n, False) for n in CALLS)]
)
async def test_a_long_run_survives_a_death_at_any_write(whole: WatchedStore, dies_at: int, *, committed: bool) -> None:
    folder, at = whole.left[dies_at, committed]
    store = open_store(f"sqlite:///{folder / DATABASE}")
    try:
        world = long_world(store, folder, FixedClock(at), 1000)
        await through_long(world)
        [run] = [run for run in await world.all_runs() if run.parent_id is None]
        assert run.state == runs.DONE
        happened = sorted(line.split(" ")[0] for line in set(world.rights.happened))
        assert happened == ["deploy", "pay"]  # repeated: same key
        assert sorted(await world.posts()) == ["A: yes", "B: yes", "C: yes", "Closing", "Opening"]
    finally:
        store.close()


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
