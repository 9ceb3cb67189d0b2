"""The server: routes, tokens, limits and faults; and what a test sees of the chat."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from tests.fakes.discord import checks
from tests.fakes.discord.faults import ERRORS, Faults, Limits
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.people import People
from tests.fakes.discord.rest import ROUTES, Request, Route
from tests.fakes.discord.world import BOT, TOKEN, DiscordError, Json, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that the app made, and what it was told."""

    operation: str
    path: dict[str, str]
    body: Json
    status: int
    done: bool  # whether the work was done, told or not


class FakeDiscord(People):
    """A server with one app. `await start()`, point Bosun at `api_url` and `gateway_url`, and be a person in it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.world = World(clock)
        self.faults = Faults()
        self.limits = Limits()
        self.gateway = Gateway(self)
        self.interactions = Interactions(self)
        self.in_guild = True
        self.token = TOKEN
        self.url = ""
        self.calls: deque[Call] = deque(maxlen=10_000)
        self.counts: Counter[str] = Counter()  # calls by operation
        self.observers: list[Callable[[Call], None]] = []
        self._runner: web.AppRunner | None = None
        self._waiting: set[asyncio.Event] = set()

    # -- life cycle -------------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        """What DISCORD_API_URL has to be."""
        return f"{self.url}/api/v10"

    @property
    def gateway_url(self) -> str:
        """What DISCORD_GATEWAY_URL has to be."""
        return f"{self.url.replace('http', 'ws', 1)}/gateway"

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes any that is free."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_get("/attachments/{channel}/{id}/{name}", self._download)
        self.add_routes(app)
        app.router.add_route("*", "/api/v10/{path:.*}", self._api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def add_routes(self, app: web.Application) -> None:
        """For more routes, such as those that drive it by hand."""

    async def stop(self) -> None:
        """Close everything."""
        self.interactions.close()
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # -- waiting ----------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something happened that somebody may wait for."""
        for event in self._waiting:
            event.set()

    async def until(self, true: Callable[[], object], patience: float = 10.0) -> None:
        """Wait until `true()`; TimeoutError after `patience` seconds."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(patience):
                while not true():
                    await event.wait()
                    event.clear()
        finally:
            self._waiting.discard(event)

    # -- the REST API -----------------------------------------------------------------------------

    async def _api(self, http: web.Request) -> web.StreamResponse:
        path = "/" + http.match_info["path"]
        found = next(
            ((one, match) for one in ROUTES if one.method == http.method and (match := one.pattern.match(path))), None
        )
        if found is None:
            return _answer(404, {"message": "404: Not Found", "code": 0})
        route, match = found
        body, files = await _content(http)
        request = Request(path=match.groupdict(), query=dict(http.query), body=body, files=files)
        if not route.open and http.headers.get("Authorization") != f"Bot {self.token}":
            return _answer(401, {"message": "401: Unauthorized", "code": 0})
        major = match.groupdict().get("channel") or match.groupdict().get("token") or ""
        counted = self.limits.take(route.operation, major) if not route.open else ({}, 0.0, False)
        headers, wait, everything = counted
        if wait > 0:
            return self._slow_down(route, request, wait, headers, everything=everything)
        return await self._with_faults(http, route, request, headers)

    async def _with_faults(
        self, http: web.Request, route: Route, request: Request, headers: dict[str, str]
    ) -> web.StreamResponse:
        fault = self.faults.take(route.operation)
        if fault == "429":
            return self._slow_down(route, request, self.faults.retry_after, headers, everything=False)
        if fault == "500":
            self._note(route, request, 500, done=False)
            return _answer(500, {"message": "500: Internal Server Error", "code": 0}, headers)
        if fault == "drop_before":
            self._note(route, request, 0, done=False)
            return _hang_up(http)
        if fault in ERRORS:
            status, message = ERRORS[fault]
            self._note(route, request, status, done=False)
            return _answer(status, {"message": message, "code": int(fault)}, headers)
        status, answer = self._run(route, request)
        self._note(route, request, status, done=status < 300)
        if fault == "drop":
            return _hang_up(http)
        if fault == "500_after":
            return _answer(500, {"message": "500: Internal Server Error", "code": 0}, headers)
        return _answer(status, answer, headers)

    def _run(self, route: Route, request: Request) -> tuple[int, object]:
        try:
            answer = route.run(self, request)
        except DiscordError as error:
            return error.status, error.body
        return (204, None) if answer is None else (200, answer)

    def _slow_down(
        self, route: Route, request: Request, wait: float, headers: dict[str, str], *, everything: bool
    ) -> web.StreamResponse:
        self._note(route, request, 429, done=False)
        told = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": everything}
        scope = {"X-RateLimit-Global": "true"} if everything else {"X-RateLimit-Scope": "user"}
        return _answer(429, told, headers | {"Retry-After": str(wait), "Via": "1.1 fake"} | scope)

    def _note(self, route: Route, request: Request, status: int, *, done: bool) -> None:
        call = Call(operation=route.operation, path=request.path, body=request.body, status=status, done=done)
        self.calls.append(call)
        self.counts[call.operation] += 1
        for observer in self.observers:
            observer(call)
        self.changed()

    async def _download(self, request: web.Request) -> web.StreamResponse:
        content = self.world.files.get(request.match_info["id"])
        if content is None:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=content, content_type="application/octet-stream")

    # -- what is seen -----------------------------------------------------------------------------

    def view(self, channel: str) -> list[Json]:
        """The messages of a channel or thread as a member reads them, oldest first."""
        found = self.world.channels.get(channel)
        return [{**one, "visible": checks.visible(one)} for one in found.messages.values()] if found else []

    def said(self, channel: str) -> list[Json]:
        """What the app said there."""
        return [one for one in self.view(channel) if one["author"]["id"] == BOT]

    def ephemerals_for(self, user: str) -> list[Json]:
        """What only this person saw in answer to what they pressed or typed."""
        found = [shown for shown in self.interactions.ephemerals if shown["to"] == user]
        return [{**shown, "visible": checks.visible(shown)} for shown in found]


async def _content(http: web.Request) -> tuple[Json, dict[str, bytes]]:
    if http.content_type == "multipart/form-data":
        form = await http.post()
        body = orjson.loads(str(form["payload_json"])) if "payload_json" in form else {}
        files = {value.filename: value.file.read() for value in form.values() if isinstance(value, web.FileField)}
        return body, files
    raw = await http.read()
    if not raw or http.content_type != "application/json":
        return {}, {}
    found = orjson.loads(raw)
    return (found if isinstance(found, dict) else {"list": found}), {}


def _answer(status: int, body: object, headers: dict[str, str] | None = None) -> web.Response:
    if status == 204:
        return web.Response(status=204, headers=headers)
    text = orjson.dumps(body).decode()
    # Exactly this type: the client library compares the header as a whole.
    return web.Response(
        status=status, body=text.encode(), headers={**(headers or {}), "Content-Type": "application/json"}
    )


def _hang_up(http: web.Request) -> web.Response:
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=500)
