"""One Bosun for the tests of a module, and the team on either platform."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random  # noqa: TID251  seeded

import pytest
import pytest_asyncio

from tests.behaviours.apart import Apart, Nursery
from tests.behaviours.chat import Chat
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.outside import Outside
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World

LATEST = 12  # moment at which Bosun is killed

OUTSIDE: dict[str, type[Outside]] = {"slack": SlackChat, "discord": DiscordChat}
PLATFORMS: dict[str, type[Chat]] = {**OUTSIDE, "web": WebChat}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """A running Bosun, shared by the tests of a module."""
    folder = Path(tmp_path_factory.mktemp("world"))
    (folder / "data").mkdir()
    shutil.copy(sqlite_template, folder / "data" / "bosun.sqlite3")
    nursery = Nursery()
    made = Apart(folder, nursery) if request.config.getoption("--kill") else World(folder)
    made.rough = bool(request.config.getoption("--kill") or request.config.getoption("--storm"))
    await made.open()
    yield made
    await made.close()
    await nursery.close()


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
    promise, name = request.node.get_closest_marker("behaviour"), request.node.name
    storm, kill = (request.config.getoption(option) if promise else None for option in ("--storm", "--kill"))
    if storm:
        for service in (world.slack, world.discord):
            service.faults.storm(Random(f"{storm} {name}"), 0.2)
    if kill and isinstance(world, Apart):
        world.doom(Random(f"{kill} {name}").randint(1, LATEST))
    yield
    if kill and isinstance(world, Apart):
        request.node.user_properties.append(("killed", await world.spare()))
    world.slack.faults.heal()
    world.discord.faults.heal()
    world.model.forget()
    if world.running:
        await world.untune()
        await world.quiet()
