"""The fake Slack on its own, to drive the product by hand:

python -m tests.fakes.slack --port 9600
curl -d '{"channel": "C0GENERAL", "user": "U0ANN", "text": "<@U0BOSUN> hello"}' localhost:9600/do/say
curl 'localhost:9600/see?channel=C0GENERAL'
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from tests.fakes import driven
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.world import Json

DOINGS = ("say", "edit", "delete", "click", "submit_view", "slash", "press_stop")


class DrivenSlack(FakeSlack):
    """A small team in two channels, moved over HTTP."""

    def __init__(self) -> None:
        super().__init__()
        for user, name in (("U0ANN", "Ann"), ("U0BO", "Bo"), ("U0CY", "Cy"), ("U0DEE", "Dee")):
            self.world.add_user(user, name)
        self.world.add_channel("C0GENERAL", "general", "U0ANN", "U0BO", "U0CY", "U0DEE")
        self.world.add_channel("C0FINANCE", "finance", "U0BO", "U0CY")
        self.world.groups["S0FINANCE"] = ["U0BO", "U0CY"]

    def add_routes(self, app: web.Application) -> None:
        driven.add_routes(app, self, DOINGS)

    def see(self, query: Mapping[str, str]) -> Json:
        """The channel's messages, private notices and open dialogs."""
        channel = query.get("channel")
        if channel is None:
            rooms = {room.id: room.name for room in self.world.channels.values()}
            return {"channels": rooms, "users": {user.id: user.name for user in self.world.users.values()}}
        return {
            "messages": self.channel_view(channel, query.get("thread")),
            "ephemerals": [seen for seen in self.world.ephemerals if seen["channel"] == channel],
            "dialogs": [{"id": d.id, "user": d.user, "view": d.view} for d in self.world.dialogs.values()],
        }

    def environment(self) -> dict[str, str]:
        """Address and tokens."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
        }


if __name__ == "__main__":
    driven.run(DrivenSlack(), __doc__, port=9600)
