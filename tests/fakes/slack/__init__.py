"""A strict Slack on loopback: Web API, Socket Mode, signed HTTP delivery, and people who use it.

Run it alone with `python -m tests.fakes.slack --port 9600` and drive it with curl; in a test use `FakeSlack`.
"""

from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.world import BOT, BOT_ID, TEAM, Channel, User, World

__all__ = ["BOT", "BOT_ID", "TEAM", "Channel", "FakeSlack", "User", "World"]
