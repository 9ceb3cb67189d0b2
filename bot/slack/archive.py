"""The history of Slack's channels, and what happens in them, for the knowledge base."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from bot.slack.messages import SPOKEN, moment
from kernel.errors import RateLimited
from knowledge.engine.archives import Page, Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.slack.messages import Messages
    from bot.slack.web import SlackWeb
    from kernel.types import Place

Event = dict[str, Any]
What = Literal["said", "changed", "gone"]

AT_ONCE = 100  # messages; Slack advises no more than 200


class SlackArchive:
    """`knowledge.engine.archives.Archive` over the Web API."""

    def __init__(
        self,
        web: SlackWeb,
        messages: Messages,
        permalink: Callable[[Place, str], str],
        interval: float,
    ) -> None:
        self._web, self._messages, self._permalink, self._interval = web, messages, permalink, interval
        self._one_call = asyncio.Lock()  # channels share the rate

    async def page(self, place: Place, before: str = "") -> Page:
        """The newest messages with their replies; further back with `before`, Slack's own cursor."""
        found = await self._read("conversations.history", channel=place.channel, limit=AT_ONCE, cursor=before or None)
        told: list[Told] = []
        for message in found.get("messages") or ():
            replies = [message]
            if message.get("reply_count"):
                replies = await self._thread(place.channel, str(message["ts"]))
            told += [made for reply in replies if (made := await self._told(reply, place)) is not None]
        return Page(messages=tuple(told), before=(found.get("response_metadata") or {}).get("next_cursor") or "")

    async def _thread(self, channel: str, root: str) -> list[Event]:
        found: list[Event] = []
        cursor: str | None = None
        while True:
            page = await self._read("conversations.replies", channel=channel, ts=root, limit=AT_ONCE, cursor=cursor)
            found += page.get("messages") or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return found

    async def _read(self, method: str, **arguments: Any) -> Event:
        read = partial(self._web.read, method, **arguments)
        async with self._one_call:
            while True:
                await asyncio.sleep(self._interval)
                try:
                    return await read()
                except RateLimited as error:
                    await asyncio.sleep(error.retry_after)

    async def event(self, event: Event, *, external: bool) -> Told | None:
        """What an event says of a message; None where it says nothing that is kept."""
        subtype = event.get("subtype")
        if subtype == "message_deleted":
            message = {**(event.get("previous_message") or {}), "ts": event.get("deleted_ts")}
            return await self._told(message, self._messages.place(event, message, external), event="gone")
        if subtype == "message_changed":
            message = event.get("message") or {}
            what: What = "gone" if message.get("subtype") == "tombstone" else "changed"
            return await self._told(message, self._messages.place(event, message, external), event=what)
        return await self._told(event, self._messages.place(event, event, external))

    async def _told(self, message: Event, place: Place, *, event: What = "said") -> Told | None:
        at = moment(message.get("ts"))
        if at is None or self._messages.ours(message):
            return None
        if event != "gone" and (message.get("subtype") not in SPOKEN or self._messages.mentions_us(message)):
            return None  # what is asked of us is no answer to anything
        ts = str(message["ts"])
        thread = str(message.get("thread_ts") or "") or (ts if message.get("reply_count") else "")
        where = place.in_thread(thread or None)
        if event == "gone":
            return Told(place=where, message=ts, at=at, event="gone")
        actor = await self._messages.actor(message)
        return Told(
            place=where,
            message=ts,
            by=actor.name or actor.user,
            outside=actor.is_bot or actor.is_guest or actor.is_external,
            at=at,
            changed_at=moment((message.get("edited") or {}).get("ts")),
            event=event,
            text=await self._messages.text(message),
            url=self._permalink(place.in_thread(thread if thread != ts else None), ts),
        )
