"""What people say and do where no request is made, as far as a workflow waits for it. All else is dropped."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.engine.held import is_old
from kernel.errors import PlatformError
from kernel.people import RoleUnknownError
from kernel.store import schedules
from workflows.engine import listening
from workflows.engine.cron import Fire
from workflows.engine.emoji import canonical
from workflows.engine.start import leave_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.engine.adapter import Adapter, Heard
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
    left_out: tuple[Match, ...] = ()  # what it would have begun
    why: str = ""  # that was left out: a state of a firing
    thread: str | None = None  # the message that opens the thread
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
        told = {"text": inbound.text, "by": person.name, "message": inbound.message or ""}
        found = Found(told=told, thread=inbound.place.thread or inbound.message)
        if inbound.actor.is_bot or inbound.actor.is_external:
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
        if is_old(inbound, self.launch.clock.now()):
            return replace(found, left_out=(*matches, *unverified), why=schedules.MISSED)
        if reacted and matches:
            heard = await self._heard(inbound)
            if heard is None:
                return replace(found, left_out=(*matches, *unverified), why=schedules.UNVERIFIED)
            thread = inbound.place.thread or heard.thread or inbound.message
            found = replace(found, thread=thread, told={**told, **self._about(inbound, heard)})
        return replace(found, matches=tuple(matches), left_out=tuple(unverified), why=schedules.UNVERIFIED)

    def begin(self, session: Session, inbound: Inbound, row_id: str, found: Found) -> None:
        """Begin them, in the transaction that settles the event."""
        now, platform, key = self.launch.clock.now(), inbound.place.platform, _key(inbound)
        thread = inbound.place.in_thread(found.thread)
        for match in found.matches:
            told = {"kind": match.trigger.kind, **found.told}
            self.launch.on_event(session, match.workflow, key, now, told, platform=platform, thread=thread)
        for match in found.left_out:  # a key of its own: the same may be tried again
            fire = Fire(at=inbound.sent_at or now, key=f"{key}:{row_id}")
            leave_out(session, match.workflow.name, fire, found.why, now)

    async def _heard(self, inbound: Inbound) -> Heard | None:
        """The message that a reaction is on; None where it cannot be read."""
        try:
            return await self.adapters[inbound.place.platform].read(inbound.place, inbound.message or "")
        except PlatformError as error:
            log.warning("a reaction began nothing, as its message could not be read: %s", error)
            return None

    def _about(self, inbound: Inbound, heard: Heard) -> dict[str, Json]:
        """What runs are told of the message that a reaction is on."""
        place, author = inbound.place, heard.actor
        return {
            "emoji": canonical(inbound.text),
            "text": heard.text,
            "author": "Bosun" if heard.mine else self.directory.person(author).name,
            "url": self.adapters[place.platform].permalink(place, heard.message),
            "outside": author.is_bot or author.is_guest or author.is_external or place.external,
        }


def _key(inbound: Inbound) -> str:
    """The event's own identity; of a reaction: whoever puts the same emoji on the same message."""
    place = inbound.place
    if inbound.kind == "reaction":
        return f"{place.platform}:{place.tenant}/{place.channel}/{inbound.message}/{canonical(inbound.text)}"
    return f"{place.platform}:{inbound.key}"
