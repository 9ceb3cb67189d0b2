"""One segment in one of several processes: on Postgres, DBOS decides who runs it and hands on what a process left.

A DBOS workflow is one segment, named `run:segment`. Two starts of one name, wherever they happen, are one run. On
SQLite there is one process and nothing to decide: this module is not even imported.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dbos import DBOS, SetWorkflowID

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dbos import DBOSConfig

    Run = Callable[[str, int], Awaitable[None]]

VERSION = "1"  # of the segment contract, pinned: parked runs hold no code, so a new Bosun may continue them


class Replicas:
    """The processes that share a database, as DBOS knows them. One per process: DBOS is a singleton."""

    def __init__(self, url: str, executor_id: str) -> None:
        self.url = url  # where DBOS keeps its own tables
        self.executor_id = executor_id

    def launch(self, run: Run) -> None:
        """Take part: `run` is called here for the segments that fall to this process."""
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        config: DBOSConfig = {
            "name": "bosun",
            "application_version": VERSION,
            "executor_id": self.executor_id,
            "max_executor_threads": 8,
            "log_level": "CRITICAL",
            "system_database_url": self.url,
        }
        DBOS(config=config)

        async def segment(run_id: str, number: int) -> None:
            await run(run_id, number)

        self._segment = DBOS.workflow(name="segment", max_recovery_attempts=1_000_000)(segment)
        DBOS.launch()

    async def run(self, run_id: str, segment: int) -> None:
        """Have the segment run, here or wherever it runs already; returns when it has ended."""
        with SetWorkflowID(f"{run_id}:{segment}"):
            handle = await DBOS.start_workflow_async(self._segment, run_id, segment)
        await handle.get_result()

    async def pending(self) -> dict[str, str]:
        """The segments that run somewhere, and the process that has each."""
        found = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        return {status.workflow_id: status.executor_id or "" for status in found}

    async def resume(self, segments: list[str]) -> None:
        """Hand segments on to live processes."""
        await DBOS.resume_workflows_async(segments)

    async def leave(self) -> None:
        """Take no further part."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(8))  # DBOS had put its own in this place, and closes it now
        await loop.run_in_executor(None, functools.partial(DBOS.destroy, destroy_registry=True))
