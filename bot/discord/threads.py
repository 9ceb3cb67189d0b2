"""Where a place really is: the thread of its root message, begun where there is none; a reply where threads are closed
to us; the DM."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import discord

from bot.discord.api import (
    CHANNEL_GONE,
    MESSAGE_GONE,
    NO_ACCESS,
    NO_PERMISSION,
    THREAD_EXISTS,
    GoneError,
    calling,
    number_of,
)
from kernel.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.discord.api import Pace
    from bot.discord.connection import Connection
    from kernel.types import Place

NAME = 60  # characters, of the 100 that Discord takes
ARCHIVE_AFTER: Final = 1440  # minutes without a message; whoever writes opens it again
REMEMBERED = 5000
CLOSED = frozenset({NO_ACCESS, NO_PERMISSION, 50024})  # also: the channel's kind knows no threads

log = logging.getLogger("bosun.discord")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A channel to write to, and the message that is answered where there is no thread."""

    channel: discord.PartialMessageable
    replies_to: int | None = None

    def reference(self) -> discord.MessageReference | None:
        """What makes the post a reply."""
        if self.replies_to is None:
            return None
        return discord.MessageReference(
            message_id=self.replies_to, channel_id=self.channel.id, fail_if_not_exists=False
        )


class Threads:
    """The threads of one server. What is learned is kept in memory and learned again after a restart."""

    def __init__(self, client: Callable[[], Connection], pace: Pace) -> None:
        self.client = client
        self.pace = pace
        self._open: OrderedDict[str, None] = OrderedDict()  # threads that are known to exist
        self._closed: OrderedDict[str, None] = OrderedDict()  # roots below which there can be no thread
        self._titles: OrderedDict[str, str] = OrderedDict()  # root -> what the thread will be called

    def called(self, root: str, text: str) -> None:
        """Remember what a thread that may begin here is about."""
        _keep(self._titles, root, title(text))

    def known(self, thread: str) -> None:
        """Something was said in this thread, so it exists."""
        _keep(self._open, thread, None)

    async def target(self, place: Place, *, begin: bool = True) -> Target:
        """Where to write for this place; begins the thread if need be."""
        if place.kind == "dm" or place.thread is None:
            return self._plain(place.channel)
        root = place.thread
        if root in self._closed:
            return self.reply(place)
        if root in self._open or self.client().get_channel(int(root)) is not None:
            return self._plain(root)
        if not begin:
            return self.reply(place)
        return await self._begin(place, root)

    def reply(self, place: Place) -> Target:
        """A reply to the root, in the channel."""
        return Target(channel=self._plain(place.channel).channel, replies_to=int(place.thread or 0))

    def close(self, place: Place) -> Target:
        """We may not write in this thread: reply in the channel from now on."""
        if place.thread is not None:
            self._open.pop(place.thread, None)
            _keep(self._closed, place.thread, None)
        return self.reply(place)

    def of_message(self, place: Place, message: str) -> discord.PartialMessage:
        """A message of this place: the root stands in the channel, everything else in the thread.

        The first message of a post has the thread's id as well, and stands in it: a forum itself holds no messages.
        """
        post = isinstance(self.client().get_channel(int(place.channel)), discord.ForumChannel)
        root = place.thread == message and not post
        outside = root or place.thread is None or place.thread in self._closed or place.kind == "dm"
        return self._plain(place.channel if outside else str(place.thread)).channel.get_partial_message(int(message))

    async def _begin(self, place: Place, root: str) -> Target:
        message = self._plain(place.channel).channel.get_partial_message(int(root))
        try:
            name = await self._name(message, root)
            await self.pace.take()
            with calling("begin a thread"):
                await self.client().http.start_thread_with_message(
                    int(place.channel), message.id, name=name, auto_archive_duration=ARCHIVE_AFTER
                )
        except PlatformError as error:
            number = number_of(error)
            if number in CLOSED:
                log.info("No thread could be begun in %s, so the answer is a reply: %s", place.channel, error)
                return self.close(place)
            # The root is gone, or never was a message of the channel: the thread may be there all the same.
            if number not in {THREAD_EXISTS, MESSAGE_GONE, CHANNEL_GONE}:
                raise
        self.known(root)
        return self._plain(root)

    async def _name(self, message: discord.PartialMessage, root: str) -> str:
        if root not in self._titles:
            await self.pace.take()
            with calling("show the message"):
                self.called(root, (await message.fetch()).clean_content)
        return self._titles[root]

    def _plain(self, channel: str) -> Target:
        return Target(channel=self.client().get_partial_messageable(int(channel)))


def title(text: str) -> str:
    """A name for a thread: the first words, without marks and mentions."""
    bare = re.sub(r"<[^<>\s]*>|@\S+|[#>\[\]]", " ", re.sub(r"[`*_~|]", "", text))
    words = " ".join(bare.split())
    return (words if len(words) <= NAME else f"{words[: NAME - 1].rstrip()}…") or "Bosun"


def is_closed(error: PlatformError) -> bool:
    """Whether the thread takes nothing from us, though the channel may."""
    return isinstance(error, GoneError) and error.number in CLOSED


def _keep(memory: OrderedDict[str, str] | OrderedDict[str, None], key: str, value: str | None) -> None:
    memory[key] = value  # type: ignore[assignment]  # each memory has one type of value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
