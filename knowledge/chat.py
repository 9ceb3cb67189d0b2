"""Source: what is said in channels that Bosun is in. Read back once, then kept by events; compared now and again.

Direct messages are never read.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import orjson

from kernel.errors import PlatformError, TargetGone
from kernel.store import knowledge_sources as sources
from knowledge.engine import audience, chats
from knowledge.engine.source import Progress, SourceAway, SourceCutOff
from knowledge.engine.source_settings import SourceSettings, Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kernel.types import Place
    from knowledge.engine.archives import Archive, Page, Told
    from knowledge.engine.source_settings import Surroundings

AGAIN = timedelta(days=2)  # of a history that was read to its end, what is compared again at least
SETTLED = timedelta(minutes=2)  # what was said since then may not be in the page that was asked for
DAY = timedelta(days=1)
DONE = "done"


class Settings(SourceSettings):
    """Channels of the charter, on every platform where they are. Whoever is in the channel reads it."""

    kind: Literal["chat"]
    channels: tuple[str, ...]  # "#general"
    back: Span = timedelta(days=365)  # how far the history is read
    every: Span = timedelta(hours=6)  # between two comparisons; what happens meanwhile is told by events


class Chat:
    """One channel."""

    kind = "chat"

    def __init__(self, place: Place, channel: str, back: timedelta, around: Surroundings) -> None:
        self.name = chats.source_of(place)
        self.title = f"{channel} ({place.platform})"
        self.readers: tuple[str, ...] = (audience.channel(place),)
        self.place = place
        self._back = back
        self._around = around

    async def read(self) -> AsyncIterator[Progress]:
        """Go back in the history, page by page, from where it was left."""
        archive = self._archive()
        now = self._around.clock.now()
        row = await self._around.store.read(lambda session: sources.row(session, self.name))
        cursor = dict(orjson.loads(row.cursor)) if row is not None and row.cursor else {}
        finished = cursor.get("state") == DONE
        checked = row.checked_at if row is not None and row.checked_at is not None else now
        since = min(now - AGAIN, checked - DAY) if finished else now - self._back
        before = "" if finished else str(cursor.get("before") or "")
        seen = _Seen()
        while True:
            page = await self._page(archive, before)
            oldest = min((told.at for told in page.messages), default=now if page.before else since)
            await self._take(page, seen, compare_before=now - SETTLED if finished else None)
            before = page.before
            yield Progress(done=int((now - max(oldest, since)) / DAY), total=max(int((now - since) / DAY), 1))
            if not before or oldest <= since:
                break
            if not finished:
                await self._save({"before": before})
        if finished:
            await self._compare_days(seen, since=since, until=now - SETTLED, whole=not before)
        await self._save({"state": DONE})

    def _archive(self) -> Archive:
        archive = self._around.archives.get(self.place.platform)
        if archive is None:
            raise SourceAway(f"{self.place.platform} is not connected.")
        return archive

    async def _page(self, archive: Archive, before: str) -> Page:
        try:
            return await archive.page(self.place, before)
        except TargetGone as error:
            raise SourceCutOff(f"{self.title} is closed to Bosun.", hint="Invite it to the channel.") from error
        except PlatformError as error:
            raise SourceAway(error.message, hint=error.hint) from error

    async def _take(self, page: Page, seen: _Seen, compare_before: datetime | None) -> None:
        """Bring a page's messages into their documents; a thread is here as a whole, so what it lacks is gone."""
        found: dict[str, list[Told]] = defaultdict(list)
        for told in page.messages:
            for key in chats.keys(told):
                found[key].append(told)
        for key, messages in found.items():
            there = {each.message for each in messages}
            gone: list[str] = []
            if compare_before is not None and chats.is_thread(key, messages[0]):
                held = await self._around.chats.held(self.name, key)
                gone = [each.id for each in held if each.id not in there and each.at < compare_before]
            elif compare_before is not None:
                seen.days[key] |= there
            await self._around.chats.put(key, messages, self.title, gone)

    async def _compare_days(self, seen: _Seen, *, since: datetime, until: datetime, whole: bool) -> None:
        """Take out what was said since, and is no longer there."""
        days = {f"{self.place.lane}/{since + DAY * number:%Y-%m-%d}" for number in range((until - since).days + 2)}
        for key in sorted(days | set(seen.days)):
            there = seen.days.get(key, set())
            held = await self._around.chats.held(self.name, key)
            gone = [each for each in held if each.id not in there and each.at < until and (whole or each.at > since)]
            for each in gone:
                await self._around.chats.end(self.place, each.id)

    async def _save(self, cursor: dict[str, object]) -> None:
        text = orjson.dumps(cursor).decode()
        await self._around.store.write(lambda session: sources.move_cursor(session, self.name, text))


class _Seen:
    """What a comparison has found."""

    def __init__(self) -> None:
        self.days: dict[str, set[str]] = defaultdict(set)  # document of a day -> messages


def open_source(settings: Settings, around: Surroundings) -> list[Chat]:
    """The channels that the charter names, wherever they are now."""
    return [
        Chat(place, channel, settings.back, around)
        for channel in settings.channels
        for place in around.places(channel)
        if place.kind != "dm"
    ]
