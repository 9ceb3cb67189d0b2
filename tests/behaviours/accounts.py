"""People who link accounts of theirs on two platforms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.behaviours.chat import Spot
from tests.behaviours.team import DISCORD_STRANGER

if TYPE_CHECKING:
    from tests.behaviours.discord_chat import DiscordChat
    from tests.behaviours.web_chat import WebChat


async def link_stranger_to_bo(web: WebChat, discord: DiscordChat) -> None:
    """Bo asks for a code in the web chat, and the stranger on Discord says it: from then on they are one human."""
    before = len(await web.notices("bo"))
    await web.command("bo", "/link", Spot(channel="general"))
    code = re.search(r"link (\w{8})", await web.notice("bo", "Your code is", after=before))
    assert code is not None
    home = discord.home(DISCORD_STRANGER)
    await discord.say(DISCORD_STRANGER, f"link {code[1]}", home)
    await discord.notice(DISCORD_STRANGER, "of the account **Bo** on the web chat")
    await discord.say(DISCORD_STRANGER, f"link {code[1]} yes", home)
    await discord.notice(DISCORD_STRANGER, "Linked", "one vote")
