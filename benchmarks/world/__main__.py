"""The process of the world: one HTTP server for all subjects, commands as lines of JSON on standard input."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
import uvloop
from aiohttp import web

from benchmarks.world.load import Load
from benchmarks.world.model import Model
from benchmarks.world.slack import Workspace

Json = dict[str, Any]


class World:
    """The workspaces and model services, by the subject's name."""

    def __init__(self) -> None:
        self.workspaces: dict[str, Workspace] = {}
        self.models: dict[str, Model] = {}
        self.loads: dict[str, Load] = {}

    def app(self) -> web.Application:
        """The routes; the subject's name is the first part of the path."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{subject}/api/{method}", self._api)
        app.router.add_get("/{subject}/socket", self._socket)
        app.router.add_post("/{subject}/v1/messages", self._messages)
        return app

    async def _api(self, http: web.Request) -> web.StreamResponse:
        return await self.workspaces[http.match_info["subject"]].api(http)

    async def _socket(self, http: web.Request) -> web.StreamResponse:
        return await self.workspaces[http.match_info["subject"]].socket(http)

    async def _messages(self, http: web.Request) -> web.StreamResponse:
        return await self.models[http.match_info["subject"]].messages(http)

    async def obey(self, command: Json) -> Json:
        """Carry out one command."""
        subject = command["subject"]
        match command["do"]:
            case "install":
                workspace = self.workspaces[subject] = Workspace(subject, tuple(command["events"]))
                self.models[subject] = Model()
                self.loads[subject] = Load(workspace)
                return {}
            case "ready":
                workspace = self.workspaces[subject]
                return {"at": workspace.connected_at}
            case "load":
                return await self.loads[subject].run(command["kind"], command["count"], command["in_flight"])
            case "park":
                return await self.loads[subject].park()
            case "click":
                return await self.loads[subject].click(*(command[name] for name in ("word", "channel", "ts", "card")))
            case unknown:
                raise ValueError(f"The world knows no command {unknown!r}.")


async def main() -> None:
    """Serve until standard input ends."""
    world = World()
    runner = web.AppRunner(world.app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _tell({"port": runner.addresses[0][1]})
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            _tell(await world.obey(orjson.loads(line)))
        except Exception as error:  # told to the bench, which ends with it
            first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            _tell({"error": f"{type(first).__name__}: {first}"})
    await runner.cleanup()


def _tell(answer: Json) -> None:
    sys.stdout.write(orjson.dumps(answer).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
