"""How sources read the web: one client, polite and limited. Where it may go, the charter says; nobody else can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

from knowledge.engine.readable import MAX_BYTES, NotReadable
from knowledge.engine.source import Missing, SourceAway, SourceCutOff

if TYPE_CHECKING:
    from collections.abc import Mapping

AGENT = "Bosun (reads pages for its team)"
TIMEOUT = 30.0  # seconds
REDIRECTS = 5
REFUSED = frozenset({401, 403})
GONE = frozenset({404, 410})


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What an address gave."""

    url: str  # after redirects
    content: bytes
    media_type: str  # "text/html"
    version: str = ""  # the server's mark of it: its ETag, or when it was changed
    unchanged: bool = False  # the server says that it is as it was; there is no content


class WebClient:
    """Fetches addresses."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, url: str, *, known: str = "", auth: tuple[str, str] | None = None) -> Fetched:
        """What is at an address, at most 20 MB. `known`: the mark of the version that is here already.

        SourceCutOff where the server refuses us, Missing where it has nothing, SourceAway for all that may pass.
        """
        headers: dict[str, str] = {}
        if known.startswith(('"', "W/")):
            headers["if-none-match"] = known
        elif known:
            headers["if-modified-since"] = known
        try:
            return await self._follow(url, headers, auth)
        except httpx.HTTPError as error:
            raise SourceAway(f"{url} cannot be read: {type(error).__name__}.") from error

    async def _follow(self, url: str, headers: Mapping[str, str], auth: tuple[str, str] | None) -> Fetched:
        if self._client is None:
            self._client = httpx.AsyncClient(headers={"user-agent": AGENT}, timeout=TIMEOUT, follow_redirects=False)
        start = urlsplit(url)
        for _ in range(REDIRECTS + 1):
            if urlsplit(url).scheme not in {"http", "https"}:
                raise NotReadable(f"{url} is not an address of the web.")
            own = urlsplit(url).netloc == start.netloc  # the password is for the server that was named
            async with self._client.stream("GET", url, headers=headers, auth=auth if own and auth else None) as answer:
                if answer.has_redirect_location:
                    url = urljoin(url, answer.headers.get("location", ""))
                    continue
                return await _read(url, answer)
        raise SourceAway(f"{url} leads from one address to the next without an end.")

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


async def _read(url: str, answer: httpx.Response) -> Fetched:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    mark = answer.headers.get("etag") or answer.headers.get("last-modified") or ""
    if answer.status_code == httpx.codes.NOT_MODIFIED:
        return Fetched(url=url, content=b"", media_type=media_type, version=mark, unchanged=True)
    if answer.status_code in REFUSED:
        raise SourceCutOff(f"{url} does not let us in (HTTP {answer.status_code}).")
    if answer.status_code in GONE:
        raise Missing(f"There is nothing at {url} any more (HTTP {answer.status_code}).")
    if not answer.is_success:
        raise SourceAway(f"{url} answered with HTTP {answer.status_code}.")
    parts, size = [], 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > MAX_BYTES:
            raise NotReadable(f"{url} is larger than {MAX_BYTES // 1024**2} MB.")
        parts.append(part)
    return Fetched(url=url, content=b"".join(parts), media_type=media_type, version=mark)
