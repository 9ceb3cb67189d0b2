"""The buttons of dashboards that are about workflows: `presses.Opener`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.dashboard import WORKFLOW
from bot.engine.sight import reads
from kernel.errors import NotAllowed

if TYPE_CHECKING:
    from bot.engine.workflow_commands import WorkflowCommands
    from kernel.types import Actor, Form, Person, Press
    from workflows.engine.definition import Workflow


def startable(workflow: Workflow, person: Person) -> bool:
    """Whether the person may begin it with a button: it needs nothing that they would have to say."""
    return person.can_decide and bool(workflow.timed) and not any(one.required for one in workflow.inputs.values())


class WorkflowButtons:
    """Begins, pauses and resumes."""

    def __init__(self, workflows: WorkflowCommands) -> None:
        self.workflows = workflows

    async def answer(self, press: Press, person: Person, actor: Actor) -> Form | str:
        """Do it, and say what came of it. NotFound, NotAllowed."""
        name = press.subject.removeprefix(WORKFLOW)
        if press.verb == "run":
            return await self._run(name, person, actor.platform)
        if press.verb == "pause":
            return await self.workflows.control.pause(name, person, actor)
        if press.verb == "resume":
            return await self.workflows.control.resume(name, person, actor)
        return "This button is out of date."

    async def _run(self, name: str, person: Person, platform: str) -> str:
        workflow = self.workflows.launch.get(name)
        if not reads(self.workflows.directory, person, self.workflows.launch.place(workflow, None)):
            raise NotAllowed(f"{name} reports in {workflow.channel}, which you cannot read.")
        if not startable(workflow, person):
            raise NotAllowed(f"{name} does not begin with a button. `workflow {name}` says what it needs.")
        return await self.workflows.run_quietly(name, person, platform)
