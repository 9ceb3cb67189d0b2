"""What was said while Bosun was away. Discord sends nothing again after a restart, so every channel is compared with
where it was heard up to, and read on from there. What comes both ways has the same key and counts once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import discord

from bot.discord.api import CHANNEL_GONE, NO_ACCESS, NO_PERMISSION, calling, number_of
from bot.engine.catching_up import Behind, read_on
from kernel.errors import PlatformError
from kernel.store import cursors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.discord.api import Pace
    from bot.discord.connection import Connection
    from bot.discord.intake import Intake
    from kernel.clock import Clock
    from kernel.store import Store

BACK = timedelta(hours=24)  # how far back is looked
MOST = 200  # messages of one channel or thread
MOST_CHANNELS = 500  # channels, threads and DMs that are read on, the newest first
OVERLAP = timedelta(seconds=60)  # before the cursor, read again: events do not come in order
EXPECTED = frozenset({CHANNEL_GONE, NO_ACCESS, NO_PERMISSION})

Readable = discord.abc.Messageable


class CatchUp:
    """Reads on in the channels, threads and DMs of one server."""

    def __init__(self, store: Store, clock: Clock, pace: Pace, intake: Intake, guild: str) -> None:
        self.store = store
        self.clock = clock
        self.pace = pace
        self.intake = intake
        self.prefix = f"discord:{guild}:"
        self.guild = guild

    async def run(self, client: Connection) -> int:
        """Catch up everywhere, oldest first within a channel; returns how many messages were handed over.

        A channel that was never heard before counts as heard up to now. One that is closed to us is left out.
        """
        since = self.clock.now() - BACK
        await self.intake.cursors.flush()
        rows = await self.store.read(lambda session: cursors.of(session, self.prefix, since))
        heard = {(lane.removeprefix(self.prefix), thread): last for lane, thread, last in rows}
        behind = [
            Behind(lane=f"{self.prefix}{parent}", after=after, read=partial(self._read_on, channel, after))
            for parent, channel, after in [*self._behind(client, heard)][:MOST_CHANNELS]
        ]
        for direct in self._direct(client, heard):
            after = heard[direct, ""]
            read = partial(self._read_direct, client, direct, after)
            behind.append(Behind(lane=f"{self.prefix}{direct}", after=after, read=read))
        await self.intake.cursors.flush()  # what is said from now on in a channel that is new to us is found
        count = await read_on(behind, self.intake.cursors)
        await self.store.write(lambda session: cursors.forget(session, since - BACK))
        return count

    def _behind(self, client: Connection, heard: dict[tuple[str, str], str]) -> Iterator[tuple[str, Readable, str]]:
        """The channels and threads that hold something newer than what was heard, with the id of the channel that it is
        or is in, and where to begin."""
        guild = client.get_guild(int(self.guild))
        if guild is None:
            return
        for channel in guild.text_channels:
            last = str(channel.last_message_id or "")
            gap = self.intake.cursors.gap(f"{self.prefix}{channel.id}")
            known = gap or heard.get((str(channel.id), ""))
            if known is None:
                self.intake.cursors.seen(f"{self.prefix}{channel.id}", last or str(channel.id))
            elif gap or last > known:
                yield str(channel.id), channel, known
        for thread in guild.threads:
            parent = str(thread.parent_id)
            gap = self.intake.cursors.gap(f"{self.prefix}{parent}")
            known = gap or heard.get((parent, str(thread.id))) or heard.get((parent, ""))
            if known is not None and (gap or str(thread.last_message_id or "") > known):
                yield parent, thread, known

    def _direct(self, client: Connection, heard: dict[tuple[str, str], str]) -> list[str]:
        """Channels that were heard and are not of the server: DMs."""
        guild = client.get_guild(int(self.guild))
        known = {str(channel.id) for channel in guild.channels} if guild is not None else set[str]()
        return [channel for channel, thread in heard if not thread and channel not in known]

    async def _read_direct(self, client: Connection, channel_id: str, after: str) -> int:
        try:
            await self.pace.take()
            with calling("show a DM"):
                channel = await client.fetch_channel(int(channel_id))
        except PlatformError as error:
            if number_of(error) not in EXPECTED:
                raise
            return 0
        return await self._read_on(channel, after) if isinstance(channel, discord.DMChannel) else 0

    async def _read_on(self, channel: Readable, after: str) -> int:
        start = discord.utils.snowflake_time(int(after)) - OVERLAP
        oldest = max(start, self.clock.now() - BACK)
        count = 0
        await self.pace.take()
        with calling("show what was said"):
            newest = channel.history(limit=MOST, after=oldest, oldest_first=False)
            found = [message async for message in newest]
        for message in reversed(found):
            if not self.intake.messages.ours(message):
                count += await self.intake.heard(message, caught_up=True)
        return count
