"""The gateway: sessions that outlive their connection for a while, intents, events in order, and how it hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson
from aiohttp import WSMsgType, web

from tests.fakes.discord.world import APP, BOT, DM, ELSEWHERE, GUILD, TOKEN, VIEW, Channel, Json

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

GUILDS, MEMBERS, PRESENCES, GUILD_MESSAGES, REACTIONS, DIRECT_MESSAGES, CONTENT = (
    *(1, 1 << 1, 1 << 8, 1 << 9, 1 << 10, 1 << 12, 1 << 15),
)
ALL_INTENTS = (1 << 26) - 1
DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME, RECONNECT, CHUNK, INVALID, HELLO, ACK = 0, 1, 2, 3, 6, 7, 8, 9, 10, 11


@dataclass(kw_only=True)
class Session:
    """What one identified client has been told."""

    id: str
    intents: int
    events: list[Json] = field(default_factory=list)  # numbered from 1
    more: asyncio.Event = field(default_factory=asyncio.Event)
    alive: bool = True

    def tell(self, event: str, data: object) -> None:
        """The next event."""
        self.events.append({"op": DISPATCH, "t": event, "s": len(self.events) + 1, "d": data})
        self.more.set()


class Connection:
    """One WebSocket; with `compress=zlib-stream` all frames are one compressed stream."""

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self.socket = socket
        self.session: Session | None = None
        self.sent = 0  # number of the last event that was sent here
        self._zlib = zlib.compressobj() if compressed else None

    async def send(self, payload: Json) -> None:
        """One frame."""
        text = orjson.dumps(payload)
        if self._zlib is None:
            await self.socket.send_str(text.decode())
        else:
            await self.socket.send_bytes(self._zlib.compress(text) + self._zlib.flush(zlib.Z_SYNC_FLUSH))


class Gateway:
    """All connections and sessions."""

    def __init__(self, discord: FakeDiscord) -> None:
        self.discord = discord
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.identified = 0
        self.resumed = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection, from hello to goodbye."""
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            return web.Response(status=400)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(socket, compressed=request.query.get("compress") == "zlib-stream")
        await connection.send({"op": HELLO, "d": {"heartbeat_interval": 41_250}})
        writer = asyncio.create_task(self._write(connection))
        self.connections.append(connection)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._heard(connection, orjson.loads(message.data))
        finally:
            writer.cancel()
            self.connections.remove(connection)
            if connection.session is not None and socket.close_code in {1000, 1001}:
                connection.session.alive = False  # a client that says goodbye ends its session
            self.discord.changed()
        return socket

    async def _write(self, connection: Connection) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                session = connection.session
                if session is None:
                    await asyncio.sleep(0.001)
                    continue
                session.more.clear()
                while connection.sent < len(session.events):
                    await connection.send(session.events[connection.sent])
                    connection.sent += 1
                await session.more.wait()

    async def _heard(self, connection: Connection, message: Json) -> None:
        operation, data = message.get("op"), message.get("d") or {}
        if operation == HEARTBEAT:
            await connection.send({"op": ACK})
        elif operation == IDENTIFY:
            await self._identify(connection, data)
        elif operation == RESUME:
            await self._resume(connection, data)
        elif operation not in {PRESENCE, CHUNK}:
            await connection.socket.close(code=4001, message=b"Unknown opcode")

    async def _identify(self, connection: Connection, data: Json) -> None:
        intents = int(data.get("intents", 0))
        if data.get("token") != TOKEN:
            await connection.socket.close(code=4004, message=b"Authentication failed")
        elif intents & ~ALL_INTENTS:
            await connection.socket.close(code=4013, message=b"Invalid intent(s)")
        elif intents & (MEMBERS | PRESENCES) or (intents & CONTENT and not self.discord.world.reads_content):
            await connection.socket.close(code=4014, message=b"Disallowed intent(s)")
        else:
            session = Session(id=self.discord.world.next_id(), intents=intents)
            self.sessions[session.id] = session
            self.identified += 1
            self._ready(session)
            connection.session = session
            self.discord.changed()

    def _ready(self, session: Session) -> None:
        world = self.discord.world
        guilds = [{"id": GUILD, "unavailable": True}] if self.discord.in_guild else []
        session.tell(
            "READY",
            {
                "v": 10,
                "user": world.members[BOT].user() | {"verified": True, "mfa_enabled": False, "flags": 0},
                "guilds": guilds,
                "session_id": session.id,
                "resume_gateway_url": self.discord.gateway_url,
                "application": {"id": APP, "flags": world.app_flags},
                "private_channels": [],
            },
        )
        if self.discord.in_guild and session.intents & GUILDS:
            channels = [one for one in world.channels.values() if one.type != DM and world.permissions(one) & VIEW]
            session.tell("GUILD_CREATE", self._server(channels))

    def _server(self, channels: list[Channel]) -> Json:
        """A server with these channels, as one hears of it at first."""
        world = self.discord.world
        return {
            **world.shown_guild(),
            "joined_at": "2025-01-01T00:00:00+00:00",
            "large": False,
            "unavailable": False,
            "member_count": len(world.members),
            "members": [{**world.members[BOT].member(), "user": world.members[BOT].user()}],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "channels": [world.shown_channel(one) for one in channels if not one.parent],
            "threads": [world.shown_channel(one) for one in channels if one.parent and not one.archived],
        }

    def invite_elsewhere(self, channel: Channel) -> None:
        """The app comes to another server as well, which has this channel."""
        server = self._server([channel])
        of_it = {"id": ELSEWHERE, "name": "Elsewhere"}
        channels = [{**one, "guild_id": ELSEWHERE} for one in server["channels"]]
        self.dispatch("GUILD_CREATE", {**server, **of_it, "channels": channels})

    async def _resume(self, connection: Connection, data: Json) -> None:
        session = self.sessions.get(str(data.get("session_id")))
        if data.get("token") != TOKEN:
            await connection.socket.close(code=4004, message=b"Authentication failed")
        elif session is None or not session.alive or int(data.get("seq") or 0) > len(session.events):
            await connection.send({"op": INVALID, "d": False})
        else:
            self.resumed += 1
            session.tell("RESUMED", {})
            connection.sent, connection.session = int(data["seq"]), session
            self.discord.changed()

    # -- what happens -----------------------------------------------------------------------------

    def dispatch(self, event: str, data: Json) -> None:
        """Tell every session that may know it."""
        for session in self.sessions.values():
            if session.alive and self._wants(session, event, data):
                session.tell(event, self._as_seen(session, event, data))

    def _wants(self, session: Session, event: str, data: Json) -> bool:
        if event == "MESSAGE_REACTION_ADD":
            return bool(session.intents & REACTIONS) and "guild_id" in data
        if not event.startswith("MESSAGE_"):
            return event == "INTERACTION_CREATE" or bool(session.intents & GUILDS)
        return bool(session.intents & (GUILD_MESSAGES if "guild_id" in data else DIRECT_MESSAGES))

    def _as_seen(self, session: Session, event: str, data: Json) -> Json:
        if event in {"MESSAGE_CREATE", "MESSAGE_UPDATE"} and not session.intents & CONTENT:
            return self.discord.world.shown_message(data, whole=False)
        return data

    async def drop(self) -> None:
        """All connections break without a word; their sessions can be resumed."""
        for connection in list(self.connections):
            connection.session = None
            transport = connection.socket._req.transport if connection.socket._req is not None else None
            if transport is not None:
                transport.abort()
        await self.discord.until(lambda: not self.connections)

    async def reconnect(self) -> None:
        """Ask all clients to come again, as Discord does now and then."""
        for connection in list(self.connections):
            await connection.send({"op": RECONNECT, "d": None})

    def forget_sessions(self) -> None:
        """Nothing can be resumed any more."""
        for session in self.sessions.values():
            session.alive = False

    async def close(self) -> None:
        for connection in list(self.connections):
            await connection.socket.close(code=1001)
