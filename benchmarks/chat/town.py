"""A team with fifty more channels on both platforms, whose services keep the real rates, and Bosun as a process."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import yaml

from benchmarks import machine
from tests.behaviours.process import Process
from tests.behaviours.world import World

if TYPE_CHECKING:
    from pathlib import Path

BOSUN_CORE, WORLD_CORE = 0, 1
PEOPLE = 90  # of whom nobody asks more often than one person may
KEPT_ANYHOW = frozenset({"cursor", "executor", "lease", "mark"})  # tables that hold where reading stands, not what


class Town(World):
    """The world of the behaviours, with Bosun on a core of its own."""

    def __init__(self, folder: Path, channels: int) -> None:
        super().__init__(folder)
        self.names = [f"crowd-{number}" for number in range(channels)]
        self.slack_channels = [f"C0CROWD{number:02}" for number in range(channels)]
        self.discord_channels = [f"12100000000000000{number:02}" for number in range(channels)]
        self.slack_people = [f"U0CROWD{number:02}" for number in range(PEOPLE)]
        self.discord_people = [f"13100000000000000{number:02}" for number in range(PEOPLE)]
        self.process = Process(self)

    async def open(self) -> None:
        """Everything that Bosun needs, and Bosun."""
        for slack, discord, name in zip(self.slack_channels, self.discord_channels, self.names, strict=True):
            self.slack.world.add_channel(slack, name)
            self.discord.world.add_channel(discord, name)
        for slack, discord in zip(self.slack_people, self.discord_people, strict=True):
            self.slack.world.add_user(slack, f"Somebody {slack[-2:]}")
            self.discord.world.add_member(discord, f"Somebody {discord[-2:]}")
        self.slack.faults.as_the_real_one()
        self.discord.limits.as_the_real_one()
        await super().open()

    def write_charter(self) -> None:
        """The team with the crowd in it, each of whom may ask as often as the starter charter lets them."""
        super().write_charter()
        path = self.charter / "people.yaml"
        team = yaml.safe_load(path.read_text())
        for number, (slack, discord) in enumerate(zip(self.slack_people, self.discord_people, strict=True)):
            team["people"][f"crowd-{number}"] = {"name": f"Somebody {number}", "slack": slack, "discord": discord}
        path.write_text(yaml.safe_dump(team, sort_keys=False))
        path = self.charter / "bosun.yaml"
        settings = yaml.safe_load(path.read_text())
        del settings["requests_per_minute"]
        path.write_text(yaml.safe_dump(settings, sort_keys=False))

    async def start(self, *, reached: bool = True) -> None:
        """Start the process."""
        await self.process.start()
        machine.pin(self.process.pid, BOSUN_CORE)
        self.running = True

    async def stop(self) -> None:
        """End it, as a crash would."""
        self.running = False
        await self.process.kill()

    def cpu(self) -> float:
        """CPU seconds of the process so far."""
        return machine.cpu_seconds(self.process.pid)

    def stored(self) -> Counter[str]:
        """How many rows each table holds."""
        path = self.folder / "data" / "bosun.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            counted = (name for name in names if name not in KEPT_ANYHOW and not name.startswith("sqlite_"))
            count = 'SELECT count(*) FROM "{}"'.format  # the names are the database's own
            return Counter({name: database.execute(count(name)).fetchone()[0] for name in counted})
