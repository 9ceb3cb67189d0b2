"""Source: RSS and Atom feeds. What has left a feed stays known; feeds hold only the newest."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from knowledge.engine.documents import Document
from knowledge.engine.hashing import content_hash
from knowledge.engine.html_text import html_to_markdown
from knowledge.engine.readable import check_length
from knowledge.engine.source import Item, SourceAway
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.source_settings import Surroundings


class Settings(SourceSettings):
    """A feed."""

    kind: Literal["feed"]
    url: str


class Feed:
    """The entries of a feed."""

    kind = "feed"
    complete = False

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"feed:{settings.name}"
        self.title = settings.url
        self.readers = around.readers(settings)
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        import feedparser

        fetched = await self._around.web.fetch(self._settings.url)
        parsed: Any = feedparser.parse(fetched.content, sanitize_html=False)
        if parsed.bozo and not parsed.entries:
            raise SourceAway(f"{self._settings.url} is no feed that can be read.")
        self.title = parsed.feed.get("title") or self.title
        for entry in parsed.entries:
            key = str(entry.get("id") or entry.get("link") or "")
            if key:
                yield Item(key=key, version=_version(entry), load=partial(self._load, key, entry))

    async def _load(self, key: str, entry: Any) -> Document:
        body = _body(entry)
        markdown = html_to_markdown(f"<body>{body}</body>").markdown if "<" in body else body
        title = " ".join(html_to_markdown(f"<p>{entry.get('title', '')}</p>").markdown.split()) or self.title
        return Document(
            source=self.name,
            key=key,
            kind="feed",
            title=title[:200],
            text=check_length(markdown.strip() or title),
            format="markdown",
            readers=self.readers,
            origin="outside_text",
            author=str(entry.get("author") or ""),
            written_at=_moment(entry),
            url=str(entry.get("link") or ""),
        )


def open_source(settings: Settings, around: Surroundings) -> Feed:
    """The feed that the charter names."""
    return Feed(settings, around)


def _body(entry: Any) -> str:
    contents = [str(part.get("value") or "") for part in entry.get("content") or ()]
    return max([*contents, str(entry.get("summary") or "")], key=len)


def _version(entry: Any) -> str:
    return content_hash(str(entry.get("updated") or ""), str(entry.get("title") or ""), _body(entry))


def _moment(entry: Any) -> datetime | None:
    known = entry.get("updated_parsed") or entry.get("published_parsed")
    return datetime.fromtimestamp(calendar.timegm(known), UTC) if known else None
