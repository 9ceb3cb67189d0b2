"""A web site on this machine that a test fills and changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from tests.knowledge.loopback import Loopback


@dataclass
class Site(Loopback):
    """Answers with what stands in `pages`: (content type, body), or a status."""

    pages: dict[str, tuple[str, str] | int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # "GET /a" or "304 /a"
    bodies: list[dict[str, object]] = field(default_factory=list)  # of POST requests
    headers: list[dict[str, str]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: requests wait
    waiting: int = 0  # requests that do
    most = 10_000_000

    def __post_init__(self) -> None:
        self.open.set()

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
