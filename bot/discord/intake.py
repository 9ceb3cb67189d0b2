"""Where every event arrives: stored, once per key; what cannot be stored is remembered as a gap and read again."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.engine.once import Once
from kernel.errors import BosunError, StoreError
from kernel.types import Inbound

if TYPE_CHECKING:
    from collections.abc import Callable

    import discord

    from bot.discord.messages import Messages
    from bot.engine.adapter import Receiver
    from bot.engine.cursors import Cursors

LATER = 3.0  # seconds after which what could not be stored is looked up again

log = logging.getLogger("bosun.discord")


class Intake:
    """Takes what people write. Discord waits for no acknowledgement: what is not stored is fetched from history."""

    def __init__(self, messages: Messages, cursors: Cursors, receive: Receiver, *, gap: Callable[[], None]) -> None:
        self.messages = messages
        self.cursors = cursors
        self.gap = gap  # called some time after something could not be stored
        self.later = LATER
        self._once = Once(receive)
        self._timer: asyncio.TimerHandle | None = None

    async def heard(self, message: discord.Message, *, caught_up: bool = False) -> bool:
        """Store a message that is for us; remember that the channel was heard up to here in any case."""
        lane, number = self._lane(message), str(message.id)
        try:
            inbound = await self.messages.inbound(message, caught_up=caught_up)
            await self.accept(inbound)
        except BosunError as error:
            self.cursors.missed(lane, number)
            log.warning("A message could not be stored and is fetched later: %s", error)
            self._come_back()
            return False
        thread = inbound.place.thread or inbound.message if inbound is not None else None
        self.cursors.seen(lane, number, thread)
        return inbound is not None

    async def changed(self, inbound: Inbound | None) -> None:
        """Store an edit or a deletion; where that fails it is lost, as Discord keeps no record of either."""
        try:
            await self.accept(inbound)
        except StoreError as error:
            log.warning("The change of a message could not be stored: %s", error)

    async def accept(self, inbound: Inbound | None) -> None:
        """Have the event stored, once per key. Raises StoreError."""
        if inbound is not None:
            await self._once.store(inbound)

    def stop(self) -> None:
        """Come back for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _come_back(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.later, self._again)

    def _again(self) -> None:
        self._timer = None
        self.gap()

    def _lane(self, message: discord.Message) -> str:
        channel = getattr(message.channel, "parent_id", None) or message.channel.id
        return f"discord:{self.messages.me.guild}:{channel}"
