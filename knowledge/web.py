"""Source: pages of the web by their addresses, and those that a sitemap names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from pydantic import Field, model_validator

from kernel.errors import BosunError
from knowledge.engine.documents import Document
from knowledge.engine.media_types import suffix_for
from knowledge.engine.readable import NotReadable
from knowledge.engine.reading import suffix_of
from knowledge.engine.source import Item, Missing, SourceAway, SourceCutOff
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self

    from knowledge.engine.source_settings import Surroundings
    from knowledge.engine.web_client import Fetched

MOST_SITEMAPS = 50  # that one sitemap may lead to
HUGE = 5_000_000  # bytes of one sitemap


class Settings(SourceSettings):
    """Pages of the web."""

    kind: Literal["web"]
    pages: tuple[str, ...] = ()
    sitemap: str = ""  # address of a sitemap.xml
    below: str = ""  # only addresses of the sitemap that begin like this
    most: int = Field(default=500, ge=1, le=5_000)  # pages
    obey_robots: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.pages and not self.sitemap:
            raise ValueError("name 'pages' or a 'sitemap'")
        return self


class Web:
    """The pages. One that is gone is forgotten; a server that refuses us answers no more."""

    kind = "web"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"web:{settings.name}"
        self.title = settings.sitemap or settings.pages[0]
        self.readers = around.readers(settings)
        self._settings = settings
        self._around = around
        self._allowed: dict[str, Robots] = {}

    async def items(self) -> AsyncIterator[Item]:
        trouble: BosunError | None = None
        found = dict.fromkeys(self._settings.pages, "")
        if self._settings.sitemap:
            found |= await self._mapped(self._settings.sitemap)
        reached = 0
        for url, changed in list(found.items())[: self._settings.most]:
            if self._settings.obey_robots and not await self._may(url):
                continue
            if not changed and not self._settings.sitemap:
                # Pages that are named are asked for here, so that a refusal is one of the whole source.
                try:
                    fetched = await self._around.web.fetch(
                        url, known=await self._around.version(self.name, url, self.readers)
                    )
                except Missing:
                    continue
                except SourceCutOff as error:
                    trouble = error
                    continue
                except (SourceAway, NotReadable) as error:
                    trouble = trouble or error
                    yield Item(key=url, load=partial(_failing, error))
                    continue
                reached += 1
                yield Item(key=url, version=fetched.version, load=partial(self._document, url, fetched))
            else:
                reached += 1
                yield Item(key=url, version=changed, load=partial(self._load, url))
        if not reached and isinstance(trouble, SourceAway | SourceCutOff):
            raise trouble

    async def _load(self, url: str) -> Document | None:
        return await self._document(url, await self._around.web.fetch(url))

    async def _document(self, url: str, fetched: Fetched) -> Document | None:
        if fetched.unchanged:
            return None
        name = f"page{suffix_of(f'x{suffix_for(fetched.media_type, url)}')}"
        parsed = await self._around.files.read(name, fetched.content)
        return Document(
            source=self.name,
            key=url,
            kind="web",
            title=parsed.title or url,
            text=parsed.text,
            format=parsed.format,
            readers=self.readers,
            origin="outside_text",
            url=fetched.url,
            version=fetched.version,
        )

    async def _mapped(self, start: str) -> dict[str, str]:
        """Address -> when it was changed, of everything that a sitemap names."""
        found: dict[str, str] = {}
        waiting, seen = [start], {start}
        while waiting and len(seen) <= MOST_SITEMAPS:
            here = waiting.pop()
            fetched = await self._around.web.fetch(here)
            for tag, address, changed in _entries(here, fetched.content):
                if tag == "sitemap" and address not in seen:
                    seen.add(address)
                    waiting.append(address)
                elif tag == "url" and address.startswith(self._settings.below):
                    found[address] = changed
        return found

    async def _may(self, url: str) -> bool:
        home = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        if home not in self._allowed:
            self._allowed[home] = await Robots.of(home, self._around)
        return self._allowed[home].may(url)


class Robots:
    """What a server asks of robots."""

    def __init__(self, text: str) -> None:
        from protego import Protego

        self._rules = Protego.parse(text)

    @classmethod
    async def of(cls, home: str, around: Surroundings) -> Robots:
        """The rules of a server; one without any, or that cannot be asked for them, asks nothing."""
        try:
            found = await around.web.fetch(f"{home}/robots.txt")
        except (NotReadable, SourceAway, SourceCutOff):
            return cls("")
        return cls(found.content.decode("utf-8", "replace"))

    def may(self, url: str) -> bool:
        """Whether Bosun may read the address."""
        return bool(self._rules.can_fetch(url, "Bosun"))


def open_source(settings: Settings, around: Surroundings) -> Web:
    """The pages that the charter names."""
    return Web(settings, around)


async def _failing(error: BosunError) -> Document | None:
    """One page that cannot be read now stops no other."""
    raise error


def _entries(where: str, content: bytes) -> list[tuple[str, str, str]]:
    """(sitemap or url, address, when it was changed) of everything in a sitemap. SourceAway for what is none."""
    if len(content) > HUGE or b"<!ENTITY" in content[:10_000]:
        raise SourceAway(f"{where} is no sitemap that can be read.")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  entities are refused above
    except ElementTree.ParseError as error:
        raise SourceAway(f"{where} is no sitemap: {error}.") from error
    found = []
    for entry in root:
        parts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in entry}
        if parts.get("loc"):
            found.append((entry.tag.rpartition("}")[2], urljoin(where, parts["loc"]), parts.get("lastmod", "")))
    return found
