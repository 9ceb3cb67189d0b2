"""Threads as they stand on Slack, for context, and who is in a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.engine.adapter import Heard
from bot.slack.messages import files, moment
from kernel.errors import PlatformError, TargetGone

if TYPE_CHECKING:
    from bot.slack.messages import Messages
    from bot.slack.web import SlackWeb
    from kernel.types import Place

PAGES = 5


class History:
    """Reads threads and channels of one workspace."""

    def __init__(self, web: SlackWeb, messages: Messages) -> None:
        self.web = web
        self.messages = messages

    async def thread(self, place: Place, limit: int = 40) -> list[Heard]:
        """The last messages of the thread, its root first; outside a thread, the last ones of the channel."""
        if place.thread is None:
            page = await self.web.read("conversations.history", channel=place.channel, limit=limit)
            messages = list(reversed(page.get("messages") or []))
        else:
            messages = await self._replies(place, limit)
        return [await self._heard(message) for message in messages if message.get("ts")]

    async def message(self, place: Place, message: str) -> Heard:
        """One message, at the top level or in a thread; TargetGone where it is gone."""
        page = await self.web.read(
            "conversations.replies",
            channel=place.channel,
            ts=message,
            oldest=message,
            latest=message,
            inclusive=True,
            limit=2,  # the root may come along
        )
        for one in page.get("messages") or ():
            if one.get("ts") == message:
                return await self._heard(one)
        raise TargetGone("The message is no longer there.")

    async def _replies(self, place: Place, limit: int) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self.web.read(
                "conversations.replies", channel=place.channel, ts=place.thread, limit=200, cursor=cursor
            )
            messages += page.get("messages") or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return messages if len(messages) <= limit else [messages[0], *messages[len(messages) - limit + 1 :]]

    async def has_member(self, place: Place, user: str) -> bool:
        """Whether the account is in the channel. Of one with more than 5,000 people the rest counts as not told."""
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self.web.read("conversations.members", channel=place.channel, limit=1000, cursor=cursor)
            if user in (page.get("members") or []):
                return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return False
        raise PlatformError("The channel has too many members to look through.")

    async def _heard(self, message: dict[str, Any]) -> Heard:
        return Heard(
            message=str(message["ts"]),
            actor=await self.messages.actor(message),
            text=await self.messages.text(message),
            mine=self.messages.ours(message),
            thread=message.get("thread_ts"),
            sent_at=moment(message["ts"]),
            files=files(message),
        )
