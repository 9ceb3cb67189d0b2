"""The server: routes, tokens and scopes, faults; and what a test sees of the workspace."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from tests.fakes.slack.blocks import visible
from tests.fakes.slack.delivery import Http, Sockets
from tests.fakes.slack.faults import KINDS, Faults
from tests.fakes.slack.methods import METHODS
from tests.fakes.slack.people import People
from tests.fakes.slack.world import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Json, SlackError, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that the app made, and what it was told."""

    method: str
    arguments: Json
    answer: Json
    done: bool  # whether the work was done, told or not


class FakeSlack(People):
    """A workspace with one app. `await start()`, point SLACK_API_URL at `api_url`, and be a person in it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.world = World(clock)
        self.faults = Faults(self.world)
        self.sockets = Sockets(self)
        self.http: Http | None = None
        self.bot_token, self.app_token, self.signing_secret = BOT_TOKEN, APP_TOKEN, SIGNING_SECRET
        self.url = ""
        self.calls: deque[Call] = deque(maxlen=10_000)
        self.counts: Counter[str] = Counter()  # calls by method
        self.observers: list[Callable[[Call], None]] = []
        self._runner: web.AppRunner | None = None
        self._waiting: set[asyncio.Event] = set()

    # -- life cycle -------------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        """What SLACK_API_URL has to be."""
        return f"{self.url}/api/"

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes any that is free."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/socket/{ticket}", self.sockets.handle)
        app.router.add_post("/upload/{id}", self._upload)
        app.router.add_get("/files/{id}/{name}", self._download)
        app.router.add_post("/answer/{channel}/{user}", self._answer_url)
        self.add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{bound}"

    def add_routes(self, app: web.Application) -> None:
        """For more routes, such as those that drive it by hand."""

    async def stop(self) -> None:
        """Close everything."""
        await self.sockets.close()
        if self.http is not None:
            await self.http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def over_http(self, url: str) -> Http:
        """Deliver events to this URL from now on, signed, in place of Socket Mode."""
        self.http = Http(self, url, self.signing_secret)
        return self.http

    # -- waiting ----------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something happened that somebody may wait for."""
        for event in self._waiting:
            event.set()

    async def until(self, true: Callable[[], object], patience: float = 5.0) -> None:
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

    # -- the Web API ------------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        arguments = await _arguments(request)
        fault = self.faults.take(name, str(arguments.get("channel") or arguments.get("channel_id") or ""))
        status, answer, done = 200, {"ok": False, "error": "internal_error"}, False
        if fault not in {"429", "500", "drop_before", "html"}:
            answer, done = self._answer(name, arguments, request, fault)
        if fault in KINDS:
            status = {"429": 429, "500": 500, "500_after": 500}.get(fault, 200)
            answer = {"ok": False, "error": "ratelimited"} if fault == "429" else answer
        self._note(Call(method=name, arguments=arguments, answer=answer, done=done))
        if fault in {"drop", "drop_before"} and request.transport is not None:
            request.transport.abort()
        if fault in {"500", "500_after", "html"}:
            return web.Response(status=status, text="<html>Server Error</html>", content_type="text/html")
        headers = {"x-oauth-scopes": ",".join(sorted(self.world.scopes))}
        if status == 429:
            headers["Retry-After"] = str(self.faults.retry_after)
        return web.Response(body=orjson.dumps(answer), status=status, headers=headers, content_type="application/json")

    def _answer(self, name: str, arguments: Json, request: web.Request, fault: str) -> tuple[Json, bool]:
        try:
            if fault and fault not in KINDS:
                raise SlackError(fault)
            method = METHODS.get(name)
            if method is None:
                raise SlackError("unknown_method")
            self._authorise(method.token, method.scopes, request, arguments)
            return {"ok": True, **method.run(self, arguments)}, True
        except SlackError as error:
            return {"ok": False, "error": error.code, **error.more}, False

    def _authorise(self, kind: str, scopes: tuple[str, ...], request: web.Request, arguments: Json) -> None:
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") or str(arguments.get("token", ""))
        if not token:
            raise SlackError("not_authed")
        if token != (self.bot_token if kind == "bot" else self.app_token):
            known = token in {self.bot_token, self.app_token}
            raise SlackError("not_allowed_token_type" if known else "invalid_auth")
        if scopes and not self.world.scopes.intersection(scopes):
            provided = ",".join(sorted(self.world.scopes))
            raise SlackError("missing_scope", needed=scopes[0], provided=provided)

    def _note(self, call: Call) -> None:
        self.calls.append(call)
        self.counts[call.method] += 1
        for observer in self.observers:
            observer(call)
        self.changed()

    # -- files and private answers ----------------------------------------------------------------

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        file = self.world.files.get(request.match_info["id"])
        if file is None:
            return web.Response(status=404)
        file["content"] = await request.read()
        return web.Response(text=f"OK - {len(file['content'])}")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.world.files.get(request.match_info["id"])
        if file is None:
            return web.Response(status=404)
        if "files:read" not in self.world.scopes or request.headers.get("Authorization") != f"Bearer {self.bot_token}":
            return web.Response(text="<html>Sign in to Work</html>", content_type="text/html")
        return web.Response(body=file["content"], content_type=file.get("mimetype", "application/octet-stream"))

    async def _answer_url(self, request: web.Request) -> web.StreamResponse:
        shown = orjson.loads(await request.read())
        shown |= {
            "channel": request.match_info["channel"],
            "to": request.match_info["user"],
            "ts": self.world.next_ts(),
        }
        self.world.ephemerals.append(shown)
        self.changed()
        return web.Response(text="ok")

    # -- what is seen -----------------------------------------------------------------------------

    def channel_view(self, channel: str, thread: str | None = None) -> list[Json]:
        """The top level of a channel, or a thread with its root, as a member reads it, oldest first."""
        found = self.world.channels[channel]
        if thread is not None:
            shown = [found.messages[ts] for ts in [thread, *found.threads.get(thread, [])] if ts in found.messages]
        else:
            shown = [m for m in found.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"]]
        return [{**message, "visible": visible(message)} for message in shown]

    def replies(self, channel: str, thread: str) -> list[Json]:
        """What the app said in a thread."""
        return [m for m in self.channel_view(channel, thread)[1:] if m.get("bot_id") == "B0BOSUN"]

    def ephemerals_for(self, user: str) -> list[Json]:
        """What only this person saw."""
        return [{**shown, "visible": visible(shown)} for shown in self.world.ephemerals if shown["to"] == user]

    def reactions(self, channel: str, ts: str) -> list[str]:
        """The app's reactions on a message."""
        return list(self.world.channels[channel].messages[ts].get("reactions", ()))

    def statuses(self, channel: str, thread: str) -> list[str]:
        """The working states that a thread has shown, in order."""
        return self.world.statuses.get((channel, thread), [])


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        body = await request.read()
        found = orjson.loads(body) if body else {}
        return {**request.query, **found} if request.query_string else found
    arguments: Json = dict(request.query)
    if request.body_exists:
        arguments.update({name: value for name, value in (await request.post()).items() if isinstance(value, str)})
    for name in ("blocks", "metadata", "files", "view"):
        if isinstance(arguments.get(name), str):
            arguments[name] = orjson.loads(arguments[name])
    return arguments
