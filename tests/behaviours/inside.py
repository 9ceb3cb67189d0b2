"""What tests ask of a running Bosun that no platform shows. `World.ask` calls these, also in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.discord.adapter import DiscordAdapter
from bot.slack.adapter import SlackAdapter
from bot.slack.tiers import Tier

if TYPE_CHECKING:
    from bot.engine.app import App

TICK = 0.05  # seconds


def tune(app: App) -> None:
    """Before the start: the rates have tests of their own; here they would only be waited for."""
    for adapter in app.adapters.values():
        adapter.capabilities = adapter.capabilities.model_copy(update={"post_interval": 0.0})
        if isinstance(adapter, DiscordAdapter):
            adapter.settings = adapter.settings.model_copy(update={"settle": 0.02})
            adapter.gateway.settings = adapter.settings
    app.ticker.every = app.connections.first_pause = app.home_tabs.settle = TICK
    app.home_tabs.every = app.home_tabs.rest = 0  # how long dashboards take here says how busy the machine is


async def reached(app: App) -> None:
    """Wait until the process is connected everywhere."""
    await app.connections.all_reached()
    slack = app.adapters.get("slack")
    if isinstance(slack, SlackAdapter):
        slack.outgoing.second_look = 0
        slack.outgoing.tier = Tier(per_minute=1_000_000, at_once=1_000)


async def login_link(app: App, person: str) -> str:
    """Where this person signs in to the web chat."""
    return app.web.login_link(person)


async def heard(app: App) -> tuple[str, int] | None:
    """The session with Discord and how many of its events are taken; None while some are in hand."""
    adapter = app.adapters["discord"]
    assert isinstance(adapter, DiscordAdapter)
    client = adapter.gateway.client
    if client.ws is None or client.in_hand:  # type: ignore[redundant-expr]  # before the first connection
        return None
    return client.ws.session_id or "", client.ws.sequence or 0


async def caught_up(app: App, platform: str) -> None:
    """Wait until what was said meanwhile is handed over."""
    adapter = app.adapters[platform]
    assert isinstance(adapter, SlackAdapter | DiscordAdapter)
    await adapter.caught_up()


async def read_again_after(app: App, seconds: float) -> float:
    """When Discord's history is read for what could not be stored; returns what it was before."""
    adapter = app.adapters["discord"]
    assert isinstance(adapter, DiscordAdapter)
    before, adapter.intake.later = adapter.intake.later, seconds
    return before


async def indexed(app: App) -> bool:
    """Whether every document of the charter can be found by its meaning."""
    known = await app.knowledge.status()
    return known.documents > 0 and known.indexed == known.chunks


async def bot_pair_budget(app: App, messages: int) -> int:
    """How many messages another bot may send before it is not answered any more; returns what it was before."""
    before, app.desk.guard.pair = app.desk.guard.pair, messages
    return before


async def requests_per_minute(app: App, requests: int) -> int:
    """How many requests of one person are taken within a minute; returns what it was before."""
    before, app.desk.guard.requests = app.desk.guard.requests(), lambda: requests
    return before


async def time_to_progress(app: App, platform: str, seconds: float) -> float:
    """Seconds of work before a progress object is shown there; returns what it was before."""
    adapter = app.adapters[platform]
    before = adapter.capabilities
    adapter.capabilities = before.model_copy(update={"time_to_progress": seconds})
    return before.time_to_progress


async def digest_due(app: App) -> float:
    """When the digest comes next, in seconds since 1970."""
    return next(one.at.timestamp() for one in app.scheduler.upcoming() if one.workflow == "digest")


async def ring(app: App) -> None:
    """Look at the schedules now."""
    await app.scheduler.ring()
