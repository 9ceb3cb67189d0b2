"""HTTP to an MCP server, within limits: what it answers is read up to a size, and nothing is unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

from tools.engine.web.addresses import is_public, parse
from tools.engine.web.settings import system_resolver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

STREAM = 64_000_000  # bytes of one stream of events
CONNECT = 10.0  # seconds
REFUSED = frozenset({401, 403})  # statuses


class TooMuchError(httpx2.TransportError):
    """The server answers more than is read."""


class ElsewhereError(httpx2.TransportError):
    """The server sends us to an address to which nothing goes."""


class Bounded(httpx2.AsyncHTTPTransport):
    """Cuts an answer off behind `most` bytes."""

    def __init__(self, most: int, refused: Callable[[], None], home: str) -> None:
        super().__init__(retries=0)
        self._most = most
        self._refused = refused
        self._home = httpx2.URL(home).host

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, as far as it is read."""
        if request.url.host != self._home:
            await _pin(request)
        request.headers["accept-encoding"] = "identity"  # a packed answer is as large as it likes
        response = await super().handle_async_request(request)
        if response.status_code in REFUSED:
            self._refused()
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise TooMuchError("the answer is packed")
        streams = response.headers.get("content-type", "").startswith("text/event-stream")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Counted(response.stream, STREAM if streams else self._most)
        return response


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise TooMuchError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _pin(request: httpx2.Request) -> None:
    """Let a request to another host than the server's go to the public internet alone, encrypted.

    Where people sign in, the server says; it could name any address of our own network.
    """
    host = request.url.host
    if request.url.scheme != "https":
        raise ElsewhereError("not encrypted")
    literal = parse(host)
    found = [str(literal)] if literal else await system_resolver(host, request.url.port or 443)
    numbers = [parse(address) for address in found]
    if not numbers or any(number is None or not is_public(number) for number in numbers):
        raise ElsewhereError("not public")
    request.extensions = {**request.extensions, "sni_hostname": host}
    request.url = request.url.copy_with(host=str(numbers[0]))  # what was checked is what is connected to


def client(
    headers: Mapping[str, str],
    patience: float,
    most: int,
    refused: Callable[[], None],
    *,
    home: str,
    auth: httpx2.Auth | None = None,
) -> httpx2.AsyncClient:
    """An HTTP client for the server at the address `home`. `patience`: seconds of silence until it is given up.

    `refused` is called when the server does not let us in; `auth` signs the requests.
    """
    return httpx2.AsyncClient(
        headers=dict(headers),
        transport=Bounded(most, refused, home),
        timeout=httpx2.Timeout(CONNECT, read=patience),
        follow_redirects=False,
        auth=auth,
    )
