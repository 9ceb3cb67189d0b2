"""The page of a workflow in the web console: its picture, its steps in words, what became of its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.web.views import WorkflowView

if TYPE_CHECKING:
    from bot.engine.workflow_commands import WorkflowCommands
    from kernel.types import Person
    from workflows.engine.definition import Workflow


class WorkflowPages:
    """Shows workflows to people who read the channel of their results."""

    def __init__(self, commands: WorkflowCommands) -> None:
        self.commands = commands

    async def of(self, name: str, person: Person) -> WorkflowView | None:
        """The page; None if there is no such workflow that this person may see."""
        workflow = self._known(name, person)
        if workflow is None:
            return None
        overview = self.commands.overview
        return WorkflowView(
            name=name,
            alt=await self.commands.described(workflow),
            words=await overview.shown(name),
            history=await overview.history(name),
        )

    async def picture(self, name: str, person: Person) -> bytes | None:
        """Its picture as PNG."""
        workflow = self._known(name, person)
        return None if workflow is None else (await self.commands.drawn(workflow))[0]

    def _known(self, name: str, person: Person) -> Workflow | None:
        workflow = self.commands.launch.workflows().get(name)
        return workflow if workflow is not None and self.commands.may_see(person, workflow) else None
