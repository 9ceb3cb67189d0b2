"""The fake Discord on its own, to drive the product by hand:

python -m tests.fakes.discord --port 9700
curl -d '{"channel": "1200000000000000001", "user": "1300000000000000001", "text": "hello"}' localhost:9700/do/say
curl 'localhost:9700/see?channel=1200000000000000001'
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from tests.fakes import driven
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
    """A small team in three channels, moved over HTTP."""

    def __init__(self) -> None:
        super().__init__()
        for user, name in PEOPLE.items():
            self.world.add_member(user, name)
        for channel, name in CHANNELS.items():
            self.world.add_channel(channel, name)

    def add_routes(self, app: web.Application) -> None:
        driven.add_routes(app, self, DOINGS)

    def see(self, query: Mapping[str, str]) -> driven.Json:
        """The channel's messages, threads, private notices and open dialogs."""
        channel = query.get("channel")
        if channel is None:
            return {"channels": CHANNELS, "users": PEOPLE}
        return {
            "messages": self.view(channel),
            "threads": [one.id for one in self.world.channels.values() if one.parent == channel],
            "private": [one for one in self.interactions.ephemerals if one["channel_id"] == channel],
            "dialogs": [{"user": one.user, "modal": one.modal} for one in self.interactions.dialogs],
        }

    def environment(self) -> dict[str, str]:
        """Addresses and token."""
        return {
            "DISCORD_API_URL": self.api_url,
            "DISCORD_GATEWAY_URL": self.gateway_url,
            "DISCORD_BOT_TOKEN": self.token,
        }


if __name__ == "__main__":
    driven.run(DrivenDiscord(), __doc__, port=9700)
