"""`make bench-chat`: a thousand mentions in a minute and ten thousand messages of chatter, on Slack and on Discord."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import click

from benchmarks import machine
from benchmarks.chat import chatter, crowd
from benchmarks.chat.town import WORLD_CORE, Town


@click.command(help="What many people see of Bosun at once, and what their chatter costs it.")
@click.option("--mentions", default=1000, show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="Within which they come.")
@click.option("--channels", default=50, show_default=True)
@click.option("--messages", default=10_000, show_default=True, help="Of chatter, on each platform.")
def main(mentions: int, seconds: float, channels: int, messages: int) -> None:
    """Measure, print."""
    machine.pin(os.getpid(), WORLD_CORE)
    asyncio.run(_measure(mentions, seconds, channels, messages))


async def _measure(mentions: int, seconds: float, channels: int, messages: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bosun-crowd-") as name:
        town = Town(Path(name), channels)
        await town.open()
        try:
            await chatter.warm(town)
            await _mentions(town, mentions, seconds)
            await _chatter(town, messages)
        finally:
            await town.close()


async def _mentions(town: Town, mentions: int, seconds: float) -> None:
    print(f"{mentions} mentions over {len(town.names)} channels in {seconds:.0f} s, model without latency:")
    for run in (crowd.on_slack, crowd.on_discord):
        found = await run(town, mentions, seconds)
        print(
            f"  {found.platform:8} answered once {found.answered_once}, twice {found.twice}; "
            f"calls above a rate {sum(found.refused.values())} {found.refused or ''}\n"
            f"           first sign p50 {found.first[0]:.2f} s, p95 {found.first[1]:.2f} s; "
            f"answer p50 {found.answer[0]:.2f} s, p95 {found.answer[1]:.2f} s",
            flush=True,
        )


async def _chatter(town: Town, messages: int) -> None:
    print(f"{messages} messages of chatter:")
    for run in (chatter.on_slack, chatter.on_discord):
        cost = await run(town, messages)
        gained = ", ".join(f"{name} +{count}" for name, count in cost.stored.items()) or "nothing"
        print(f"  {cost.platform:8} {cost.cpu_ms:.3f} ms of CPU each; stored: {gained}", flush=True)


if __name__ == "__main__":
    main()
