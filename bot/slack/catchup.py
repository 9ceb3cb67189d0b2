"""What was said while Bosun was away: where each channel was heard up to, and reading on from there.

Slack sends missed events again for a few minutes, with Delayed Events for a day. This is for the rest; an event that
comes both ways has the same key and counts once.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.engine.catching_up import Behind, read_on
from bot.slack.messages import Delivery
from kernel.errors import RateLimited
from kernel.store import cursors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.engine.cursors import Cursors
    from bot.slack.messages import Messages
    from bot.slack.web import SlackWeb
    from kernel.clock import Clock
    from kernel.store.database import Store

Event = dict[str, Any]

BACK = timedelta(hours=24)  # how far back is looked
MOST = 200  # messages of one channel
MOST_THREADS = 20  # threads of one channel that are read on
OVERLAP = 60.0  # seconds before the cursor that are read again: events do not come in order


class CatchUp:
    """Reads the history of the known channels since their cursors and hands over what is for us."""

    def __init__(
        self,
        web: SlackWeb,
        store: Store,
        clock: Clock,
        messages: Messages,
        *,
        heard: Callable[[Event, Any], Awaitable[None]],
        cursors: Cursors,
    ) -> None:
        self.web = web
        self.store = store
        self.clock = clock
        self.messages = messages
        self.heard = heard
        self.cursors = cursors

    async def run(self) -> int:
        """Catch up everywhere, oldest first within a channel; returns how many messages were handed over.

        A channel that is closed to us is left out and logged.
        """
        since = self.clock.now() - BACK
        prefix = f"slack:{self.messages.me.team}:"
        rows = await self.store.read(lambda session: cursors.of(session, prefix, since))
        threads: dict[str, dict[str, str]] = {}
        for lane, thread, last in rows:
            if thread:
                threads.setdefault(lane, {})[thread] = last

        def behind(lane: str, last: str) -> Behind:
            read = partial(self._channel, lane.removeprefix(prefix), last, threads.get(lane, {}), since)
            return Behind(lane=lane, after=last, read=read)

        count = await read_on([behind(lane, last) for lane, thread, last in rows if not thread], self.cursors)
        await self.store.write(lambda session: cursors.forget(session, since - BACK))
        return count

    async def _channel(self, channel: str, last: str, threads: dict[str, str], since: datetime) -> int:
        floor = _ts(since)
        start = max(_earlier(last), floor)
        recent = await self._pages("conversations.history", channel=channel, oldest=floor)
        alive = {message["ts"]: start for message in recent if str(message.get("latest_reply") or "") >= start} | {
            thread: max(_earlier(heard), floor) for thread, heard in threads.items()
        }
        found = [message for message in recent if message["ts"] >= start]
        for thread, oldest in list(alive.items())[:MOST_THREADS]:
            replies = await self._pages("conversations.replies", channel=channel, ts=thread, oldest=oldest)
            found += [reply for reply in replies if reply["ts"] >= oldest and reply["ts"] != thread]
        unique = {message["ts"]: message for message in found if not self.messages.ours(message)}
        if not unique:
            return 0
        info = (await self._patient(partial(self.web.read, "conversations.info", channel=channel))).get("channel") or {}
        kind = "im" if info.get("is_im") else "mpim" if info.get("is_mpim") else "channel"
        count = 0
        for _, message in sorted(unique.items()):
            event = {**message, "channel": channel, "channel_type": kind, "type": "message"}
            how = Delivery(external=bool(info.get("is_ext_shared")), caught_up=True)
            inbound = await self.messages.inbound(event, how)
            await self.heard(event, inbound)
            count += inbound is not None
        return count

    async def _pages(self, method: str, **arguments: str) -> list[Event]:
        found: list[Event] = []
        cursor: str | None = None
        while len(found) < MOST:
            read = partial(self.web.read, method, limit=MOST, cursor=cursor, **arguments)
            page = await self._patient(read)
            found += page.get("messages") or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return found[:MOST]

    async def _patient(self, read: Callable[[], Awaitable[Event]]) -> Event:
        for _ in range(3):
            try:
                return await read()
            except RateLimited as error:
                await asyncio.sleep(error.retry_after)
        return await read()


def _ts(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"


def _earlier(ts: str) -> str:
    try:
        return _ts(datetime.fromtimestamp(float(ts) - OVERLAP, UTC))
    except (ValueError, OverflowError, OSError):
        return ts
