"""What the Discord adapter asks of the rest of Bosun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.text_command import TextCommand
    from kernel.types import Actor, Inbound, Place


class TeamSide(Protocol):
    """The team's side of things, as they are at the moment of the question."""

    async def engaged(self, place: Place, text: str) -> bool:
        """Whether a message there is for us without a mention."""
        ...

    def awaited(self, place: Place, emoji: str) -> bool:
        """Whether some workflow waits for that emoji on a message there."""
        ...

    async def root_of(self, place: Place, message: str) -> str | None:
        """The thread for which this message of ours was posted; None for a message that is not ours."""
        ...

    async def event_of(self, message: str) -> Inbound | None:
        """The event that brought this message; None where none did."""
        ...

    async def taken(self, lane: str, messages: list[str]) -> frozenset[str]:
        """Those of the messages that outbox rows are known to have brought."""
        ...

    async def suggest(self, kind: str, actor: Actor, place: Place, typed: str) -> list[str]:
        """What may stand behind the command `kind` (or as "agent"), for somebody who has typed so much there."""
        ...

    async def tell_operators(self, key: str, text: str) -> None:
        """Say something in the operators' channel, once for each key."""
        ...

    def accounts(self) -> Iterable[str]:
        """Discord accounts of the people whom the charter lists."""
        ...

    def commands(self) -> Iterable[TextCommand]:
        """The text commands."""
        ...
