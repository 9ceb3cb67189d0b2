"""What people say where no request is made, as far as a workflow waits for it. All else is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.people import RoleUnknownError
from workflows.engine import listening

if TYPE_CHECKING:
    from bot.engine.directory import TeamDirectory
    from kernel.store import Session
    from kernel.types import Inbound, Person, Place
    from workflows.engine.launch import Launch


class Listeners:
    """Begins workflows for messages."""

    def __init__(self, launch: Launch, directory: TeamDirectory) -> None:
        self.launch = launch
        self.directory = directory

    def wants(self, place: Place, text: str) -> bool:
        """Whether a message begins some workflow; asked of every message, before anything is stored."""
        workflows = self.launch.workflows()
        if not any(trigger.message for workflow in workflows.values() for trigger in workflow.events):
            return False
        return bool(listening.of_message(workflows, self.directory.channel_name(place), text))

    async def of(self, inbound: Inbound, person: Person) -> list[listening.Match]:
        """The workflows that this event begins: its person is of the team and holds the role that they name."""
        if inbound.actor.is_bot or inbound.actor.is_external or inbound.caught_up:
            return []
        workflows, channel = self.launch.workflows(), self.directory.channel_name(inbound.place)
        found = []
        for match in listening.of_message(workflows, channel, inbound.text):
            try:
                if not match.by or await self.directory.holds(person, match.by, inbound.actor):
                    found.append(match)
            except RoleUnknownError:  # who cannot be verified begins nothing
                continue
        return found

    def begin(self, session: Session, inbound: Inbound, person: Person, matches: list[listening.Match]) -> None:
        """Begin them, in the transaction that settles the event."""
        for match in matches:
            told = {
                "kind": match.trigger.kind,
                "text": inbound.text,
                "by": person.name,
                "message": inbound.message or "",
            }
            key = f"{inbound.place.platform}:{inbound.key}"
            now, platform = self.launch.clock.now(), inbound.place.platform
            self.launch.on_event(session, match.workflow, key, now, told, platform=platform)
