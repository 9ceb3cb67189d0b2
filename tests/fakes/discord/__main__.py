"""The fake Discord on its own, to drive the product by hand:

python -m tests.fakes.discord --port 9700
curl -d '{"channel": "1200000000000000001", "user": "1300000000000000001", "text": "hello"}' localhost:9700/do/say
curl 'localhost:9700/see?channel=1200000000000000001'
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import sys

import orjson
from aiohttp import web

from tests.fakes.discord.server import FakeDiscord

DOINGS = ("say", "edit", "delete", "click", "submit", "slash", "begin_thread")
CHANNELS = {"1200000000000000001": "general", "1200000000000000002": "finance", "1200000000000000003": "approvals"}
PEOPLE = {
    "1300000000000000001": "Ann",
    "1300000000000000002": "Bo",
    "1300000000000000003": "Cy",
    "1300000000000000004": "Dee",
}


class DrivenDiscord(FakeDiscord):
    """A FakeDiscord whose people are moved over HTTP: POST /do/NAME with the method's arguments, GET /see."""

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/do/{name}", self._do)
        app.router.add_get("/see", self._see)

    async def _do(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in DOINGS:
            return web.json_response({"error": f"one of {', '.join(DOINGS)}"}, status=404)
        arguments = orjson.loads(await request.read() or b"{}")
        try:
            done = getattr(self, name)(**arguments)
            done = await done if inspect.isawaitable(done) else done
        except (KeyError, StopIteration, TypeError, AssertionError, IndexError) as error:
            return web.json_response({"error": repr(error)}, status=400)
        return web.json_response({"done": done if isinstance(done, str) else True})

    async def _see(self, request: web.Request) -> web.Response:
        channel = request.query.get("channel")
        if channel is None:
            return web.json_response({"channels": CHANNELS, "users": PEOPLE})
        shown = {
            "messages": self.view(channel),
            "threads": [one.id for one in self.world.channels.values() if one.parent == channel],
            "private": [one for one in self.interactions.ephemerals if one["channel_id"] == channel],
            "dialogs": [{"user": one.user, "modal": one.modal} for one in self.interactions.dialogs],
        }
        return web.json_response(shown)


async def serve(port: int) -> None:
    """Run until interrupted."""
    discord = DrivenDiscord()
    for user, name in PEOPLE.items():
        discord.world.add_member(user, name)
    for channel, name in CHANNELS.items():
        discord.world.add_channel(channel, name)
    await discord.start(port)
    environment = {
        "DISCORD_API_URL": discord.api_url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "DISCORD_BOT_TOKEN": discord.token,
    }
    sys.stdout.write("".join(f"export {name}={value}\n" for name, value in environment.items()))
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await discord.stop()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=9700)
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
