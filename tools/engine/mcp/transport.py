"""HTTP to an MCP server, within limits: what it answers is read up to a size, and nothing is unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

STREAM = 64_000_000  # bytes of one stream of events
CONNECT = 10.0  # seconds
REFUSED = frozenset({401, 403})  # statuses


class TooMuchError(httpx2.TransportError):
    """The server answers more than is read."""


class Bounded(httpx2.AsyncHTTPTransport):
    """Cuts an answer off behind `most` bytes."""

    def __init__(self, most: int, refused: Callable[[], None]) -> None:
        super().__init__(retries=0)
        self._most = most
        self._refused = refused

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, as far as it is read."""
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


def client(headers: Mapping[str, str], patience: float, most: int, refused: Callable[[], None]) -> httpx2.AsyncClient:
    """An HTTP client for one server. `patience`: seconds of silence until it is given up.

    `refused` is called when the server does not let us in.
    """
    return httpx2.AsyncClient(
        headers=dict(headers),
        transport=Bounded(most, refused),
        timeout=httpx2.Timeout(CONNECT, read=patience),
        follow_redirects=False,
    )
