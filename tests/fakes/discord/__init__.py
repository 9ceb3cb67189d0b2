"""A strict Discord on loopback: REST, gateway, interactions, and people who use it.

Run it alone with `python -m tests.fakes.discord --port 9700` and drive it with curl; in a test use `FakeDiscord`.
"""

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.world import APP, BOT, BOT_ROLE, GUILD, Channel, Member, World

__all__ = ["APP", "BOT", "BOT_ROLE", "GUILD", "Channel", "FakeDiscord", "Member", "World"]
