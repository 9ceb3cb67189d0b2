"""A platform outside: what people do and what goes wrong in Slack and Discord alike, and never in the web chat."""

from __future__ import annotations

from abc import abstractmethod
from random import Random  # noqa: TID251  seeded by whoever asks for a storm
from typing import ClassVar

from tests.behaviours.chat import Chat, Spot


class Outside(Chat):
    """Slack or Discord in the hands of the team."""

    strangers: ClassVar[dict[str, str]]  # stranger, guest, outsider, robot, helper: accounts that are in no file
    posting: str  # what the fake calls a post
    editing: str  # what it calls an edit

    @abstractmethod
    async def edit(self, message: str, text: str, at: Spot) -> None:
        """The author changes a message; without a root it stands in the channel itself."""

    @abstractmethod
    async def delete(self, message: str, at: Spot) -> None:
        """The author deletes a message."""

    @abstractmethod
    def meanwhile(self, person: str, text: str, at: Spot) -> str:
        """Write something that no event tells of, because Bosun is away; returns the id of the message."""

    @abstractmethod
    async def again(self, spot: Spot) -> bool:
        """Have the events of the thread's root sent again, and wait until they are taken; whether all of them were."""

    @abstractmethod
    async def caught_up(self) -> None:
        """Wait until what was said meanwhile is handed over."""

    @abstractmethod
    def fail(self, operation: str, fault: str, times: int = 1) -> None:
        """Have the next calls of this kind fail."""

    @abstractmethod
    def storm(self, random: Random, share: float) -> None:
        """Have that share of all calls fail in one of the ways that a network knows, until it is healed."""

    @abstractmethod
    async def ask_from_outside(self, text: str) -> Spot:
        """Somebody who is no member asks, where such people can."""

    @abstractmethod
    def group(self, person: str) -> tuple[dict[str, str], str, str]:
        """A group with only this person in it: how a role names it, the call that looks it up, how that is refused."""

    @abstractmethod
    async def say_elsewhere(self, text: str) -> None:
        """Ann mentions Bosun in another workspace or server; returns once it has heard of that."""

    @abstractmethod
    def open_dialogs(self, person: str) -> int:
        """How many dialogs stand open in front of a person."""
