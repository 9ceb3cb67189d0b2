"""A Slack workspace with as many channels as needed: Web API, Socket Mode, and people who mention and click.

It checks nothing and knows only what a measurement meets; the fake that behaves like Slack is in tests/fakes.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from time import monotonic, time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from benchmarks.world.requests import Request

Json = dict[str, Any]

TEAM, BOT, BOT_ID, APP = "T0BENCH", "U0BOSUN", "B0BOSUN", "A0BOSUN"
PEOPLE = 20  # who mention: U0P00 to U0P19
APPROVER = "U0ANNA"
HESITATION = 0.05  # seconds between a card and the click on it
ANSWER = re.compile(rb"answer-([mp]\d+)")


class Workspace:
    """The workspace that one subject is installed in."""

    def __init__(self, name: str, events: tuple[str, ...]) -> None:
        self.name = name
        self.events = events  # types that the app has subscribed to
        self.sockets: list[web.WebSocketResponse] = []
        self.connected_at: float | None = None
        self.requests: dict[str, Request] = {}  # by word
        self._threads: dict[tuple[str, str], Request] = {}  # by channel and ts of the mention
        self._next_socket = itertools.count()
        self._micros = itertools.count(1)

    def ts(self) -> str:
        """A new message's id."""
        return f"{int(time())}.{next(self._micros) % 1_000_000:06d}"

    def forget(self) -> None:
        """Drop the finished requests."""
        self.requests.clear()
        self._threads.clear()

    def watch(self, request: Request) -> None:
        """Note from now on what happens to the request."""
        self.requests[request.word] = request
        self._threads[request.channel, request.ts] = request

    # -- what people do -----------------------------------------------------------------------------------------

    async def mention(self, request: Request, text: str, user: str) -> None:
        """Say `text` to the bot at the top level of the channel."""
        self.watch(request)
        event = {
            "user": user, "ts": request.ts, "text": f"<@{BOT}> {text}", "team": TEAM,
            "channel": request.channel, "event_ts": request.ts, "channel_type": "channel",
        }  # fmt: skip
        request.sent = monotonic()
        for kind in self.events:
            await self.send("events_api", _envelope({"type": kind, **event}))

    def _card(self, request: Request, card_ts: str, button: Json) -> None:
        request.card = {"ts": card_ts, "button": button}
        request.parked.set()
        if not request.clicked:
            return
        asyncio.get_running_loop().call_later(HESITATION, lambda: asyncio.ensure_future(self.click(request)))

    async def click(self, request: Request) -> None:
        """Press the button on the request's card as the approver."""
        card = request.card or {}
        card_ts, button = card["ts"], card["button"]
        request.clicks()
        at = self.ts()
        await self.send("interactive", {
            "type": "block_actions", "api_app_id": APP, "token": "t", "trigger_id": f"1.{at}",
            "user": {"id": APPROVER, "username": "anna", "name": "anna", "team_id": TEAM},
            "team": {"id": TEAM, "domain": "bench"},
            "enterprise": None, "is_enterprise_install": False,
            "channel": {"id": request.channel, "name": request.channel.lower()},
            "container": {
                "type": "message", "message_ts": card_ts, "channel_id": request.channel,
                "is_ephemeral": False, "thread_ts": request.ts,
            },
            "message": {"type": "message", "ts": card_ts, "thread_ts": request.ts, "bot_id": BOT_ID, "user": BOT},
            "response_url": f"http://127.0.0.1:9/{at}",
            "actions": [{"type": "button", "block_id": "b", "action_ts": at, **button}],
        })  # fmt: skip

    async def send(self, kind: str, payload: Json) -> None:
        """Send a payload to one of the connections, as Slack does."""
        envelope = {
            "envelope_id": f"{self.name}-{self.ts()}", "type": kind, "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }  # fmt: skip
        if not self.sockets:
            raise ConnectionError(f"{self.name} is no longer connected")
        socket = self.sockets[next(self._next_socket) % len(self.sockets)]
        await socket.send_str(orjson.dumps(envelope).decode())

    # -- what the app does --------------------------------------------------------------------------------------

    async def api(self, http: web.Request) -> web.Response:
        """A method of the Web API."""
        method, raw = http.match_info["method"], await http.read()
        arguments = _arguments(http, raw)
        answer = self._answer(method, arguments, raw, str(http.host))
        return web.Response(body=orjson.dumps({"ok": True, **answer}), content_type="application/json")

    def _answer(self, method: str, arguments: Json, raw: bytes, host: str) -> Json:
        match method:
            case "chat.postMessage" | "chat.update" | "chat.startStream" | "chat.appendStream" | "chat.stopStream":
                return self._shown(method, arguments, raw)
            case "reactions.add" | "assistant.threads.setStatus" | "agent.sessions.setStatus":
                at = str(arguments.get("timestamp") or arguments.get("thread_ts"))
                if request := self._threads.get((str(arguments.get("channel") or arguments.get("channel_id")), at)):
                    request.saw_sign()
                return {}
            case "auth.test":
                return {"url": "http://bench/", "team": "Bench", "user": "bosun", "team_id": TEAM, "user_id": BOT,
                        "bot_id": BOT_ID, "app_id": APP}  # fmt: skip
            case "apps.connections.open":
                return {"url": f"ws://{host}/{self.name}/socket"}
            case "users.info":
                return {"user": _user(str(arguments["user"]))}
            case "conversations.info":
                channel = str(arguments["channel"])
                return {"channel": {"id": channel, "name": channel.lower(), "is_channel": True, "is_member": True}}
            case "conversations.open":
                return {"channel": {"id": f"D{arguments['users']}"}}
            case _:
                return {"messages": [], "channels": [], "members": [], "users": [], "usergroups": []}

    def _shown(self, method: str, arguments: Json, raw: bytes) -> Json:
        channel, ts = str(arguments.get("channel")), str(arguments.get("ts") or self.ts())
        request = self._threads.get((channel, str(arguments.get("thread_ts"))))
        if found := ANSWER.search(raw):
            if answered := self.requests.get(found[1].decode()):
                answered.saw_reply()
        elif request is not None:
            request.saw_sign()
        if request is not None and request.card is None and (button := _button(arguments.get("blocks"), "approve")):
            self._card(request, ts, button)
        return {"channel": channel, "ts": ts, "message": {"ts": ts, "user": BOT, "bot_id": BOT_ID}}

    async def socket(self, http: web.Request) -> web.WebSocketResponse:
        """A Socket Mode connection."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(http)
        await socket.send_str('{"type":"hello","num_connections":1,"connection_info":{"app_id":"A0BOSUN"}}')
        self.sockets.append(socket)
        if self.connected_at is None:
            self.connected_at = monotonic()
        try:
            async for message in socket:
                if message.type != WSMsgType.TEXT:
                    break
        finally:
            self.sockets.remove(socket)
            if not self.sockets:
                self.connected_at = None
        return socket


def _arguments(http: web.Request, raw: bytes) -> Json:
    query: Json = dict(http.query)
    if http.content_type == "application/json":
        return {**query, **(orjson.loads(raw) if raw else {})}
    return {**query, **{name: values[0] for name, values in parse_qs(raw.decode()).items()}}


def _envelope(event: Json) -> Json:
    return {
        "token": "t", "team_id": TEAM, "api_app_id": APP, "event": event, "type": "event_callback",
        "event_id": f"Ev{event['type']}{event['ts']}", "event_time": int(float(event["ts"])),
        "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT, "is_bot": True}],
        "is_ext_shared_channel": False, "event_context": "c",
    }  # fmt: skip


def _user(user: str) -> Json:
    profile = {"real_name": f"Person {user}", "display_name": user.lower()}
    return {"id": user, "team_id": TEAM, "name": user.lower(), "real_name": f"Person {user}", "profile": profile}


def _button(node: object, verb: str) -> Json | None:
    """The button with `verb` in its action id, wherever in the blocks it stands."""
    if isinstance(node, str):
        node = orjson.loads(node) if node.startswith("[") else None
    if isinstance(node, dict):
        if node.get("type") == "button" and verb in str(node.get("action_id")):
            return {"action_id": node["action_id"], "value": node.get("value"), "text": node.get("text")}
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            if isinstance(child, (dict, list)) and (found := _button(child, verb)):
                return found
    return None
