"""Keeps every source of the charter read: on its schedule, at once where a folder changes, and no more when it is gone.

Several processes on one database share the work: whoever claims a source reads it, as long as it keeps the claim alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from kernel.errors import BosunError
from kernel.store import knowledge_sources as sources
from knowledge.chat import Chat
from knowledge.engine.kinds import discover
from knowledge.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from kernel.store import Session, Store
    from knowledge.engine.knowledge import Knowledge
    from knowledge.engine.source import Source, Stream
    from knowledge.engine.source_settings import SourceSettings, Surroundings

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0  # seconds between two looks at what is due
CHARTER_EVERY = timedelta(minutes=5)  # the charter's own folder, where nothing tells of changes
LEASE = timedelta(minutes=2)  # a reader that has not been heard of for so long is gone


class _SetUp(NamedTuple):
    """How a source is set up."""

    readers: tuple[str, ...]
    settings: SourceSettings | None  # None: of the charter's own folder, and of channels
    without: frozenset[Path]  # folders in it that have become, or are no longer, sources of their own


class Keeper:
    """Reads sources in the background, each in a task of its own: a slow one keeps nobody waiting.

    `settings` says which there are now, `around` what they are opened with. `keeps`: which are not forgotten though
    they are not named, because nobody can tell now what the name means.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        store: Store,
        around: Callable[[], Surroundings],
        settings: Callable[[], Sequence[SourceSettings]],
        keeps: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        self._keeps = keeps
        self._knowledge, self._store = knowledge, store
        self._around, self._settings = around, settings
        self._tasks: list[asyncio.Task[None]] = []
        self._reading: dict[str, asyncio.Task[None]] = {}  # by name of the source
        self._due = asyncio.Event()
        self._known: dict[str, _SetUp] = {}  # by name of the source
        self._watched: set[Path] = set()
        self._watching = asyncio.Event()

    def start(self) -> None:
        """Begin."""
        self._tasks = [
            asyncio.create_task(self._run(), name="knowledge-sources"),
            asyncio.create_task(self._watch(), name="knowledge-folders"),
        ]

    async def stop(self) -> None:
        """End; what is being read is read again after the next start."""
        names, tasks = list(self._reading), [*self._tasks, *self._reading.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks, self._reading = [], {}
        await self._make_due(lambda row: row.name in names)

    async def read_now(self, name: str = "") -> list[str]:
        """Have one source, or all, read as soon as possible; the names of those."""
        return await self._make_due(lambda row: name in {"", row.name, row.name.partition(":")[2]})

    def now(self) -> datetime:
        """The time by the clock that sources are read by."""
        return self._around().clock.now()

    def opened(self) -> list[tuple[Source | Stream, timedelta]]:
        """The sources that there are now, the charter's own folder first, and how often each is read."""
        around = self._around()
        own = Folder(around.charter / "knowledge", reader=around.files)
        kinds = discover()
        found: list[tuple[Source | Stream, timedelta]] = [(own, CHARTER_EVERY)]
        for each in self._settings():
            opened = kinds[each.kind].open(each, around)
            found += [(source, each.every) for source in (opened if isinstance(opened, list) else [opened])]
        _divide([source for source, _every in found if isinstance(source, Folder)])
        return found

    async def look(self) -> None:
        """Read what is due, and forget what is no longer named; returns once all of it is read."""
        await self._look()
        await asyncio.gather(*self._reading.values())

    async def _run(self) -> None:
        # On SQLite no other process reads: what is claimed was left by one that ended. What was said meanwhile in a
        # channel has brought no event.
        alone = self._store.is_sqlite
        await self._make_due(lambda row: row.kind == "chat" or (alone and row.state == sources.READING))
        while True:
            try:
                await self._look()
            except BosunError as error:
                log.warning("The sources of knowledge could not be looked at: %s", error)
            except Exception:
                log.exception("The sources of knowledge could not be looked at")
            self._due.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._due.wait()

    async def _look(self) -> None:
        opened = self.opened()
        await self._drop_others({source.name for source, _every in opened})
        await self._take_changes(opened)
        self._around().chats.listen_to(
            {source.place.lane: source.title for source, _every in opened if isinstance(source, Chat)}
        )
        folders = {
            source.watched for source, _every in opened if isinstance(source, Folder) and source.watched.is_dir()
        }
        if folders != self._watched:
            self._watched = folders
            self._watching.set()
        for source, every in opened:
            if source.name in self._reading:
                await self._postpone(source.name, LEASE)
            elif await self._claim(source):
                task = asyncio.create_task(self._read(source, every), name=f"knowledge-source-{source.name}")
                self._reading[source.name] = task

    async def _read(self, source: Source | Stream, every: timedelta) -> None:
        try:
            report = await self._knowledge.sync(source)
        except BosunError as error:
            log.warning("%s was not read: %s", source.name, error)
        except Exception:
            log.exception("%s was not read", source.name)
        else:
            for refused in report.refused:
                log.info("%s of %s was not read: %s %s", refused.key, source.name, refused.reason, refused.hint)
        finally:
            self._reading.pop(source.name, None)
        await self._postpone(source.name, every)
        self._due.set()  # it may have been asked for again meanwhile

    async def _postpone(self, name: str, by: timedelta) -> None:
        now = self._around().clock.now()
        await self._store.write(lambda session: sources.postpone(session, name, now, now + by))

    async def _claim(self, source: Source | Stream) -> bool:
        now = self._around().clock.now()

        def claim(session: Session) -> bool:
            sources.register(session, source.name, source.kind, source.title, None)
            session.flush()
            return sources.claim(session, source.name, now, now + LEASE)

        if not await self._store.read(lambda session: sources.is_due(session, source.name, now)):
            return False
        return await self._store.write(claim)

    async def _drop_others(self, names: set[str]) -> None:
        """A source that the charter no longer names is forgotten with everything in it."""
        known = await self._store.read(lambda session: [row.name for row in sources.every(session)])
        for name in known:
            if name in names or self._keeps(name):
                continue
            await self._give_up(name)
            count = await self._knowledge.drop_source(name)
            log.info("Source %s is no longer named: %d documents forgotten", name, count)

    async def _take_changes(self, opened: Sequence[tuple[Source | Stream, timedelta]]) -> None:
        """A source that is set up otherwise than before has its new readers at once, and is read at once."""
        settings = {f"{each.kind}:{each.name}": each for each in self._settings()}
        changed: set[str] = set()
        for source, _every in opened:
            without = source.without if isinstance(source, Folder) else frozenset()
            now = _SetUp(source.readers, settings.get(source.name), without)
            before = self._known.get(source.name)
            if before == now:
                continue
            if before is not None:
                await self._give_up(source.name)
            if await self._knowledge.regrant(source.name, source.readers) or before is not None:
                changed.add(source.name)
            self._known[source.name] = now
        if changed:
            await self._make_due(lambda row: row.name in changed)

    async def _give_up(self, name: str) -> None:
        """Read a source no further."""
        reading = self._reading.pop(name, None)
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _watch(self) -> None:
        """Have a folder read when something in it changes, and once after it is watched: nothing falls in between."""
        from watchfiles import awatch

        while True:
            await self._watching.wait()
            self._watching.clear()
            if not self._watched:
                continue
            try:
                unseen = True
                async for changes in awatch(*self._watched, stop_event=self._watching, yield_on_timeout=True):
                    if changes or unseen:
                        await self._make_due(lambda row: row.kind == "folder")
                    unseen = False
            except (OSError, RuntimeError) as error:  # too many folders, or one went away: the schedule remains
                log.warning("Changes of folders are not noticed at once: %s", error)

    async def _make_due(self, wanted: Callable[[sources.SourceRow], bool]) -> list[str]:
        now = self._around().clock.now()

        def make_due(session: Session) -> list[str]:
            names = [row.name for row in sources.every(session) if wanted(row)]
            for name in names:
                sources.make_due(session, name, now)
            return names

        names = await self._store.write(make_due)
        self._due.set()
        return names


def _divide(folders: Sequence[Folder]) -> None:
    """A folder inside another one that is a source of its own is read for its own readers alone."""
    roots = {folder.name: folder.watched.resolve() for folder in folders}
    for folder in folders:
        folder.without = frozenset(root for name, root in roots.items() if name != folder.name) - {roots[folder.name]}
