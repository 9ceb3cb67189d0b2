"""One Bosun for the tests of a module, and the team on either platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random  # noqa: TID251  seeded

import pytest
import pytest_asyncio

from tests.behaviours.chat import Chat
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.outside import Outside
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World

OUTSIDE: dict[str, type[Outside]] = {"slack": SlackChat, "discord": DiscordChat}
PLATFORMS: dict[str, type[Chat]] = {**OUTSIDE, "web": WebChat}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A running Bosun, shared by the tests of a module."""
    made = World(Path(tmp_path_factory.mktemp("world")))
    await made.open()
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PLATFORMS)
async def chat(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Chat]:
    """The team on a platform: a test that asks for it is told once for each."""
    made = PLATFORMS[request.param](world)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=OUTSIDE)
async def outside(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Outside]:
    """The same, for what there is on platforms outside alone: edits, deletions, other bots, calls that fail."""
    made = OUTSIDE[request.param](world)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everywhere(world: World) -> AsyncIterator[list[Chat]]:
    """The team on every platform at once, for what is slow to begin."""
    made = [platform(world) for platform in PLATFORMS.values()]
    yield made
    for chat in made:
        await chat.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slack(world: World) -> AsyncIterator[SlackChat]:
    """The team in Slack, for what only Slack has."""
    made = SlackChat(world)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def discord(world: World) -> AsyncIterator[DiscordChat]:
    """The team in Discord, for what only that has."""
    made = DiscordChat(world)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def web(world: World) -> AsyncIterator[WebChat]:
    """The team in the web chat, for what only that has."""
    made = WebChat(world)
    yield made
    await made.close()


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def clean(world: World, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Nothing that a test has broken stays broken, and nothing that it began disturbs the next one."""
    seed = request.config.getoption("--storm")
    if seed is not None and request.node.get_closest_marker("behaviour"):
        for service in (world.slack, world.discord):
            service.faults.storm(Random(f"{seed} {request.node.name}"), 0.2)
    yield
    world.slack.faults.heal()
    world.discord.faults.heal()
    world.model.forget()
    if world.running:
        await world.quiet()
