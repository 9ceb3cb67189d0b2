"""A web server on loopback for the tests: bytes in, whatever bytes the test wants out."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

CERTIFICATES = Path(__file__).parent / "certificates"
Respond = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


@dataclass(kw_only=True)
class Asked:
    """A request that arrived."""

    path: str
    headers: dict[str, str]


@dataclass(kw_only=True)
class WebServer:
    """The server, what it was asked, and what it answers by path."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, Respond] = field(default_factory=dict)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def page(self, path: str, body: bytes | str, kind: str = "text/html; charset=utf-8", **headers: str) -> None:
        """Answer `path` with a page."""
        content = body.encode() if isinstance(body, str) else body

        async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
            writer.write(head(200, {"Content-Type": kind, "Content-Length": str(len(content)), **headers}) + content)

        self.answers[path] = respond

    def redirect(self, path: str, target: str, status: int = 302) -> None:
        """Answer `path` with a redirect."""

        async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
            writer.write(head(status, {"Location": target, "Content-Length": "0"}))

        self.answers[path] = respond

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            asked = Asked(path=lines[0].split(" ")[1], headers={name.lower(): value for name, value in headers.items()})
            self.asked.append(asked)
            await self.answers[asked.path](asked, writer)
            await writer.drain()
        writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()


def head(status: int, headers: dict[str, str]) -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items()), "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@contextlib.asynccontextmanager
async def running(*, tls: bool = False) -> AsyncIterator[WebServer]:
    """A server on a free port of 127.0.0.1; with `tls` it shows the certificate of page.test."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / "page.test.crt", CERTIFICATES / "page.test.key")
    made = WebServer()
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in made.serving:
            task.cancel()
        await asyncio.gather(*made.serving)
        await asyncio.sleep(0)  # transports close in the loop's next turn
