"""The buttons of dashboards that are about workflows: `presses.Opener`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.dashboard import WORKFLOW
from kernel.errors import NotAllowed
from kernel.types import Action, Confirm, Text

if TYPE_CHECKING:
    from bot.engine.workflow_commands import WorkflowCommands
    from kernel.types import Actor, Body, Form, Person, Press
    from workflows.engine.definition import Workflow


def startable(workflow: Workflow, person: Person) -> bool:
    """Whether the person may begin it with a button: it needs nothing that they would have to say."""
    return person.can_decide and bool(workflow.timed) and not any(one.required for one in workflow.inputs.values())


class WorkflowButtons:
    """Does with a workflow what can be said of it in the chat. Every answer is for the person alone."""

    def __init__(self, workflows: WorkflowCommands, console: str) -> None:
        """`console` is the address of the web console as people reach it."""
        self.workflows = workflows
        self.control = workflows.control
        self.console = console

    async def answer(self, press: Press, person: Person, actor: Actor) -> Form | str | Body:
        """Do it, and say what came of it. NotFound, NotAllowed."""
        name = press.subject.removeprefix(WORKFLOW)
        match press.verb:
            case "open":
                return await self._opened(name, person, actor)
            case "run":
                return await self._run(name, person, actor.platform)
            case "dry-run":
                return await self.workflows.rehearse(name, "", person, None)
            case "history":
                return await self.workflows.history(name, person, None)
            case "pause":
                return await self.control.pause(name, person, actor)
            case "resume":
                return await self.control.resume(name, person, actor)
            case "delete":
                return await self.control.delete(name, person, actor)
        return "This button is out of date."

    async def _run(self, name: str, person: Person, platform: str) -> str:
        workflow = self.workflows.launch.get(name)
        if not self.workflows.may_see(person, workflow):
            raise NotAllowed(f"{name} reports in {workflow.channel}, which you cannot read.")
        if not startable(workflow, person):
            raise NotAllowed(f"{name} does not begin with a button. `workflow {name}` says what it needs.")
        return await self.workflows.run_quietly(name, person, platform)

    async def _opened(self, name: str, person: Person, actor: Actor) -> Text:
        """What it is, and everything that this person can do with it."""
        words = await self.workflows.shown(name, person, None)
        workflow, about = self.workflows.launch.get(name), f"{WORKFLOW}{name}"
        path = f"/workflows/{name}"
        url = path if actor.platform == "web" else f"{self.console}{path}"
        run = Action(subject=about, verb="run", label="Run now", style="primary")
        actions = [run] if startable(workflow, person) else []
        actions += [
            Action(subject=about, verb="dry-run", label="Dry run"),
            Action(subject=about, verb="history", label="History"),
            Action(subject=about, verb="picture", label="Picture", style="link", url=url),
        ]
        if await self.control.may_decide(workflow, person, actor):
            paused = await self.workflows.overview.is_paused(name)
            verb, label = ("resume", "Resume") if paused else ("pause", "Pause")
            said = "Its file leaves the charter; its history stays."
            sure = Confirm(title=f"Delete {name}?"[:80], text=said, label="Delete")
            actions += [
                Action(subject=about, verb=verb, label=label),
                Action(subject=about, verb="delete", label="Delete…", style="danger", confirm=sure, more=True),
            ]
        return Text(markdown=words, actions=tuple(actions))
