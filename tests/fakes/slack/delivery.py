"""How events reach the app: Socket Mode with acknowledgements and redelivery, or signed HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
import orjson
from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from tests.fakes.slack.server import FakeSlack
    from tests.fakes.slack.world import Json

KINDS = {"block_actions": "interactive", "view_submission": "interactive", "event_callback": "events_api"}


@dataclass(kw_only=True)
class Envelope:
    """Something that was sent to the app. Events are sent again until they are acknowledged, the rest is not."""

    id: str
    kind: str
    payload: Json
    attempts: int = 0
    acknowledged: bool = False
    answer: Json | None = None
    lost: bool = False  # Slack has given up
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    timer: asyncio.TimerHandle | None = None

    def settle(self, *, acknowledged: bool, answer: Json | None = None) -> None:
        self.acknowledged, self.lost, self.answer = acknowledged, not acknowledged, answer
        if self.timer is not None:
            self.timer.cancel()
        self.settled.set()


class Sockets:
    """The Socket Mode endpoint. Each payload goes to one of the open connections, in turn."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.ack_timeout = 3.0
        self.retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
        self.connections: list[web.WebSocketResponse] = []
        self.open: dict[str, Envelope] = {}
        self.acknowledgements = 0
        self._turn = 0
        self._tickets: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def new_address(self) -> str:
        """A URL for one connection."""
        ticket = self.slack.world.next_id("ticket")
        self._tickets.add(ticket)
        return f"{self.slack.url.replace('http', 'ws', 1)}/socket/{ticket}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection, from hello to goodbye."""
        ticket = request.match_info["ticket"]
        if ticket not in self._tickets:
            return web.Response(status=404)
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        hello = {
            "type": "hello",
            "num_connections": len(self.connections) + 1,
            "connection_info": {"app_id": "A0BOSUN"},
        }
        await socket.send_str(orjson.dumps(hello).decode())
        self.connections.append(socket)
        self.slack.changed()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(orjson.loads(message.data))
        finally:
            if socket in self.connections:
                self.connections.remove(socket)
            self.slack.changed()
        return socket

    def _acknowledge(self, answer: Json) -> None:
        envelope = self.open.pop(str(answer.get("envelope_id", "")), None)
        if envelope is not None:
            self.acknowledgements += 1
            envelope.settle(acknowledged=True, answer=answer.get("payload"))
            self.slack.changed()

    async def deliver(self, kind: str, payload: Json) -> Envelope:
        """Send it; returns once it is on the wire, or has nowhere to go."""
        envelope = Envelope(id=self.slack.world.next_id("E"), kind=kind, payload=payload)
        self.open[envelope.id] = envelope
        await self._send(envelope)
        return envelope

    async def _send(self, envelope: Envelope) -> None:
        envelope.attempts += 1
        body: dict[str, Any] = {
            "type": envelope.kind,
            "envelope_id": envelope.id,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.kind != "events_api",
        }
        if envelope.kind == "events_api":
            body["retry_attempt"] = envelope.attempts - 1
            body["retry_reason"] = "timeout" if envelope.attempts > 1 else ""
            if envelope.attempts == 1:
                del body["retry_attempt"], body["retry_reason"]
        if self.connections:
            self._turn += 1
            socket = self.connections[self._turn % len(self.connections)]
            with contextlib.suppress(ConnectionError):  # as good as not acknowledged
                await socket.send_str(orjson.dumps(body).decode())
        loop = asyncio.get_running_loop()
        envelope.timer = loop.call_later(self.ack_timeout, self._unacknowledged, envelope)

    def _unacknowledged(self, envelope: Envelope) -> None:
        if envelope.kind != "events_api" or envelope.attempts > len(self.retry_delays):
            self.open.pop(envelope.id, None)
            envelope.settle(acknowledged=False)
            self.slack.changed()
            return
        delay = self.retry_delays[envelope.attempts - 1]
        envelope.timer = asyncio.get_running_loop().call_later(delay, self._again, envelope)

    def _again(self, envelope: Envelope) -> None:
        task = asyncio.get_running_loop().create_task(self._send(envelope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def refresh(self) -> None:
        """Ask one connection to come again, as Slack does every few hours."""
        if self.connections:
            await self.connections[0].send_str('{"type":"disconnect","reason":"refresh_requested"}')

    async def hang_up(self) -> None:
        """Close all connections without a word."""
        for socket in list(self.connections):
            await socket.close()

    async def close(self) -> None:
        for envelope in self.open.values():
            if envelope.timer is not None:
                envelope.timer.cancel()
        self.open.clear()
        await self.hang_up()


class Http:
    """Signed requests to a URL of the app."""

    def __init__(self, slack: FakeSlack, url: str, secret: str) -> None:
        self.slack = slack
        self.url = url
        self.secret = secret
        self.retries = 3
        self.session = aiohttp.ClientSession()

    async def deliver(self, kind: str, payload: Json) -> Envelope:
        """Post it and wait for the answer; events are sent again at once where it is not 200."""
        envelope = Envelope(id=self.slack.world.next_id("E"), kind=kind, payload=payload)
        while True:
            envelope.attempts += 1
            status, answer = await self.post(kind, payload, attempt=envelope.attempts)
            if status == 200 or kind != "events_api" or envelope.attempts > self.retries:
                envelope.settle(acknowledged=status == 200, answer=answer)
                return envelope

    async def post(
        self, kind: str, payload: Json, *, attempt: int = 1, secret: str = "", age: float = 0
    ) -> tuple[int, Json | None]:
        """One request; `secret` and `age` make a forged or an old one. Returns status and JSON answer."""
        body, content_type = orjson.dumps(payload), "application/json"
        if kind == "interactive":
            body, content_type = urlencode({"payload": body.decode()}).encode(), "application/x-www-form-urlencoded"
        elif kind == "slash_commands":
            body, content_type = urlencode(payload).encode(), "application/x-www-form-urlencoded"
        stamp = str(int(self.slack.world.now() - age))
        base = b"v0:" + stamp.encode() + b":" + body
        signature = "v0=" + hmac.new((secret or self.secret).encode(), base, hashlib.sha256).hexdigest()
        headers = {"Content-Type": content_type, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        if attempt > 1:
            headers |= {"X-Slack-Retry-Num": str(attempt - 1), "X-Slack-Retry-Reason": "http_error"}
        async with self.session.post(self.url, data=body, headers=headers) as response:
            text = await response.read()
            return response.status, orjson.loads(text) if text.startswith(b"{") else None

    async def close(self) -> None:
        await self.session.close()
