"""What people say about workflows in the chat, answered: `text_command.Workflows`."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from bot.engine.sight import reads
from kernel.errors import NotAllowed
from kernel.store import outbox, schedules
from workflows.engine import picture, wording
from workflows.engine.control import OPERATOR
from workflows.engine.overview import Overview
from workflows.engine.portrait import Portraits
from workflows.engine.rehearsal import Rehearser
from workflows.engine.steps import derived_id

if TYPE_CHECKING:
    from datetime import datetime

    from bot.engine.directory import TeamDirectory
    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.types import Person, Place
    from workflows.engine.control import Control
    from workflows.engine.definition import Workflow
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
        self.portraits = Portraits(situation)

    def may_see(self, person: Person, workflow: Workflow) -> bool:
        """Whether the person reads the channel of its results."""
        return self._is_for(person, self.launch.place(workflow, None))

    def _is_for(self, person: Person, place: Place) -> bool:
        return person.id.startswith(OPERATOR) or reads(self.directory, person, place)

    async def listed(self, person: Person, place: Place) -> str:
        """The workflows that this person may see, as far as everybody may who reads the answer."""
        return await self.overview.listed(
            lambda workflow: self.may_see(person, workflow) and self._fits(workflow, place)
        )

    async def shown(self, name: str, person: Person, place: Place | None) -> str:
        """One workflow in plain words."""
        self._for(name, person, place)
        return await self.overview.shown(name)

    async def corrections(self, name: str, person: Person, place: Place) -> str:
        """What is remembered for its next runs."""
        self._for(name, person, place)
        return await self.overview.corrections(name)

    async def picture(self, name: str, person: Person, place: Place, key: str, at: datetime) -> str:
        """Post the workflow as a picture there; `key` and `at` are those of whoever's message asks for it."""
        workflow = self._for(name, person, place)
        content, alt = await self.drawn(workflow, place.platform)

        def put(session: Session) -> None:
            row = derived_id(at, key, "picture")
            outbox.put_file(session, row, place, f"{name}.png", content, alt, self.launch.clock.now())

        await self.launch.store.write(put)
        return f"**{name}** as a picture. `workflow {name}` says the same in words."

    async def drawn(self, workflow: Workflow, platform: str | None = None) -> tuple[bytes, str]:
        """Its picture as PNG, and what it shows in words."""
        portrait = await self.portraits.of(workflow, self.launch.place(workflow, platform))
        return await asyncio.to_thread(picture.png, portrait), picture.alt_text(portrait)

    async def described(self, workflow: Workflow) -> str:
        """What its picture shows, in words."""
        return picture.alt_text(await self.portraits.of(workflow, self.launch.place(workflow, None)))

    def _for(self, name: str, person: Person, place: Place | None) -> Workflow:
        """The workflow, if the person and everybody who reads that place may see it. NotFound, NotAllowed.

        No place: the answer is for the person alone.
        """
        workflow = self.launch.get(name)
        if not self.may_see(person, workflow):
            raise NotAllowed(f"{name} reports in {workflow.channel}, which you cannot read.")
        if place is not None and not self._fits(workflow, place):
            raise NotAllowed(f"Not everybody here may read {workflow.channel}, where {name} reports. Ask me directly.")
        return workflow

    def _fits(self, workflow: Workflow, place: Place) -> bool:
        """Whether everybody who reads that place may know of it."""
        return place.kind == "dm" or not self.directory.wider(self.launch.place(workflow, place.platform), place)

    async def run_now(self, name: str, said: str, person: Person, place: Place) -> str:
        """Start a workflow on behalf of a person; `said` holds its inputs, `place` is told how it ended."""
        workflow, inputs = self.launch.get(name), inputs_in(said)
        if not self.may_see(person, workflow):
            raise NotAllowed(f"{name} reports in {workflow.channel}, which you cannot read.")
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
        to = wording.result_goes_to(self.launch.get(name), self.overview.kinds)
        return f"Started **{name}** ({run.ref}). {f'Its result goes to {to}' if to else 'It posts nothing'}."

    async def rehearse(self, name: str, said: str, person: Person, place: Place | None) -> str:
        """What it would do now. NotAllowed for who may not read the channel of its result.

        Without a place, as from the machine itself or from a dashboard, it is rehearsed where it ran last.
        """
        workflow = self.launch.get(name)
        target = self.launch.place(workflow, place.platform if place is not None else None)
        if place is None:
            last = await self.launch.store.read(lambda session: schedules.last_place(session, name))
            target = last or target
        if not self._is_for(person, target):
            raise NotAllowed(f"{name} reports what happened in {workflow.channel}, which you cannot read.")
        found = await self.rehearser.rehearse(workflow, target, self.launch.clock.now(), inputs_in(said) or None)
        return f"{found.in_words()}\n\nNothing was done. `run {name}` does it."

    async def history(self, name: str, person: Person, place: Place | None) -> str:
        """What became of its firings; of a workflow that is gone, for who reads where it ran last."""
        if name in self.launch.workflows():
            self._for(name, person, place)
            return await self.overview.history(name)
        last = await self.launch.store.read(lambda session: schedules.last_place(session, name))
        if last is None or not self._is_for(person, last):
            self.launch.get(name)  # as of one that never was
        return await self.overview.history(name)


def inputs_in(said: str) -> dict[str, str]:
    """`customer=ACME note="two words"` as inputs."""
    return {name: value.strip('"') for name, value in INPUT.findall(said)}
