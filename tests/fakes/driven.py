"""A fake platform on its own, whose people are moved over HTTP: POST /do/NAME with a method's arguments, GET /see."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import sys
from collections.abc import Mapping
from typing import Any, Protocol

import orjson
from aiohttp import web

Json = dict[str, Any]
WRONG = (KeyError, StopIteration, TypeError, AssertionError, IndexError)  # what a fake raises for what is not there


class Driven(Protocol):
    """A fake that can be driven. Its module's text says how."""

    async def start(self, port: int = 0) -> None:
        """Listen."""

    async def stop(self) -> None:
        """Stop listening."""

    def see(self, query: Mapping[str, str]) -> Json:
        """What people see of the channel that is asked for; without one, which channels and people there are."""

    def environment(self) -> dict[str, str]:
        """What Bosun needs to connect to it."""


def add_routes(app: web.Application, fake: Driven, doings: tuple[str, ...]) -> None:
    """Let people be moved, and be looked at."""

    async def do(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in doings:
            return web.json_response({"error": f"one of {', '.join(doings)}"}, status=404)
        arguments = orjson.loads(await request.read() or b"{}")
        try:
            done = getattr(fake, name)(**arguments)
            done = await done if inspect.isawaitable(done) else done
        except WRONG as error:
            return web.json_response({"error": repr(error)}, status=400)
        return web.json_response({"done": done if isinstance(done, str) else True})

    async def see(request: web.Request) -> web.Response:
        return web.json_response(fake.see(request.query))

    app.router.add_post("/do/{name}", do)
    app.router.add_get("/see", see)


def run(fake: Driven, usage: str | None, port: int) -> None:
    """The command line: print the environment for Bosun, and serve until interrupted."""
    parser = argparse.ArgumentParser(description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=port)
    try:
        asyncio.run(_serve(fake, parser.parse_args().port))
    except KeyboardInterrupt:
        sys.exit(0)


async def _serve(fake: Driven, port: int) -> None:
    await fake.start(port)
    sys.stdout.write("".join(f"export {name}={value}\n" for name, value in fake.environment().items()))
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await fake.stop()
