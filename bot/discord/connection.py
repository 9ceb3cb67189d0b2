"""The client of discord.py, set up for Bosun, and what it hears handed on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.discord.settings import DiscordSettings

LONGEST_WAIT = 30.0  # seconds that the library waits for a rate limit by itself; beyond that we are told


class Ear(Protocol):
    """Who is told what happens on Discord."""

    async def ready(self) -> None:
        """A new session."""
        ...

    async def message(self, message: discord.Message) -> None:
        """Somebody wrote something."""
        ...

    async def edited(self, message: discord.Message) -> None:
        """A message was changed."""
        ...

    async def deleted(self, channel: int, message: int) -> None:
        """A message was deleted."""
        ...

    async def reacted(self, payload: discord.RawReactionActionEvent) -> None:
        """Somebody put an emoji on a message."""
        ...

    async def interaction(self, interaction: discord.Interaction[Any]) -> None:
        """A button was pressed or a dialog submitted. Slash commands go to the command tree."""
        ...

    async def available(self, guild: discord.Guild) -> None:
        """The channels and threads of a server are known, for the first time in this session or again."""
        ...

    async def joined(self, guild: discord.Guild) -> None:
        """The bot was invited to a server."""
        ...


class Connection(discord.Client):
    """One client. Keeps no messages and no members; nobody is ever pinged by default."""

    def __init__(self, settings: DiscordSettings, ear: Ear, *, content: bool) -> None:
        point_to(settings)
        super().__init__(
            intents=intents(content=content),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=LONGEST_WAIT,
            guild_ready_timeout=settings.settle,
        )
        self.ear = ear
        self.in_hand: set[asyncio.Task[Any]] = set()  # events that are being taken

    async def dealt_with(self, patience: float) -> None:
        """Wait until every event that has arrived is taken, for at most `patience` seconds."""
        mine = asyncio.current_task()
        tasks = [task for task in self.in_hand if task is not mine]
        if tasks:
            await asyncio.wait(tasks, timeout=patience)

    async def _take(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.current_task()
        if task is not None:
            self.in_hand.add(task)
            task.add_done_callback(self.in_hand.discard)
        await work

    async def on_ready(self) -> None:
        """discord.py: READY and the servers have arrived."""
        await self.ear.ready()

    async def on_message(self, message: discord.Message) -> None:
        """discord.py: MESSAGE_CREATE."""
        await self._take(self.ear.message(message))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """discord.py: MESSAGE_UPDATE."""
        await self._take(self.ear.edited(payload.message))

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """discord.py: MESSAGE_DELETE."""
        await self._take(self.ear.deleted(payload.channel_id, payload.message_id))

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """discord.py: MESSAGE_REACTION_ADD."""
        await self._take(self.ear.reacted(payload))

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """discord.py: INTERACTION_CREATE, of every kind, also of what another process has shown."""
        await self._take(self.ear.interaction(interaction))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """discord.py: the channels and threads of a server are known."""
        await self.ear.available(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """discord.py: GUILD_CREATE of a server that was not there before."""
        await self.ear.joined(guild)


def intents(*, content: bool) -> discord.Intents:
    """What the gateway is to tell. `content` is the privileged one: what people write without addressing us."""
    wanted = discord.Intents.none()
    wanted.guilds = wanted.guild_messages = wanted.dm_messages = wanted.guild_reactions = True
    wanted.message_content = content
    return wanted


def point_to(settings: DiscordSettings) -> None:
    """Lead the library to the configured service; it knows only one for the whole process."""
    Route.BASE = settings.api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
