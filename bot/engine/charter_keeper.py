"""The charter in force: reloaded when its files change; a bad change leaves it in force and is reported once."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING

from bot.engine import charter as charters
from kernel.errors import CharterError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from bot.engine.charter import Bringing, Charter
    from rules.engine.known import KnownTool
    from workflows.engine.steps import Kinds

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds; a look is a stat of each file
Stamp = frozenset[tuple[str, int, int]]


class CharterKeeper:
    """Holds the charter in force.

    `on_change` is called with a charter that has come into force, `on_problem` with what is wrong with a new one.
    """

    def __init__(
        self, folder: Path, tools: Mapping[str, KnownTool], kinds: Kinds, *, bringing: Bringing | None = None
    ) -> None:
        self.folder = folder
        self._read = functools.partial(charters.load, folder, tools, kinds, bringing=bringing)
        self.on_change: list[Callable[[Charter], Awaitable[None] | None]] = []
        self.on_problem: list[Callable[[CharterError], Awaitable[None] | None]] = []
        self._charter = self._read()
        self._seen = self._charter.digest
        self._stamp = _stamp(folder)
        self._watcher: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()

    @property
    def current(self) -> Charter:
        """The charter in force."""
        return self._charter

    def start(self) -> None:
        """Watch the files until `stop`."""
        self._watcher = asyncio.create_task(self._watch(), name="charter-watch")

    async def stop(self) -> None:
        """Watch no longer."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None

    async def check(self, changed: Mapping[str, bytes | None]) -> Charter:
        """The charter as it would be with these workflow or rule files; CharterError with what is wrong with it."""
        return await asyncio.to_thread(self._read, changed=changed)

    async def look(self) -> bool:
        """Read the files if they have changed; True if another charter is now in force."""
        async with self._looking:
            return await self._look()

    async def _look(self) -> bool:
        stamp = await asyncio.to_thread(_stamp, self.folder)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            digest = charters.digest_of(await asyncio.to_thread(charters.read_files, self.folder))
            if digest == self._seen:
                return False
            self._seen = digest
            fresh = await asyncio.to_thread(self._read)
        except CharterError as error:
            await self._report(error)
            return False
        self._charter = fresh
        for callback in self.on_change:
            await _call(callback(fresh))
        log.info("charter %s is in force", fresh.digest[:12])
        return True

    async def _report(self, error: CharterError) -> None:
        for callback in self.on_problem:
            await _call(callback(error))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except Exception:
                log.exception("the charter could not be looked at")


async def _call(result: Awaitable[None] | None) -> None:
    if result is not None:
        await result


def _stamp(folder: Path) -> Stamp:
    """Names, sizes and times of the files: changes when any file may have changed."""
    found = []
    for pattern in charters.PATTERNS:
        for path in folder.glob(pattern):
            try:
                status = path.stat()
            except OSError:  # deleted while we looked; the next look sees it gone
                continue
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return frozenset(found)
