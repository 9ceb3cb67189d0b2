"""The typing indicator while there is work in a thread: Discord shows it for ten seconds at a time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.discord.api import calling
from bot.engine.again import insist
from kernel.errors import PlatformError

if TYPE_CHECKING:
    import discord

    from bot.discord.api import Pace

AGAIN = 8.0  # seconds
LONGEST = 600.0  # seconds; then a progress message says more than typing could

log = logging.getLogger("bosun.discord")


class Typing:
    """Types in channels until told to stop. A sign: what Discord refuses is not asked for again."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.again = AGAIN
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, channel: discord.PartialMessageable) -> None:
        """Type there."""
        key = str(channel.id)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._type(channel), name=f"discord-typing-{key}")

    def stop(self, channel: str) -> None:
        """Something was said there, or the work rests."""
        task = self._tasks.pop(channel, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Type nowhere any more."""
        for channel in list(self._tasks):
            self.stop(channel)

    async def _type(self, channel: discord.PartialMessageable) -> None:
        async def once() -> None:
            with calling("type"):
                await channel.typing()

        try:
            for _ in range(int(LONGEST / self.again)):
                if self.pace.spare():
                    await insist(once)
                await asyncio.sleep(self.again)
        except PlatformError as error:
            log.debug("no typing: %s", error)
        finally:
            self._tasks.pop(str(channel.id), None)
