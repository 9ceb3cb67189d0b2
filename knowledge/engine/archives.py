"""What the chat source asks of a platform: messages as they are said, changed and deleted, and the history before."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from kernel.types import Frozen, Place


class Told(Frozen):
    """A message of a channel as it is now, or that it is gone."""

    place: Place  # the channel; `thread` is the root's id for a reply, and for a root that has replies
    message: str  # the platform's id
    by: str = ""  # who said it, for people
    outside: bool = False  # said by a bot, a guest or somebody external
    at: datetime  # when it was said first
    changed_at: datetime | None = None  # when its words were changed last
    text: str = ""
    url: str = ""  # permalink
    event: Literal["said", "changed", "gone"] = "said"  # of "gone" nothing is known but the place and the id


class Page(Frozen):
    """Some of a channel's history."""

    messages: tuple[Told, ...] = ()  # every root with all its replies
    before: str = ""  # what to ask for next; empty: this was the beginning of the channel


class Archive(Protocol):
    """A platform that gives back the history of channels, no faster than it may be asked."""

    async def page(self, place: Place, before: str = "") -> Page:
        """The newest messages with their replies; further back with `before`. TargetGone where we may not read it."""
        ...


class Listener(Protocol):
    """Who is told what is said in channels."""

    def wants(self, place: Place) -> bool:
        """Whether what is said there is kept; what is not wanted is not even converted."""
        ...

    async def told(self, told: Told) -> None:
        """A message, its change, or its end. Never raises: what is missed is found when the history is compared."""
        ...
