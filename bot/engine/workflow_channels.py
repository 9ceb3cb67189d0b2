"""The chat as workflows see it: `workflows.engine.channels.Channels` over the adapters and the charter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.sight import reads
from kernel.errors import PlatformError
from workflows.engine.channels import Said, Team

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.engine.adapter import Adapter, Heard
    from bot.engine.directory import TeamDirectory
    from kernel.types import Actor, Person, Place


class WorkflowChannels:
    """Reads channels live, and says which channel may be told about in which."""

    def __init__(self, adapters: Mapping[str, Adapter], directory: TeamDirectory, console: str) -> None:
        """`console` is the address of the web console as people reach it."""
        self.adapters = adapters
        self.directory = directory
        self.console = console

    async def said(self, place: Place, since: datetime, until: datetime, most: int) -> list[Said]:
        """What people said at the top level of the channel, or in the thread, in that time."""
        adapter = self.adapters.get(place.platform)
        if adapter is None:
            raise PlatformError(f"{place.platform} is not connected, so its channels cannot be read.")
        heard = await adapter.thread(place, most)
        return [
            self._said(place, one)
            for one in heard
            if not one.mine and one.sent_at is not None and since <= one.sent_at < until
        ]

    async def answered(self, place: Place, message: str) -> bool:
        """Whether somebody said something below that message."""
        adapter = self.adapters.get(place.platform)
        if adapter is None:
            raise PlatformError(f"{place.platform} is not connected, so its channels cannot be read.")
        return len(await adapter.thread(place.in_thread(message), 2)) > 1

    def team(self) -> Team:
        """Roles, agents and deactivated people of the charter in force."""
        charter = self.directory.charter()
        return Team(
            roles=tuple(charter.roles),
            agents={name: tuple(agent.tools) for name, agent in charter.roster.agents.items()},
            lead=charter.roster.lead.name,
            hands_on=tuple(one.name for one in charter.roster.specialists),
            inactive=tuple(person.name for person in charter.people.values() if not person.active),
        )

    def source(self, name: str, target: Place) -> Place | None:
        """The channel, if everybody who reads the target may read it. What cannot be told counts as no."""
        charter, here = self.directory.charter(), self.directory.channel_name(target)
        place = self.directory.channel(name, target.platform, target.tenant)
        if place is None or place.lane == target.lane:
            return place
        if here not in charter.channels or target.kind != "channel" or name not in charter.channels:
            return None
        if target.external and not place.external:
            return None
        wanted, given = set(charter.channels[name].readers), set(charter.channels[here].readers)
        return place if not wanted or (given and given <= wanted) else None

    def reads(self, person: Person, place: Place) -> bool:
        """Whether the person may read that channel."""
        return reads(self.directory, person, place)

    def direct(self, person: Person, near: Place) -> Actor | None:
        """The account by which the person is written to."""
        return self.directory.reach(person, near.platform)

    def link(self, place: Place, message: str) -> str:
        """An address that opens the message."""
        adapter = self.adapters.get(place.platform)
        return adapter.permalink(place, message) if adapter is not None else ""

    def dashboard(self, place: Place) -> str:
        """A path in the web chat, the console's address elsewhere."""
        return "/home" if place.platform == "web" else f"{self.console}/home"

    def _said(self, place: Place, heard: Heard) -> Said:
        actor = heard.actor
        return Said(
            message=heard.message,
            by=self.directory.person(actor).name or actor.name or actor.user,
            text=heard.text,
            at=heard.sent_at,
            url=self.link(place, heard.message),
            outside=actor.is_bot or actor.is_guest or actor.is_external or place.external,
        )
