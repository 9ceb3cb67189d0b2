"""What steps need of the chat: what was said in a channel, who may read it, and addresses that open it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from kernel.types import Frozen

if TYPE_CHECKING:
    from kernel.types import Actor, Person, Place


class Said(Frozen):
    """A message of a person, as it stands in a channel."""

    message: str  # the platform's id
    by: str  # name
    text: str
    at: datetime
    url: str = ""  # opens it; empty where the platform has no addresses
    outside: bool = False  # by a bot, a guest or somebody of another team


class Team(Frozen):
    """Who works here, as reports tell it."""

    roles: tuple[str, ...]
    agents: dict[str, tuple[str, ...]]  # name -> its tools
    lead: str = "lead"  # the agent that can hand requests on
    hands_on: tuple[str, ...] = ()  # to these
    inactive: tuple[str, ...] = ()  # names of people who may decide nothing any more


class Channels(Protocol):
    """The chat, as workflows see it."""

    async def said(self, place: Place, since: datetime, until: datetime, most: int) -> list[Said]:
        """What people said in [since, until), oldest first, the newest `most`: in the thread, or at the top level.

        PlatformError where the platform does not say.
        """
        ...

    async def answered(self, place: Place, message: str) -> bool:
        """Whether somebody said something below that message. PlatformError where the platform does not say."""
        ...

    def source(self, name: str, target: Place) -> Place | None:
        """The channel `name` on the target's platform, if whoever reads `target` may read it; None otherwise."""
        ...

    def reads(self, person: Person, place: Place) -> bool:
        """Whether the person may read that channel; what cannot be told counts as no."""
        ...

    def direct(self, person: Person, near: Place) -> Actor | None:
        """The account by which the person is written to, on the platform of `near` if they are there."""
        ...

    def link(self, place: Place, message: str) -> str:
        """An address that opens the message; empty where there is none."""
        ...

    def team(self) -> Team:
        """Roles, agents and deactivated people of the charter in force."""
        ...

    def dashboard(self, place: Place) -> str:
        """The address of the dashboard, for people who read that place."""
        ...
