"""What people say and do where no request is made, as far as a workflow waits for it. All else is dropped."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.errors import PlatformError
from kernel.people import RoleUnknownError
from kernel.store import schedules
from workflows.engine import listening
from workflows.engine.cron import Fire
from workflows.engine.emoji import canonical
from workflows.engine.start import leave_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.engine.adapter import Adapter
    from bot.engine.directory import TeamDirectory
    from kernel.store import Session
    from kernel.types import Inbound, Json, Person, Place
    from workflows.engine.launch import Launch
    from workflows.engine.listening import Match

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What an event begins."""

    matches: tuple[Match, ...] = ()
    unverified: tuple[Match, ...] = ()  # it would, but who caused it, or what it is about, cannot be told now
    told: Mapping[str, Json]  # what the runs are told of it


class Listeners:
    """Begins workflows for messages and for reactions."""

    def __init__(self, launch: Launch, directory: TeamDirectory, adapters: Mapping[str, Adapter]) -> None:
        self.launch = launch
        self.directory = directory
        self.adapters = adapters

    def wants(self, place: Place, text: str) -> bool:
        """Whether a message begins some workflow; asked of every message, before anything is stored."""
        workflows = self.launch.workflows()
        if not any(trigger.message for workflow in workflows.values() for trigger in workflow.events):
            return False
        return bool(listening.of_message(workflows, self.directory.channel_name(place), text))

    def wants_reaction(self, place: Place, emoji: str) -> bool:
        """Whether an emoji on a message there begins some workflow; asked of every reaction, like `wants`."""
        workflows = self.launch.workflows()
        if not any(trigger.reaction for workflow in workflows.values() for trigger in workflow.events):
            return False
        return bool(listening.of_reaction(workflows, self.directory.channel_name(place), emoji))

    def signs(self) -> list[str]:
        """The emoji that workflows wait for, as characters."""
        return listening.signs(self.launch.workflows())

    async def of(self, inbound: Inbound, person: Person) -> Found:
        """The workflows that this event begins: its person is of the team and holds the role that they name."""
        found = Found(told={"text": inbound.text, "by": person.name, "message": inbound.message or ""})
        if inbound.actor.is_bot or inbound.actor.is_external or inbound.caught_up:
            return found
        workflows, channel = self.launch.workflows(), self.directory.channel_name(inbound.place)
        reacted = inbound.kind == "reaction"
        of = listening.of_reaction if reacted else listening.of_message
        matches, unverified = [], []
        for match in of(workflows, channel, inbound.text):
            try:
                if not match.by or await self.directory.holds(person, match.by, inbound.actor):
                    matches.append(match)
            except RoleUnknownError:  # who cannot be verified begins nothing
                unverified.append(match)
        if reacted and matches:
            about = await self._about(inbound)
            if about is None:
                return Found(unverified=(*matches, *unverified), told=found.told)
            return Found(matches=tuple(matches), unverified=tuple(unverified), told={**found.told, **about})
        return Found(matches=tuple(matches), unverified=tuple(unverified), told=found.told)

    def begin(self, session: Session, inbound: Inbound, row_id: str, found: Found) -> None:
        """Begin them, in the transaction that settles the event."""
        now, platform, key = self.launch.clock.now(), inbound.place.platform, _key(inbound)
        for match in found.matches:
            told = {"kind": match.trigger.kind, **found.told}
            self.launch.on_event(session, match.workflow, key, now, told, platform=platform)
        for match in found.unverified:  # a key of its own: the same may be tried again
            fire = Fire(at=now, key=f"{key}:{row_id}")
            leave_out(session, match.workflow.name, fire, schedules.UNVERIFIED, now)

    async def _about(self, inbound: Inbound) -> dict[str, Json] | None:
        """What a reaction is about; None where the message cannot be read."""
        place, message = inbound.place, inbound.message or ""
        adapter = self.adapters[place.platform]
        try:
            heard = await adapter.read(place, message)
        except PlatformError as error:
            log.warning("a reaction began nothing, as its message could not be read: %s", error)
            return None
        author = heard.actor
        return {
            "emoji": canonical(inbound.text),
            "text": heard.text,
            "author": "Bosun" if heard.mine else self.directory.person(author).name,
            "url": adapter.permalink(place, message),
            "outside": author.is_bot or author.is_guest or author.is_external or place.external,
        }


def _key(inbound: Inbound) -> str:
    """The event's own identity; of a reaction: whoever puts the same emoji on the same message."""
    place = inbound.place
    if inbound.kind == "reaction":
        return f"{place.platform}:{place.tenant}/{place.channel}/{inbound.message}/{canonical(inbound.text)}"
    return f"{place.platform}:{inbound.key}"
