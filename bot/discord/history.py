"""Threads as they stand on Discord, for context, and who reads a channel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord

from bot.discord.api import CHANNEL_GONE, MEMBER_GONE, USER_GONE, calling, number_of
from bot.discord.messages import SPOKEN, files
from bot.engine.adapter import Heard
from kernel.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.discord.api import Pace
    from bot.discord.connection import Connection
    from bot.discord.messages import Messages
    from kernel.types import Place

SMALL_PRINT = re.compile(r"^-# .*\n?", re.MULTILINE)  # below what we say


class History:
    """Reads threads and channels of one server."""

    def __init__(self, client: Callable[[], Connection], messages: Messages, pace: Pace) -> None:
        self.client = client
        self.messages = messages
        self.pace = pace

    async def thread(self, place: Place, limit: int = 40) -> list[Heard]:
        """The last messages of the thread, its root first; outside a thread, the last ones of the channel."""
        if place.thread is None:
            return await self._last(place.channel, limit)
        root = await self._root(place)
        try:
            said = await self._last(place.thread, limit - len(root))
        except PlatformError as error:
            if number_of(error) != CHANNEL_GONE:
                raise
            said = []  # nobody has said anything below the message yet
        return root + said

    async def is_open_to(self, place: Place, user: str) -> bool:
        """Whether the account sees the channel and what was said in it before; False for who is no member."""
        for _ in range(3):
            await self.pace.take()
        try:
            with calling("say who reads a channel"):
                guild = await self.client().fetch_guild(int(place.tenant), with_counts=False)
                member = await guild.fetch_member(int(user))
                there = {str(channel.id): channel for channel in await guild.fetch_channels()}
        except PlatformError as error:
            if number_of(error) in {MEMBER_GONE, USER_GONE}:
                return False
            raise
        channel = there.get(place.channel)
        if channel is None:
            return False
        allowed = channel.permissions_for(member)
        return allowed.view_channel and allowed.read_message_history

    async def _last(self, channel: str, limit: int) -> list[Heard]:
        await self.pace.take()
        with calling("show what was said"):
            place = self.client().get_partial_messageable(int(channel))
            found = [message async for message in place.history(limit=limit)]
        return [await self._heard(message) for message in reversed(found) if message.type in SPOKEN]

    async def _root(self, place: Place) -> list[Heard]:
        """The message that the thread hangs on; nothing where it hangs on none."""
        await self.pace.take()
        try:
            with calling("show a message"):
                channel = self.client().get_partial_messageable(int(place.channel))
                return [await self._heard(await channel.fetch_message(int(place.thread or 0)))]
        except PlatformError as error:
            if not number_of(error):
                raise
            return []

    async def message(self, place: Place, message: str) -> Heard:
        """One message, of the channel or of the place's thread; TargetGone where it is gone."""
        await self.pace.take()
        with calling("show a message"):
            channel = self.client().get_partial_messageable(int(place.thread or place.channel))
            return await self._heard(await channel.fetch_message(int(message)))

    async def _heard(self, message: discord.Message) -> Heard:
        text, mine = self.messages.text(message), self.messages.ours(message)
        if mine:
            text = SMALL_PRINT.sub("", text)
        return Heard(
            message=str(message.id),
            actor=self.messages.members.described(message.author),
            text=text,
            mine=mine,
            sent_at=message.created_at,
            files=files(message),
        )
