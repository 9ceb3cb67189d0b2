"""The web chat as one thing to construct, start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from bot.web.adapter import WebAdapter
from bot.web.api import Api
from bot.web.files import Files
from bot.web.guard import Guard
from bot.web.hub import Hub
from bot.web.pages import Pages
from bot.web.sessions import Sessions
from kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from bot.web.views import Settings, Sources
    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Store

STOP_SECONDS = 3  # for answers under way


class WebServer:
    """The web chat: `adapter` is what the desk and the sender use, `app` what answers HTTP.

    `mounts` are further routes under the same port, outside the chat's sign-in and address checks (Slack's HTTP mode,
    which brings its own signature check).
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        directory: Directory,
        settings: Settings,
        sources: Sources,
        mounts: Sequence[BaseRoute] = (),
    ) -> None:
        settings.folder.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        self._sources = sources
        self._sessions = Sessions(folder=settings.folder, store=store, clock=clock, ids=ids, demo=settings.demo)
        files = Files(folder=settings.folder, store=store, clock=clock, ids=ids)
        self.adapter = WebAdapter(store=store, clock=clock, ids=ids, files=files, sources=sources)
        self._hub = Hub(store=store, names=lambda: {person.id: person.name for person in sources.people()})
        api = Api(
            store=store,
            clock=clock,
            directory=directory,
            settings=settings,
            sources=sources,
            adapter=self.adapter,
            sessions=self._sessions,
            files=files,
            hub=self._hub,
        )
        pages = Pages(
            store=store,
            settings=settings,
            sources=sources,
            api=api,
            adapter=self.adapter,
            sessions=self._sessions,
            files=files,
        )
        chat = Starlette(routes=[Mount("/api", routes=api.routes()), *pages.routes()])
        self._guard = Guard(chat, origins=settings.origins)
        self.app = Starlette(routes=[Route("/healthz", _health), *mounts, Mount("/", self._guard)])
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.url = ""  # "http://127.0.0.1:8420", once started

    async def start(self) -> None:
        """Listen; returns once connections are accepted. ConfigError if the port is taken."""
        listener = self._listen()
        host, port = listener.getsockname()[:2]
        self.url = f"http://{_in_url('127.0.0.1' if host in {'0.0.0.0', '::'} else host)}:{port}"  # noqa: S104
        names = {host, "127.0.0.1", "localhost", "::1"}
        own = {f"http://{_in_url(name)}:{port}" for name in names}
        self._guard.allow((*own, *(f"http://{_in_url(name)}" for name in names if port == 80), *self._settings.origins))
        await self._hub.start()
        self._server = _Server(
            uvicorn.Config(
                self.app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self._task = asyncio.get_running_loop().create_task(self._server.serve([listener]), name="web-server")

    async def stop(self) -> None:
        """End the streams, finish what is being answered, and close the port."""
        await self._hub.stop()
        if self._server and self._task:
            self._server.should_exit = True
            await self._task
            self._server = self._task = None

    @property
    def cookie_name(self) -> str:
        """The name of the session cookie."""
        return self._sessions.cookie_name

    def login_link(self, person: str = "") -> str:
        """A link that signs `person` (or the owner) in once; valid for 12 hours."""
        people = self._sources.people()
        who = person or self._settings.owner or (people[0].id if people else "")
        return f"{self.url}/login?token={self._sessions.login_token(who)}"

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._settings.host, self._settings.port))
        except OSError as error:
            listener.close()
            where = f"{self._settings.host}:{self._settings.port}"
            raise ConfigError(
                f"The web chat cannot listen on {where}: {error.strerror}.", hint="Set BOSUN_WEB to another host:port."
            ) from error
        listener.listen(128)
        listener.setblocking(False)
        return listener


class _Server(uvicorn.Server):
    """Runs inside Bosun's own loop, where signals are handled by whoever owns the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})
