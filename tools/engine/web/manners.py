"""How politely pages are read: what a site's robots.txt forbids is left alone, and its server is given pauses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from protego import Protego

from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

AGENT = "Bosun"  # as a robots.txt names us
KEPT = 3600.0  # seconds for which a robots.txt is taken to hold
MOST = 500  # servers that are remembered
LONGEST_PAUSE = 10.0  # seconds: a server that wants more is told no
FORBIDS = "The site's robots.txt does not allow this page to be read by programs."


class Manners:
    """Remembers servers: their robots.txt, and when they were asked last."""

    def __init__(
        self,
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`now` gives seconds that only go on; the event loop's where it is left out."""
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._sleep = sleep
        self._robots: dict[str, tuple[float, Protego | None]] = {}  # when read; None: nothing may be read
        self._next: dict[str, float] = {}  # when a server may be asked again

    async def allow(self, url: httpx.URL, fetch: Callable[[str], Awaitable[str | None]]) -> float:
        """Whether the page may be read, and the pause that the site asks for. CannotDo if it may not.

        `fetch` gives the text of a robots.txt: empty where there is none, None where that cannot be told.
        """
        origin = str(url.copy_with(raw_path=b"/", fragment=None)).rstrip("/")
        read_at, rules = self._robots.get(origin, (-KEPT, None))
        if self._now() - read_at >= KEPT:
            text = await fetch(f"{origin}/robots.txt")
            rules = None if text is None else Protego.parse(text)
            _forget(self._robots)
            self._robots[origin] = (self._now(), rules)
        if rules is None or not rules.can_fetch(str(url), AGENT):
            raise CannotDo(FORBIDS)
        return min(rules.crawl_delay(AGENT) or 0.0, LONGEST_PAUSE)

    async def wait(self, host: str, pause: float) -> None:
        """Wait until the server may be asked again, and note that it is asked."""
        now = self._now()
        at = max(now, self._next.get(host, now))
        _forget(self._next)
        self._next[host] = at + pause
        if at > now:
            await self._sleep(at - now)


def _forget(known: dict[str, Any]) -> None:
    while len(known) >= MOST:
        del known[next(iter(known))]
