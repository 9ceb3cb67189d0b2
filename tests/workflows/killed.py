"""A process that goes on with a workflow and is killed (SIGKILL) after a write, whatever it was about to do."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import configure_mappers

from kernel.store import Session, Store
from kernel.store.engines import open_engine

T = TypeVar("T")


class KilledStore(Store):
    """A store whose process is killed once it has committed so many writes."""

    def __init__(self, url: str, writes: int) -> None:
        super().__init__(open_engine(url))
        self.left = writes

    async def write(self, work: Callable[[Session], T], *, synced: bool = True) -> T:
        result = await super().write(work, synced=synced)
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def process(url: str, folder: Path, number: int, writes: int) -> int:
    """One process after `number` others: what it ends with, 0 where the run came to its end."""
    child = multiprocessing.get_context("forkserver").Process(target=_live, args=(url, str(folder), number, writes))
    child.start()
    child.join()
    return child.exitcode or 0


def _live(url: str, folder: str, number: int, writes: int) -> None:
    from kernel.clock import FixedClock
    from tests.workflows.test_crashes import long_world, through_long

    clock = FixedClock()
    clock.time += timedelta(minutes=10 * number)
    store = KilledStore(url, writes)
    asyncio.run(through_long(long_world(store, Path(folder), clock, 1000 * number)))
    os._exit(0)


configure_mappers()  # once, in the process that all of these are forked from
multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.workflows.test_crashes"])
