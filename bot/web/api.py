"""The addresses that the page talks to. Every one knows who asks, and shows and takes only what that person may."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.engine import asking
from bot.web import present, requests, words
from bot.web.adapter import DM
from bot.web.guard import HEADER
from bot.web.hub import Connection
from kernel import ledger
from kernel.errors import BosunError, NotAllowed, NotFound, PlatformError, RefusedError, StoreError
from kernel.store import web
from kernel.types import Json, Press

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from bot.web.adapter import WebAdapter
    from bot.web.files import Files
    from bot.web.hub import Hub
    from bot.web.sessions import Sessions
    from bot.web.views import Channel, Settings, Sources
    from kernel.clock import Clock
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.types import Person

    Handler = Callable[[Request, Person], Awaitable[Response]]

log = logging.getLogger(__name__)
SIGNS = ("👍", "✅", "👀", "🎉", "❓", "🚨")
STATUS: dict[type[BosunError], int] = {
    NotAllowed: 403,
    NotFound: 404,
    StoreError: 503,
    PlatformError: 503,
    RefusedError: 409,
}


class OtherPerson(RefusedError):
    """Somebody else is signed in in this browser by now. The page loads again."""

    code = "other_person"


class Failed(BosunError):
    """Something went wrong on Bosun's side. Send it again; if it stays so, its log says why."""

    code = "failed"


class SignedOut(BosunError):
    """You are signed out. Open the login link that Bosun printed when it started."""

    code = "signed_out"


def refused(error: BosunError) -> Response:
    """The answer that tells the page what went wrong."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    status = 401 if isinstance(error, SignedOut) else status
    body = {"code": error.code, "message": error.message, "hint": error.hint}
    return JSONResponse({"error": body}, status_code=status)


class Api:
    """All addresses below /api."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        settings: Settings,
        sources: Sources,
        adapter: WebAdapter,
        sessions: Sessions,
        files: Files,
        hub: Hub,
    ) -> None:
        self._store = store
        self._clock = clock
        self._directory = directory
        self._settings = settings
        self._sources = sources
        self._adapter = adapter
        self._sessions = sessions
        self._files = files
        self._hub = hub

    def routes(self) -> list[Route]:
        """The routes, each for signed-in people only."""
        reads = {
            "/boot": self.boot,
            "/channels/{channel}/messages": self.messages,
            "/threads/{root}": self.thread,
            "/home": self.home,
            "/events": self.events,
        }
        writes = {
            "/messages": self.say,
            "/press": self.press,
            "/react": self.react,
            "/read": self.read,
            "/files": self.upload,
            "/notices/seen": self.seen,
            "/persona": self.persona,
            "/logout": self.logout,
        }
        return [
            *(Route(path, self._for_people(handler), methods=["GET"]) for path, handler in reads.items()),
            *(Route(path, self._for_people(handler), methods=["POST"]) for path, handler in writes.items()),
        ]

    def person(self, request: Request) -> Person:
        """Who is at the browser; SignedOut if nobody known."""
        session = self._sessions.read(request.cookies.get(self._sessions.cookie_name))
        person = self._directory.by_id(session.person) if session else None
        if person is None:
            raise SignedOut
        return person

    def _for_people(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                person = self.person(request)
                if request.headers.get(HEADER, "1") not in {"1", person.id}:
                    raise OtherPerson
                return await handler(request, person)
            except BosunError as error:
                if isinstance(error, StoreError):
                    log.warning("%s: %s", request.url.path, error)
                return refused(error)
            except Exception:
                log.exception("%s failed", request.url.path)
                return refused(Failed())

        return endpoint

    # -- reading ------------------------------------------------------------------------------------------------

    async def boot(self, request: Request, person: Person) -> Response:
        """Everything that the page needs before it shows anything."""
        channels = self._channels(person)
        ids = [channel.id for channel in channels]

        def read(session: Session) -> Json:
            return {
                "cursor": web.head(session),
                "unread": sorted(web.unread(session, person.id, ids)),
                "busy": [present.thread(row) for row in web.busy_threads(session, ids)],
                "notices": [present.notice(row) for row in web.notices(session, person.id)],
            }

        settings = self._settings
        return JSONResponse(
            {
                **await self._store.read(read),
                "me": await self._view(person),
                "people": [await self._view(one) for one in self._sources.people()],
                "workspace": settings.workspace,
                "demo": settings.demo,
                "channels": [_channel(channel) for channel in channels],
                "signs": self._signs(),
                "agents": [agent.model_dump() for agent in self._sources.agents()],
                "commands": [command.model_dump() for command in settings.commands],
                "prompts": [prompt.model_dump() for prompt in self._sources.prompts()],
                "limits": {"bytes": settings.upload_limit, "files": settings.files_per_message},
            }
        )

    def _signs(self) -> list[str]:
        """The emoji that people can react with: some that everybody knows, and those that workflows wait for."""
        return list(dict.fromkeys((*SIGNS, *self._sources.signs())))

    async def _view(self, person: Person) -> Json:
        roles = await self._directory.roles_of(person)
        return {"id": person.id, "name": person.name, "roles": sorted(roles), "zone": person.time_zone}

    def _channels(self, person: Person) -> list[Channel]:
        dm = self._adapter.channel(DM + person.id)
        readable = [one for one in self._sources.channels() if self._adapter.readable(person.id, one.id)]
        return [*readable, *([dm] if dm else [])]

    async def messages(self, request: Request, person: Person) -> Response:
        """The last top-level messages of a channel, or those before a number."""
        channel = self._readable(person, request.path_params["channel"])
        before = request.query_params.get("before", "")
        limit = 50
        rows = await self._store.read(
            lambda session: web.timeline(session, channel, int(before) if before.isdecimal() else None, limit + 1)
        )
        shown, votes = rows[-limit:], await self._votes(person, rows[-limit:])
        return JSONResponse({"messages": self._present(shown), "votes": votes, "more": len(rows) > limit})

    async def thread(self, request: Request, person: Person) -> Response:
        """A root and its replies."""
        root = request.path_params["root"]

        def read(session: Session) -> list[web.WebMessage]:
            row = web.get(session, root)
            if row is None or not self._adapter.readable(person.id, row.channel):
                raise NotFound("There is no such thread.")
            return [row, *web.replies(session, root)]

        rows = await self._store.read(read)
        return JSONResponse({"messages": self._present(rows), "votes": await self._votes(person, rows)})

    async def home(self, request: Request, person: Person) -> Response:
        """The person's dashboard."""
        return JSONResponse(present.home(await self._sources.home(person)))

    async def events(self, request: Request, person: Person) -> Response:
        """The stream of what changes, from where this tab stopped."""
        given = (request.headers.get("last-event-id", ""), request.query_params.get("after", ""))
        after = max([int(text) for text in given if text.isdecimal()], default=await self._store.read(web.head))
        client = request.query_params.get("client", "")[:64]
        connection = Connection(person.id, client, lambda channel: self._adapter.readable(person.id, channel))
        headers = {"x-accel-buffering": "no"}
        stream = self._hub.stream(connection, after)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    def _readable(self, person: Person, channel: str) -> str:
        if not self._adapter.readable(person.id, channel):
            raise NotFound("There is no such channel.")
        return channel

    async def _votes(self, person: Person, rows: list[web.WebMessage]) -> dict[str, str]:
        """What the person said of the answers among these messages."""
        refs = [ref for row in rows if (ref := row.body.get("feedback"))]
        return dict(await self._sources.votes(person, refs)) if refs else {}

    def _present(self, rows: list[web.WebMessage]) -> list[Json]:
        names = {person.id: person.name for person in self._sources.people()}
        return [present.message(row, names) for row in rows]

    # -- writing ------------------------------------------------------------------------------------------------

    async def say(self, request: Request, person: Person) -> Response:
        """Take a message. Answered after it is stored and the desk has it."""
        said = await requests.parse(request, requests.Say)
        channel = self._readable(person, said.channel)
        if len(said.files) > self._settings.files_per_message:
            raise RefusedError(f"A message takes at most {self._settings.files_per_message} files.")
        if not said.text.strip() and not said.files:
            raise RefusedError("There is nothing to send.")
        root = await self._root(channel, said.thread)
        command, text = self._command(said.text), said.text
        if question := asking.by_command(command):
            text = words.addressed(question)
        elif command:
            await self._adapter.command(self._adapter.place(channel, root), person, command, said.id)
            return JSONResponse({"command": True})
        row = web.WebMessage(
            id=said.id,
            number=0,
            seq=0,
            channel=channel,
            thread=root,
            author=person.id,
            body={"text": text},
            created_at=self._clock.now(),
        )
        stored = await self._adapter.say(row, said.files)
        if stored.author != person.id:
            raise RefusedError("Another message has this id.")
        return JSONResponse({"message": self._present([stored])[0]})

    async def _root(self, channel: str, thread: str | None) -> str:
        if not thread:
            return ""
        row = await self._store.read(lambda session: web.get(session, thread))
        if row is None or row.channel != channel:
            raise NotFound("That thread is no longer there.")
        return row.thread or row.id

    def _command(self, text: str) -> str:
        typed = text.strip().removeprefix("/").removeprefix("bosun ")
        known = {command.name for command in self._settings.commands}
        return typed if text.lstrip().startswith("/") and typed.split(" ", 1)[0].lower() in known else ""

    async def press(self, request: Request, person: Person) -> Response:
        """Take a pressed button or a submitted dialog."""
        pressed = await requests.parse(request, requests.Pressed)
        place = self._adapter.place(DM + person.id)
        if pressed.message:
            row = await self._store.read(lambda session: web.get(session, pressed.message or ""))
            if row is None or not self._adapter.readable(person.id, row.channel):
                raise NotFound("That message is no longer there.")
            place = self._adapter.place(row.channel, row.thread)
        press = Press(
            subject=pressed.subject,
            revision=pressed.revision,
            verb=pressed.verb,
            fields=pressed.fields,
            trigger=f"{pressed.client}/{person.id}",
            message=pressed.message,
        )
        await self._adapter.press(place, person, press, pressed.id)
        return JSONResponse({})

    async def react(self, request: Request, person: Person) -> Response:
        """Put an emoji on a message or take it off."""
        reacted = await requests.parse(request, requests.Reacted)
        row = await self._store.read(lambda session: web.get(session, reacted.message))
        if row is None or not self._adapter.readable(person.id, row.channel):
            raise NotFound("That message is no longer there.")
        if reacted.on and reacted.emoji not in self._signs():
            raise RefusedError("There is no such reaction here.")
        await self._adapter.mark(row, person, reacted.emoji, remove=not reacted.on)
        return JSONResponse({})

    async def read(self, request: Request, person: Person) -> Response:
        """Remember how far the person has read."""
        upto = await requests.parse(request, requests.ReadUpTo)
        channel = self._readable(person, upto.channel)
        await self._store.write(lambda session: web.mark_read(session, person.id, channel, upto.number))
        return JSONResponse({})

    async def upload(self, request: Request, person: Person) -> Response:
        """Take one file; it is attached by the message that names it."""
        name = request.query_params.get("name", "file")
        row = await self._files.receive(name, person.id, request.stream(), self._settings.upload_limit)
        return JSONResponse({"file": {"id": row.id, "name": row.name, "media_type": row.media_type, "size": row.size}})

    async def seen(self, request: Request, person: Person) -> Response:
        """The person has seen these notices."""
        seen = await requests.parse(request, requests.Seen)
        await self._store.write(lambda session: web.notices_seen(session, person.id, seen.upto))
        return JSONResponse({})

    async def persona(self, request: Request, person: Person) -> Response:
        """Be somebody else. Demo mode only, and on record."""
        if not self._settings.demo:
            raise NotAllowed("Personas exist only in demo mode.")
        wanted = await requests.parse(request, requests.Persona)
        other = next((one for one in self._sources.people() if one.id == wanted.person), None)
        if other is None:
            raise NotFound("There is no such person.")
        body = {"from": person.id, "to": other.id}
        await self._store.write(
            lambda session: ledger.append(session, self._clock.now(), "web.persona", other.id, body)
        )
        return self.signed_in(JSONResponse({}), other.id, secure=self.is_secure(request))

    async def logout(self, request: Request, person: Person) -> Response:
        """Sign this browser out."""
        response = JSONResponse({})
        response.delete_cookie(self._sessions.cookie_name, path="/", httponly=True, samesite="strict")
        return response

    def is_secure(self, request: Request) -> bool:
        """Whether the chat was reached over https, by one of the addresses that it was given."""
        return f"https://{request.headers.get('host', '')}" in self._settings.origins

    def signed_in(self, response: Response, person: str, *, secure: bool) -> Response:
        """The response with the cookie that signs `person` in."""
        response.set_cookie(
            self._sessions.cookie_name,
            self._sessions.cookie(person),
            max_age=30 * 24 * 3600,
            path="/",
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return response


def _channel(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name.lstrip("#"),
        "purpose": channel.purpose,
        "dm": channel.id.startswith(DM),
    }
