"""Keeps a second process off the same SQLite data: two writers that do not know of each other would lose work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from kernel.errors import AlreadyRunning, ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def make(data: Path) -> None:
    """Make the data folder where there is none. ConfigError if it cannot be made."""
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The data folder {data} cannot be made: {error.strerror}.", hint="Set BOSUN_DATA to another folder."
        ) from error


def hold(data: Path) -> FileLock:
    """Take the data folder for this process, until it ends or releases the lock.

    AlreadyRunning if another process has it; ConfigError if the folder cannot be written.
    """
    make(data)
    try:
        lock = FileLock(data / "bosun.lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise AlreadyRunning(
            f"Another Bosun process is using {data}.", hint="Stop it, or give this one another BOSUN_DATA."
        ) from None
    except OSError as error:
        raise ConfigError(f"The data folder {data} cannot be written: {error}", hint="Set BOSUN_DATA.") from error
    return lock
