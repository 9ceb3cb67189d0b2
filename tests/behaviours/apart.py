"""The world with Bosun as a process of its own, which is killed (`kill -9`) once in the middle of a story."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kernel.store import Store, open_store
from tests.behaviours.clock import SharedClock
from tests.behaviours.world import LOOK_AGAIN, PATIENCE, World
from tests.ground.environment import kept

if TYPE_CHECKING:
    from bot.engine.app import App

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Where processes of Bosun are forked from."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def begin(self, order: dict[str, Any]) -> int:
        """A new process; its number."""
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.behaviours.nursery", cwd=ROOT,
                env=kept(),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            await self._line()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return int(await self._line())

    async def _line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE * 4):
            line = await self._process.stdout.readline()
        assert line, "the nursery ended by itself"
        return line

    async def close(self) -> None:
        """No more processes."""
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()


def lives(pid: int) -> bool:
    """Whether there is a process of this number. One of the nursery's leaves none behind when it ends."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@dataclass
class _Web:
    url: str


@dataclass
class _StandIn:
    """The part of an App that is seen from outside its process."""

    web: _Web
    store: Store


class Apart(World):
    """Tests meet the process where people do; what else they want to know goes through its socket."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        super().__init__(folder, clock=SharedClock(folder / "clock"))
        self.nursery = nursery
        self._left = 0  # moments until the process is killed; 0: it is not
        self._pid = 0
        self._own: App | None = None  # what stands in for the processes that are started here
        self._number = 0
        self._revival: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Everything that Bosun needs, and Bosun."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.slack.observers.append(lambda _call: self.moment())
        self.discord.observers.append(lambda _call: self.moment())
        self.model.observers.append(self.moment)
        self.slack.sockets.retry_delays = (0.0, *(1.0,) * 60)
        await super().open()
        self.discord.interactions.patience = 3.0  # who gets no answer presses again

    async def close(self) -> None:
        """End it all."""
        await super().close()
        if self._own is not None:
            self._own.store.close()

    # -- the process ------------------------------------------------------------------------------

    async def start(self, *, reached: bool = True) -> None:
        """Start a process on the same data."""
        self._number += 1
        self._socket = self.folder / f"ask-{self._number}"
        order = {
            "environment": self._environment(),
            "clock": str(self.folder / "clock"),
            "socket": str(self._socket),
            "tuned": self.tuned,
        }
        self._pid = await self.nursery.begin(order)
        async with asyncio.timeout(PATIENCE * self.slowness):
            while not self._socket.exists():
                assert self._lives(), "Bosun ended while it was starting"
                await asyncio.sleep(LOOK_AGAIN)
        if self._own is None:
            found = _StandIn(_Web(f"http://127.0.0.1:{self.port}"), open_store(self.settings.database))
            self._own = cast("App", found)
        self.app = self._own
        await self._asked("reached")
        self.running = True
        self.changed()

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        return {
            "BOSUN_CHARTER": str(settings.charter),
            "BOSUN_DATA": str(settings.data),
            "BOSUN_WEB": f"127.0.0.1:{self.port}",
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "DISCORD_BOT_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
            "ANTHROPIC_API_KEY": self.model.key,
            "ANTHROPIC_BASE_URL": self.model.url,
        }

    async def stop(self) -> None:
        """Stop the process in an orderly way."""
        await self.up()
        self.running = False
        if self._lives():
            os.kill(self._pid, signal.SIGTERM)
        await self._gone()

    @property
    def returning(self) -> bool:
        return self._revival is not None and not self._revival.done()

    async def up(self) -> None:
        """Wait until a killed process has been followed by another one."""
        if self._revival is not None:
            await self._revival
            self._revival = None

    def _lives(self) -> bool:
        return lives(self._pid)

    async def _gone(self) -> None:
        await self.seen(lambda: not self._lives())

    # -- killing it -------------------------------------------------------------------------------

    def doom(self, moments: int) -> None:
        """Kill the process after so many moments: a call of it that is done, a question to the model, a gesture."""
        self._left = moments

    async def spare(self) -> bool:
        """Kill it no more; whether it was killed."""
        killed = self._left == 0
        self._left = 0
        await self.up()
        return killed

    def moment(self) -> None:
        """Something has happened in the middle of which the process may be killed: nobody knows of it yet."""
        if not self._left or not self.running:
            return
        self._left -= 1
        if not self._left:
            os.kill(self._pid, signal.SIGKILL)
            self.running = False
            self.kills += 1
            self.model.again()
            self._revival = asyncio.create_task(self._revive())

    async def _revive(self) -> None:
        await self._gone()
        await self.start()

    # -- looking at it ----------------------------------------------------------------------------

    async def ask(self, name: str, *arguments: Any) -> Any:
        """Call a function of `inside` in the process, again after a kill."""
        if self.app is not self._own:  # a test has started a process of another kind
            return await super().ask(name, *arguments)
        while True:
            await self.up()
            try:
                return await self._asked(name, *arguments)
            except ConnectionError:
                if self._revival is None:
                    raise

    async def _asked(self, name: str, *arguments: Any) -> Any:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        try:
            writer.write(json.dumps([name, *arguments]).encode() + b"\n")
            answer = await reader.readline()
        finally:
            writer.close()
        if not answer:
            raise ConnectionResetError
        return json.loads(answer)
