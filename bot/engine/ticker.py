"""What has to happen because time has passed: expiries, housekeeping. No job depends on another."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kernel.errors import BosunError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

log = logging.getLogger(__name__)


class Ticker:
    """Calls every job each `every` seconds. Jobs look at the clock and at their rows; a missed tick costs nothing."""

    def __init__(self, jobs: Sequence[Callable[[], Awaitable[object]]], every: float = 1.0) -> None:
        self.jobs = jobs
        self.every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._tick(), name="ticker")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _tick(self) -> None:
        while True:
            for job in self.jobs:
                try:
                    await job()
                except BosunError as error:
                    log.warning("%s: %s", getattr(job, "__qualname__", job), error)
                except Exception:
                    log.exception("%s failed", getattr(job, "__qualname__", job))
            await asyncio.sleep(self.every)
