"""What people say about workflows in the chat, answered: `text_command.Workflows`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.engine.sight import reads
from kernel.errors import NotAllowed, NotFound
from kernel.store import schedules
from workflows.engine.overview import Overview
from workflows.engine.rehearsal import Rehearser

if TYPE_CHECKING:
    from bot.engine.directory import TeamDirectory
    from kernel.store.runs import Run
    from kernel.types import Person, Place
    from workflows.engine.control import Control
    from workflows.engine.launch import Launch
    from workflows.engine.situation import Situation

INPUT = re.compile(r"([a-z][a-z0-9_]*)\s*=\s*(\"[^\"]*\"|\S+)")


class WorkflowCommands:
    """Lists, shows, begins and rehearses workflows; what changes them is `control`."""

    def __init__(self, launch: Launch, situation: Situation, directory: TeamDirectory, control: Control) -> None:
        self.launch = launch
        self.directory = directory
        self.control = control
        self.overview = Overview(launch, situation.kinds)
        self.rehearser = Rehearser(situation)

    async def run_now(self, name: str, said: str, person: Person, place: Place) -> str:
        """Start a workflow on behalf of a person; `said` holds its inputs, `place` is told how it ended."""
        inputs = inputs_in(said)
        run = await self.launch.store.write(
            lambda session: self.launch.run_now(session, name, asked_by=person.id, report_to=place, inputs=inputs)
        )
        return self._started(name, run)

    async def run_quietly(self, name: str, person: Person, platform: str) -> str:
        """Start it where nobody but the person is told of it; its result goes to its channel on this platform."""
        run = await self.launch.store.write(
            lambda session: self.launch.run_now(session, name, asked_by=person.id, platform=platform)
        )
        return self._started(name, run)

    def _started(self, name: str, run: Run) -> str:
        channel = self.launch.get(name).channel
        return f"Started **{name}** ({run.ref}). Its result goes to {channel}."

    async def rehearse(self, name: str, said: str, person: Person, place: Place | None) -> str:
        """What it would do now. NotAllowed for who may not read the channel of its result.

        Without a place, as from the machine itself, it is rehearsed where it ran last.
        """
        workflow = self.launch.get(name)
        target = self.launch.place(workflow, place.platform if place is not None else None)
        if place is None:
            last = await self.launch.store.read(lambda session: schedules.last_place(session, name))
            target = last or target
        elif not reads(self.directory, person, target):
            raise NotAllowed(f"{name} reports what happened in {workflow.channel}, which you cannot read.")
        found = await self.rehearser.rehearse(workflow, target, self.launch.clock.now(), inputs_in(said) or None)
        return f"{found.in_words()}\n\nNothing was done. `run {name}` does it."

    async def of_run(self, name: str, person: Person) -> str:
        """The history of a workflow. NotFound for who may not read its channel."""
        workflow = self.launch.workflows().get(name)
        if workflow is not None and not reads(self.directory, person, self.launch.place(workflow, None)):
            raise NotFound(f"{name} reports in {workflow.channel}, which you cannot read.")
        return await self.overview.history(name)


def inputs_in(said: str) -> dict[str, str]:
    """`customer=ACME note="two words"` as inputs."""
    return {name: value.strip('"') for name, value in INPUT.findall(said)}
