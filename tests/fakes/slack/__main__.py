"""The fake Slack on its own, to drive the product by hand:

python -m tests.fakes.slack --port 9600
curl -d '{"channel": "C0GENERAL", "user": "U0ANN", "text": "<@U0BOSUN> hello"}' localhost:9600/do/say
curl 'localhost:9600/see?channel=C0GENERAL'
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import orjson
from aiohttp import web

from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.world import Json

DOINGS = ("say", "edit", "delete", "click", "submit_view", "slash", "press_stop")


class DrivenSlack(FakeSlack):
    """A FakeSlack whose people are moved over HTTP: POST /do/NAME with the method's arguments, GET /see."""

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/do/{name}", self._do)
        app.router.add_get("/see", self._see)

    async def _do(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in DOINGS:
            return web.json_response({"error": f"one of {', '.join(DOINGS)}"}, status=404)
        arguments = orjson.loads(await request.read() or b"{}")
        try:
            done = await getattr(self, name)(**arguments)
        except (KeyError, StopIteration, TypeError, AssertionError, IndexError) as error:
            return web.json_response({"error": repr(error)}, status=400)
        return web.json_response({"done": done if isinstance(done, str) else True})

    async def _see(self, request: web.Request) -> web.Response:
        channel, thread = request.query.get("channel"), request.query.get("thread")
        if channel is None:
            rooms = {room.id: room.name for room in self.world.channels.values()}
            return web.json_response({"channels": rooms, "users": {u.id: u.name for u in self.world.users.values()}})
        shown: Json = {
            "messages": self.channel_view(channel, thread),
            "ephemerals": [seen for seen in self.world.ephemerals if seen["channel"] == channel],
            "dialogs": [{"id": d.id, "user": d.user, "view": d.view} for d in self.world.dialogs.values()],
        }
        return web.json_response(shown)


def furnish(slack: FakeSlack) -> None:
    """A small team in two channels."""
    for user, name in (("U0ANN", "Ann"), ("U0BO", "Bo"), ("U0CY", "Cy"), ("U0DEE", "Dee")):
        slack.world.add_user(user, name)
    slack.world.add_channel("C0GENERAL", "general", "U0ANN", "U0BO", "U0CY", "U0DEE")
    slack.world.add_channel("C0FINANCE", "finance", "U0BO", "U0CY")
    slack.world.groups["S0FINANCE"] = ["U0BO", "U0CY"]


async def serve(port: int) -> None:
    """Run until interrupted."""
    slack = DrivenSlack()
    furnish(slack)
    await slack.start(port)
    environment = {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }
    sys.stdout.write("".join(f"export {name}={value}\n" for name, value in environment.items()))
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await slack.stop()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=9600)
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
