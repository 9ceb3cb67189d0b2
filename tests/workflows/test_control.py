"""Pausing, deleting and correcting workflows: who may, what is kept, and what later runs are given."""

import shutil
from pathlib import Path

import pytest

from bot.engine.charter_keeper import CharterKeeper
from bot.engine.workflow_files import FileProblemError, WorkflowFiles
from kernel.clock import FixedClock
from kernel.errors import NotAllowed, NotFound
from kernel.store import Store, ledger, runs, schedules
from tests.workflows.world import KINDS, World, at, workflow
from workflows.engine.control import Control
from workflows.engine.overview import Overview

DAILY = """
name: daily
description: Says hello
channel: "#general"
owner: finance
trigger: {cron: "0 9 * * *", missed: all}
steps:
  - ask: {agent: lead, prompt: Say hello}
  - post: {text: "{steps.ask.text}"}
"""


class Shelf:
    """Files that are only names."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    async def remove(self, name: str) -> str:
        self.removed.append(name)
        return f"workflows/deleted/{name}.yaml"


class Office:
    """A world with people who say things about its workflow."""

    def __init__(self, store: Store) -> None:
        self.world = World(store, FixedClock(at("2026-03-02 12:00")), workflow(DAILY))
        self.files = Shelf()
        self.control = Control(
            self.world.launch, self.world.rights.team, self.files, lambda person, _run: person.id != "ida"
        )
        self.overview = Overview(self.world.launch, self.world.situation.kinds)
        self.people = self.world.rights.team.people

    async def answered(self, run_id: str, answer: str) -> None:
        [child] = await self.world.children(run_id)
        await self.world.end(child, runs.DONE, answer=answer)
        await self.world.work()


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


async def test_a_paused_workflow_does_not_begin_and_what_is_left_out_is_in_its_history(office: Office) -> None:
    world = office.world
    await world.scheduler.ring()
    assert "Paused **daily**" in await office.control.pause("daily", office.people["bo"])
    assert "is paused already" in await office.control.pause("daily", office.people["bo"])
    assert "| `daily` | Says hello | paused | never |" in await office.overview.listed()
    world.clock.advance(days=1)
    assert await world.scheduler.ring() == []
    assert "left out: the workflow was paused" in await office.overview.history("daily")
    assert "**Paused** since Mon 02 Mar 2026 13:00" in await office.overview.shown("daily")
    await office.control.resume("daily", office.people["dee"])  # an administrator may always
    assert "is not paused" in await office.control.resume("daily", office.people["dee"])
    assert await world.scheduler.ring() == []  # what was left out is not made up for
    world.clock.advance(days=1)
    assert len(await world.scheduler.ring()) == 1
    kinds = await world.store.read(lambda session: [row.kind for row in ledger.entries(session)])
    assert kinds == ["workflow.paused", "workflow.resumed", "workflow"]


@pytest.mark.parametrize("verb", ["pause", "resume", "delete"])
async def test_only_who_decides_about_a_workflow_changes_it(office: Office, verb: str) -> None:
    with pytest.raises(NotAllowed, match="About daily decides somebody of finance or admin"):
        await getattr(office.control, verb)("daily", office.people["ann"])
    with pytest.raises(NotFound, match="no workflow 'weekly'"):
        await getattr(office.control, verb)("weekly", office.people["bo"])
    office.world.rights.team.down = {"finance"}
    with pytest.raises(NotAllowed, match="cannot look up your role"):
        await getattr(office.control, verb)("daily", office.people["bo"])
    assert office.files.removed == []


async def test_a_deleted_workflow_keeps_its_history(office: Office) -> None:
    run = await office.world.run_now("daily")
    assert "workflows/deleted/daily.yaml" in await office.control.delete("daily", office.people["bo"])
    office.world.workflows = {}
    assert run.ref in await office.overview.history("daily")
    with pytest.raises(NotFound):
        await office.overview.history("weekly")


async def test_a_correction_is_given_to_the_next_run_with_its_source(office: Office) -> None:
    world = office.world
    first = await world.run_now("daily")
    await office.answered(first.id, "Hello")
    said = await office.control.correct(first.ref, "Say it\n in French", office.people["ann"])
    assert f"with your name and {first.ref} as its source" in said
    world.clock.advance(hours=1)
    second = await world.run_now("daily")
    [child] = await world.children(second.id)
    assert f"- Ann, 2026-03-02, about {first.ref}: Say it in French" in child.request
    listed = await office.overview.corrections("daily")
    assert f"1. “Say it in French” (Ann, Mon 02 Mar 2026 13:00, about {first.ref})" in listed
    with pytest.raises(NotAllowed):
        await office.control.withdraw("daily", 1, office.people["ida"])
    with pytest.raises(NotFound, match="no correction 2"):
        await office.control.withdraw("daily", 2, office.people["ann"])
    await office.control.withdraw("daily", 1, office.people["ann"])
    third = await world.run_now("daily")
    [child] = await world.children(third.id)
    assert "French" not in child.request


async def test_nobody_corrects_what_they_cannot_see(office: Office) -> None:
    run = await office.world.run_now("daily")
    with pytest.raises(NotFound, match="that you can see"):
        await office.control.correct(run.ref, "Wrong", office.people["ida"])
    with pytest.raises(NotAllowed, match="Only members"):
        await office.control.correct(run.ref, "Wrong", office.people["zoe"])
    with pytest.raises(NotAllowed, match="at most 1000"):
        await office.control.correct(run.ref, "x" * 1001, office.people["ann"])
    mine = await office.world.happened("no workflow")
    with pytest.raises(NotFound):
        await office.control.correct(mine.ref, "Wrong", office.people["ann"])


async def test_the_history_says_what_became_of_each_firing(office: Office) -> None:
    world = office.world
    assert "has not begun so far" in await office.overview.history("daily")
    await world.scheduler.ring()
    world.clock.advance(days=12)
    begun = await world.scheduler.ring()
    assert len(begun) == 1  # ten are kept by the policy, and one is at work at a time
    said = await office.overview.history("daily")
    assert "missed (2 times)" in said
    assert "waits for the run before it to end" in said
    await world.work()
    await office.answered(begun[0].id, "Hello")
    assert f"done ({begun[0].ref})" in await office.overview.history("daily")
    rows = await world.firings("daily")
    assert sum(row.state == schedules.BEGUN for row in rows) == 2


async def test_the_files_are_changed_whole_and_only_if_the_charter_takes_it(tmp_path: Path) -> None:
    folder = tmp_path / "charter"
    shutil.copytree(Path(__file__).parents[2] / "charter", folder)
    shutil.rmtree(folder / "rules")
    for agent in folder.glob("agents/*.md"):
        agent.write_text("\n".join(line for line in agent.read_text().splitlines() if not line.startswith("tools:")))
    keeper = CharterKeeper(folder, {}, KINDS)
    files = WorkflowFiles(folder, keeper.check, keeper.look)
    before = sorted(path.name for path in folder.glob("workflows/*"))
    with pytest.raises(
        FileProblemError, match=r"hello was not taken: workflows/hello.yaml:\d+: unknown channel '#genral'"
    ):
        await files.add("hello", DAILY.replace("daily", "hello").replace("#general", "#genral"))
    assert sorted(path.name for path in folder.glob("workflows/*")) == before
    assert await files.add("hello", DAILY.replace("daily", "hello")) == "workflows/hello.yaml"
    assert "hello" in keeper.current.workflows  # in force when it returns
    follows = DAILY.replace("daily", "follows").replace(
        'trigger: {cron: "0 9 * * *", missed: all}', "trigger: {after: {workflow: hello}}"
    )
    await files.add("follows", follows)
    with pytest.raises(FileProblemError, match=r"hello cannot be deleted.*unknown workflow 'hello'"):
        await files.remove("hello")
    assert "hello" in keeper.current.workflows
    assert await files.remove("follows") == "workflows/deleted/follows.yaml"
    assert await files.remove("hello") == "workflows/deleted/hello.yaml"
    await files.add("hello", DAILY.replace("daily", "hello"))
    assert await files.remove("hello") == "workflows/deleted/hello-2.yaml"
    assert "hello" not in keeper.current.workflows
    with pytest.raises(NotFound):
        await files.remove("hello")
