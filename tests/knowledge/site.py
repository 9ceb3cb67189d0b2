"""A web site on this machine that a test fills and changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


@dataclass
class Site:
    """Answers with what stands in `pages`: (content type, body), or a status."""

    pages: dict[str, tuple[str, str] | int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # "GET /a" or "304 /a"
    bodies: list[dict[str, object]] = field(default_factory=list)  # of POST requests
    headers: list[dict[str, str]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: requests wait
    waiting: int = 0  # requests that do
    url: str = ""

    def __post_init__(self) -> None:
        self.open.set()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        place = web.TCPSite(self._runner, "127.0.0.1", 0)
        await place.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        self.waiting += 1
        await self.open.wait()
        self.waiting -= 1
        if request.method == "POST":
            self.bodies.append(await request.json())
        found = self.pages.get(request.path, 404)
        if isinstance(found, int):
            self.asked.append(f"{found} {request.path}")
            return web.Response(status=found)
        kind, body = found
        mark = f'"{hash(body) & 0xFFFFFF:x}"'
        if request.headers.get("if-none-match") == mark:
            self.asked.append(f"304 {request.path}")
            return web.Response(status=304, headers={"etag": mark})
        self.asked.append(f"GET {request.path}")
        return web.Response(body=body.encode(), content_type=kind, headers={"etag": mark})
