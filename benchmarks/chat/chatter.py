"""Ten thousand messages that are not meant for Bosun: what each costs, and that nothing of them is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.discord import BOT as DISCORD_BOT
from tests.fakes.slack import BOT as SLACK_BOT

if TYPE_CHECKING:
    from collections import Counter

    from benchmarks.chat.town import Town

AT_ONCE = 200  # messages on their way
PATIENCE = 120.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One platform's figures."""

    platform: str
    messages: int
    cpu_ms: float  # of Bosun, for each message
    stored: dict[str, int]  # rows that each table gained


async def on_slack(town: Town, messages: int) -> Cost:
    """Chatter in Slack. Each message is over when it is acknowledged."""
    await _warm_slack(town)
    before, cpu = town.stored(), town.cpu()
    for number in range(messages):
        channel = town.slack_channels[number % len(town.slack_channels)]
        await town.slack.say(channel, "U0BO", f"lunch at {number}? the usual place, I would say")
        if number % AT_ONCE == AT_ONCE - 1:
            await town.slack.until(lambda: not town.slack.sockets.open, PATIENCE)
    await town.slack.until(lambda: not town.slack.sockets.open, PATIENCE)
    return _cost("slack", messages, town.cpu() - cpu, before, town)


async def on_discord(town: Town, messages: int) -> Cost:
    """Chatter in Discord. A mention at the end is answered once everything before it was heard."""
    await _warm_discord(town, "before")
    before, cpu = town.stored(), town.cpu()
    for number in range(messages):
        channel = town.discord_channels[number % len(town.discord_channels)]
        await town.discord.say(channel, "1300000000000000002", f"lunch at {number}? the usual place, I would say")
    spent, gained = await _heard(town, cpu), town.stored() - before
    await _warm_discord(town, "after")
    return Cost(platform="discord", messages=messages, cpu_ms=1000 * spent / messages, stored=dict(gained))


async def _heard(town: Town, cpu: float) -> float:
    """CPU seconds once the process rests."""
    last = town.cpu()
    while True:
        await asyncio.sleep(1.0)
        now = town.cpu()
        if now - last < 0.1:
            return now - cpu
        last = now


async def warm(town: Town) -> None:
    """Have the process answer once on each platform, and wait until it has finished what it begins with."""
    await _warm_slack(town)
    await _warm_discord(town, "first")


async def _warm_slack(town: Town) -> None:
    root = await town.slack.say(town.slack_channels[0], "U0BO", f"<@{SLACK_BOT}> are you there?")
    await town.slack.until(lambda: town.slack.replies(town.slack_channels[0], root), PATIENCE)
    await _heard(town, 0.0)


async def _warm_discord(town: Town, when: str) -> None:
    root = await town.discord.say(town.discord_channels[0], "1300000000000000002", f"<@{DISCORD_BOT}> there {when}?")
    await town.discord.until(lambda: town.discord.said(root), PATIENCE)
    await _heard(town, 0.0)


def _cost(platform: str, messages: int, spent: float, before: Counter[str], town: Town) -> Cost:
    return Cost(
        platform=platform, messages=messages, cpu_ms=1000 * spent / messages, stored=dict(town.stored() - before)
    )
