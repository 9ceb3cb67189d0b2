"""The buttons of dashboards that are about workflows: `presses.Opener`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.dashboard import WORKFLOW

if TYPE_CHECKING:
    from kernel.types import Actor, Form, Person, Press
    from workflows.engine.control import Control


class WorkflowButtons:
    """Pauses and resumes."""

    def __init__(self, control: Control) -> None:
        self.control = control

    async def answer(self, press: Press, person: Person, actor: Actor) -> Form | str:
        """Do it, and say what came of it. NotFound, NotAllowed."""
        name = press.subject.removeprefix(WORKFLOW)
        if press.verb == "pause":
            return await self.control.pause(name, person, actor)
        if press.verb == "resume":
            return await self.control.resume(name, person, actor)
        return "This button is out of date."
