"""Fetching one page: every address on the way is checked, and the connection goes to the address that was checked."""

from __future__ import annotations

import asyncio
import functools
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from tools.engine.failure import CannotDo
from tools.engine.web.addresses import parse
from tools.engine.web.content import decoded, read_body

if TYPE_CHECKING:
    from tools.engine.web.settings import WebSettings

PORTS = frozenset({80, 443})  # below 1024; higher ones are free
MOST_ADDRESSES = 3  # of one name are tried
LONGEST_URL = 2000  # characters
NAME = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # after IDNA
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KINDS = ("text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/csv", "application/json")


class StatusError(CannotDo):
    """The server answered that there is no page to be had."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The server answered with status {status}.")
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a server answered."""

    url: str  # after redirects
    kind: str  # media type
    text: str


async def get(url: str, settings: WebSettings) -> Page:
    """The page at `url`. CannotDo, in words that quote nothing of what the server said, if it cannot be had."""
    asked = checked(url)
    try:
        async with asyncio.timeout(settings.timeout):
            return await _follow(asked, settings)
    except TimeoutError as error:
        raise CannotDo(f"{asked.host} took longer than {settings.timeout:g} seconds.") from error
    except httpx.HTTPError as error:
        raise CannotDo(f"{asked.host} gave no proper answer ({type(error).__name__}).") from error


def checked(url: str) -> httpx.URL:
    """The URL, if it is one of the open web by its form; CannotDo otherwise."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise CannotDo("This is not a URL.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host or len(url) > LONGEST_URL:
        raise CannotDo("Only addresses that begin with http:// or https:// and name a server can be read.")
    if parsed.userinfo:
        raise CannotDo("An address with a user name or password in it is not opened.")
    port = 443 if parsed.port is None else parsed.port
    if not (port in PORTS or 1024 <= port <= 65535):
        raise CannotDo("Web pages are not on this port.")
    if NAME.fullmatch(parsed.raw_host) is None and parse(parsed.host) is None:
        raise CannotDo("This is not the name of a server.")
    last = parsed.host.rstrip(".").rpartition(".")[2].lower()
    # inet_aton reads 2130706433, 0x7f.1 and 0177.0.0.1 as addresses; nobody means them.
    if (last.isdigit() or last.startswith("0x")) and parse(parsed.host) is None:
        raise CannotDo("The server's address is written in an unusual way. Use its name.")
    return parsed


async def _follow(url: httpx.URL, settings: WebSettings, *, polite: bool = True) -> Page:
    for _ in range(settings.max_redirects + 1):
        if polite:
            await _be_polite(url, settings)
        answer = await _exchange(url, settings)
        if isinstance(answer, Page):
            return answer
        url = answer
    raise CannotDo(f"The page redirects more than {settings.max_redirects} times.")


async def _be_polite(url: httpx.URL, settings: WebSettings) -> None:
    """Wait as long as the server wants, or as we do. CannotDo where its robots.txt forbids the page."""
    pause = settings.pause
    if settings.robots:
        pause = max(pause, await settings.manners.allow(url, lambda address: _robots(address, settings)))
    await settings.manners.wait(url.host, pause)


async def _robots(url: str, settings: WebSettings) -> str | None:
    """The text of a robots.txt: empty where there is none, None where that cannot be told (RFC 9309, 2.3.1)."""
    try:
        return (await _follow(checked(url), settings, polite=False)).text
    except StatusError as error:
        return "" if error.status < 500 else None


async def addresses_of(url: httpx.URL, settings: WebSettings) -> list[str]:
    """Where the connection may go. Resolved once: what is checked here is what is connected to."""
    host = url.raw_host.decode()
    if (literal := parse(url.host)) is not None:
        found = [str(literal)]
    else:
        try:
            found = await settings.resolve(host, url.port or (443 if url.scheme == "https" else 80))
        except (OSError, UnicodeError) as error:
            raise CannotDo("The server's name is not known.") from error
    numbers = [parse(address) for address in found]
    if not numbers or any(number is None or not settings.may_reach(number) for number in numbers):
        raise CannotDo("The address does not lead to the public internet, so it is not opened.")
    return [str(number) for number in numbers[:MOST_ADDRESSES]]


async def _exchange(url: httpx.URL, settings: WebSettings) -> Page | httpx.URL:
    """The page, or where it redirects to."""
    addresses = await addresses_of(url, settings)
    for number, address in enumerate(addresses, 1):
        try:
            return await _ask(url, address, settings)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if number == len(addresses):
                raise
    raise AssertionError("there is an address, or addresses_of has refused")


async def _ask(url: httpx.URL, address: str, settings: WebSettings) -> Page | httpx.URL:
    request = httpx.Request(
        "GET",
        url.copy_with(host=address, fragment=None),
        headers={
            "Host": url.netloc.decode(),  # and, for TLS, the name whose certificate counts
            "User-Agent": settings.user_agent,
            "Accept": ", ".join((*KINDS, "*/*;q=0.1")),
            "Accept-Encoding": "gzip",
        },
        extensions={
            "sni_hostname": url.raw_host.decode(),
            "timeout": {"connect": 5.0, "read": settings.timeout, "write": 5.0, "pool": 5.0},
        },
    )
    # A transport of its own: connections are kept by address, and two names may share one.
    transport = httpx.AsyncHTTPTransport(verify=settings.trust or trust(), trust_env=False, retries=0)
    async with transport:
        response = await transport.handle_async_request(request)
        try:
            return await _read(url, response, settings)
        finally:
            await response.aclose()


async def _read(url: httpx.URL, response: httpx.Response, settings: WebSettings) -> Page | httpx.URL:
    status = response.status_code
    if status in REDIRECTS and "location" in response.headers:
        try:
            target = url.join(response.headers["location"])
        except httpx.InvalidURL as error:
            raise CannotDo("The page redirects to something that is not a URL.") from error
        return checked(str(target))
    if status != 200:
        raise StatusError(status)
    kind, _, _ = response.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    if kind not in KINDS and not kind.endswith("+json"):
        raise CannotDo("The page is not text that can be read: only HTML, plain text and JSON are.")
    content = await read_body(response, settings.max_bytes)
    return Page(url=str(url), kind=kind, text=decoded(content, response.headers.get("content-type", "")))


@functools.cache
def trust() -> ssl.SSLContext:
    """The certificate authorities of the httpx distribution; loading them takes a while."""
    return httpx.create_ssl_context(trust_env=False)
