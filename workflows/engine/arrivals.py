"""Files that come to lie in the workspace: looked for every few seconds, only where a workflow waits for one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from workflows.engine import listening

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from workflows.engine.launch import Launch

EVERY = timedelta(seconds=5)
QUIET = 2.0  # seconds without a change before a file counts as complete
MOST = 1000  # files that are looked at in one round


class Arrivals:
    """Begins workflows for files. A file is known by its path, size and time: what changes arrives again."""

    def __init__(self, launch: Launch, folder: Path) -> None:
        self.launch = launch
        self.folder = folder
        self._looked = datetime.min.replace(tzinfo=UTC)
        self._known: set[str] = set()  # keys seen by this process; the firing rows are what counts

    async def look(self) -> None:
        """Look, if it is time."""
        now = self.launch.clock.now()
        workflows = self.launch.workflows()
        wanted = listening.globs(workflows)
        if not wanted or now - self._looked < EVERY:
            return
        self._looked = now
        found = await asyncio.to_thread(lambda: list(_files(self.folder, wanted, now.timestamp())))
        for path, key, size in found:
            if key in self._known:
                continue
            self._known.add(key)
            for match in listening.of_file(workflows, path):
                told = {"kind": "file", "text": path, "by": "", "path": path, "size": size}
                await self.launch.store.write(
                    lambda session, m=match, t=told, k=key: self.launch.on_event(session, m.workflow, k, now, t)  # type: ignore[misc]  # bound at once
                )


def _files(folder: Path, globs: Iterable[str], now: float) -> Iterator[tuple[str, str, int]]:
    """(path, key, size) of the files that are complete. Links are not followed."""
    seen = 0
    for glob in sorted(globs):
        for path in sorted(folder.glob(glob)):
            seen += 1
            if seen > MOST:
                return
            if path.is_symlink() or not path.is_file():
                continue
            stat = path.stat()
            if now - stat.st_mtime >= QUIET:
                name = path.relative_to(folder).as_posix()
                yield name, f"file:{name}:{stat.st_size}:{stat.st_mtime_ns}", stat.st_size
