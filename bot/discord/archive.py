"""The history of Discord's channels, and what happens in them, for the knowledge base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import discord

from bot.discord.api import CHANNEL_GONE, calling, number_of
from bot.discord.messages import SPOKEN, place_of
from kernel.errors import PlatformError
from kernel.types import Place
from knowledge.engine.archives import Page, Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.discord.api import Pace
    from bot.discord.connection import Connection
    from bot.discord.messages import Messages

AT_ONCE = 100  # messages of one call: Discord gives no more
MOST = 1_000  # messages of one thread


class DiscordArchive:
    """`knowledge.engine.archives.Archive` over the REST API. Threads that hang on no message are not in it."""

    def __init__(
        self,
        client: Callable[[], Connection],
        messages: Messages,
        pace: Pace,
        permalink: Callable[[Place, str], str],
    ) -> None:
        self._client, self._messages, self._pace, self._permalink = client, messages, pace, permalink

    async def page(self, place: Place, before: str = "") -> Page:
        """The newest messages with their threads; further back with `before`, the id of the oldest of them."""
        found = await self._history(place.channel, AT_ONCE, before)
        told: list[Told] = []
        for message in found:
            where = place.in_thread(str(message.id)) if message.flags.has_thread else place
            if self._counts(message):
                told.append(await self._made(message, where))
            if message.flags.has_thread:
                replies = [each for each in await self._thread(str(message.id)) if self._counts(each)]
                told += [await self._made(each, where) for each in replies]
        return Page(messages=tuple(told), before=str(found[-1].id) if len(found) == AT_ONCE else "")

    async def _thread(self, thread: str) -> list[discord.Message]:
        try:
            return await self._history(thread, MOST)
        except PlatformError as error:
            if number_of(error) != CHANNEL_GONE:  # a thread may be deleted while its message stays
                raise
            return []

    async def _history(self, channel: str, limit: int, before: str = "") -> list[discord.Message]:
        for _ in range(-(-limit // AT_ONCE)):
            await self._pace.take()
        place = self._client().get_partial_messageable(int(channel))
        with calling("show what was said"):
            return [each async for each in place.history(limit=limit, before=_after(before))]

    async def said(self, message: discord.Message, event: Literal["said", "changed"]) -> Told | None:
        """A message as it is now; None for one that does not count."""
        place = place_of(message.channel, self._messages.me.guild)
        if place is None or not self._counts(message):
            return None
        if place.thread is None and message.flags.has_thread:
            place = place.in_thread(str(message.id))
        return (await self._made(message, place)).model_copy(update={"event": event})

    def gone(self, channel: int, message: int) -> Told:
        """A deletion, of which Discord says nothing but the ids."""
        place = Place(platform="discord", tenant=self._messages.me.guild, channel=str(channel))
        return Told(place=place, message=str(message), at=discord.utils.snowflake_time(message), event="gone")

    def _counts(self, message: discord.Message) -> bool:
        """Neither ours nor said to us: what is asked of us is no answer to anything."""
        ours = self._messages.ours(message) or self._messages.mentions_us(message)
        return message.type in SPOKEN and not ours

    async def _made(self, message: discord.Message, place: Place) -> Told:
        actor = await self._messages.actor(message)
        return Told(
            place=place,
            message=str(message.id),
            by=actor.name or actor.user,
            outside=actor.is_bot or actor.is_guest or actor.is_external,
            at=message.created_at,
            changed_at=message.edited_at,
            text=self._messages.text(message),
            url=self._permalink(place, str(message.id)),
        )


def _after(before: str) -> discord.Object | None:
    return discord.Object(int(before)) if before else None
