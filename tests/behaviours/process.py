"""Bosun as a process of its own, on the data of a world: for what only `kill -9` shows."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from bot.engine.app import App
from tests.behaviours.world import PATIENCE, World
from tests.ground.environment import kept

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(http://\S+)/login\?token=\S+")


@dataclass
class _Web:
    """What a browser needs to know of the process."""

    url: str
    link: str

    def login_link(self, person: str) -> str:
        """The link that it has printed."""
        return self.link


@dataclass
class _StandIn:
    web: _Web
    store: object = field(default=None)


class Process:
    """`bosun up` with the settings of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._process: asyncio.subprocess.Process | None = None
        self._link = ""

    async def start(self) -> None:
        """Start it; returns once it is ready."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = self.world.settings
        environment = kept() | {
            "BOSUN_CHARTER": str(settings.charter),
            "BOSUN_DATA": str(settings.data),
            "BOSUN_WEB": f"127.0.0.1:{port}",
            "SLACK_BOT_TOKEN": self.world.slack.bot_token,
            "SLACK_APP_TOKEN": self.world.slack.app_token,
            "SLACK_API_URL": self.world.slack.api_url,
            "DISCORD_BOT_TOKEN": self.world.discord.token,
            "DISCORD_API_URL": self.world.discord.api_url,
            "DISCORD_GATEWAY_URL": self.world.discord.gateway_url,
            "ANTHROPIC_API_KEY": self.world.model.key,
            "ANTHROPIC_BASE_URL": self.world.model.url,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "up", cwd=ROOT, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE * 6):
            while not (found := LINK.search((await self._process.stdout.readline()).decode())):
                assert not self._process.stdout.at_eof(), "bosun up ended by itself"
        self._link = found[0]

    @property
    def pid(self) -> int:
        """Its number in the operating system."""
        assert self._process is not None
        return self._process.pid

    @property
    def stand_in(self) -> App:
        """The part of an App that people see, for those who look at the process from outside."""
        url = self._link.partition("/login")[0]
        return cast("App", _StandIn(_Web(url, self._link)))

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
