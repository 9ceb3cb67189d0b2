"""The machine's clock, ahead of it by as much as a test says."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

AHEAD = struct.Struct("d")  # seconds


class Clock:
    """Of this process, and of what it tests."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """The time that Bosun and its platforms take it to be."""
        return datetime.now(UTC) + self.ahead  # noqa: TID251  the one place here that reads it

    def advance(self, **delta: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**delta)


class SharedClock(Clock):
    """The same for several processes, by a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def ahead(self) -> timedelta:
        """By how much."""
        return timedelta(seconds=AHEAD.unpack(self.path.read_bytes())[0]) if self.path.exists() else timedelta(0)

    @ahead.setter
    def ahead(self, value: timedelta) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(AHEAD.pack(value.total_seconds()))
        fresh.rename(self.path)
