"""Dashboards that stand open on a platform: published when somebody opens theirs, and again after changes."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.engine.dashboard import dashboard
from kernel.errors import BosunError, PlatformError
from kernel.store import inbox, runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.engine.adapter import HomePages
    from bot.engine.directory import TeamDirectory
    from bot.engine.home import Home
    from kernel.clock import Clock
    from kernel.store import Store
    from kernel.types import Actor, Dashboard

TOPICS = (runs.STATE, runs.READY, "approvals")  # after these a dashboard may look different
SETTLE = 2.0  # seconds after a change; what changes meanwhile goes along
EVERY = 1.0  # seconds between two dashboards that are published again: 100 a minute are allowed on Slack
REST = 9  # times as long as it took to make all of them nothing is made: they take a tenth of a process at most
AGAIN, LONGEST = 2.0, 600.0  # seconds until what could not be shown is tried again; doubled every time, up to
WATCHED = timedelta(days=7)  # since somebody last opened theirs

log = logging.getLogger(__name__)


class HomeTabs:
    """Keeps the dashboards that people have opened up to date, where the platform has a place for them."""

    def __init__(
        self, store: Store, clock: Clock, directory: TeamDirectory, home: Home, pages: Mapping[str, HomePages]
    ) -> None:
        self.store = store
        self.clock = clock
        self.directory = directory
        self.home = home
        self.pages = pages  # platform -> where its people have a page
        self.settle, self.every, self.rest = SETTLE, EVERY, REST
        self._made = 0.0  # seconds that it took to make the last dashboards
        self._rest = 0.0  # seconds; the work was too much to begin again at once
        self._opened: dict[str, tuple[Actor, datetime]] = {}  # account -> who, and when it was last opened
        self._shown: dict[str, Dashboard] = {}
        self._waits: dict[str, float] = {}  # account -> seconds that it waits after the next failure
        self._retries: dict[str, asyncio.TimerHandle] = {}
        self._soon: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Follow what changes, and bring up to date what people have opened before this process began."""
        since = self.clock.now() - WATCHED
        for row in await self.store.read(lambda session: inbox.of_kind(session, "home", since)):
            if row.inbound.actor.platform in self.pages:
                self._opened[row.inbound.actor.account] = (row.inbound.actor, row.received_at)
        for topic in TOPICS:
            self.store.on(topic, self._changed)
        self._changed("")

    async def stop(self) -> None:
        """Publish nothing more."""
        for timer in (self._soon, *self._retries.values()):
            if timer is not None:
                timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def opened(self, actor: Actor) -> None:
        """Somebody looks at theirs now."""
        if actor.platform not in self.pages:
            return
        self._opened[actor.account] = (actor, self.clock.now())
        self._shown.pop(actor.account, None)
        await self._publish(actor)

    def shown(self, actor: Actor) -> None:
        """Somebody was shown theirs, and may go on looking at it."""
        if actor.platform in self.pages:
            self._opened[actor.account] = (actor, self.clock.now())

    def pressed(self, actor: Actor) -> None:
        """Somebody pressed a button somewhere: what they see of the whole may be different now."""
        if actor.account in self._opened:
            self._changed("")

    def _changed(self, _key: str) -> None:
        if self._opened and self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(max(self.settle, self._rest), self._begin)

    def _begin(self) -> None:
        self._soon = None
        if self._task is not None and not self._task.done():
            self._changed("")  # after the one that is under way
            return
        self._task = asyncio.create_task(self._again())

    async def _again(self) -> None:
        since = self.clock.now() - WATCHED
        self._opened = {account: seen for account, seen in self._opened.items() if seen[1] >= since}
        self._made = 0.0
        for actor, _ in list(self._opened.values()):
            published = False
            try:
                published = await self._publish(actor)
            except BosunError as error:
                log.info("The dashboard of %s was not brought up to date: %s", actor.account, error)
                self._try_again(actor.account)
            if published:
                await asyncio.sleep(self.every)
        self._rest = self.rest * self._made

    async def _publish(self, actor: Actor) -> bool:
        """Show it where it has changed; says whether the platform was asked to."""
        begun, person = asyncio.get_running_loop().time(), self.directory.person(actor)
        value = dashboard(await self.home.of(person, actor), person.name)
        self._made += asyncio.get_running_loop().time() - begun
        if self._shown.get(actor.account) == value:
            return False
        try:
            await self.pages[actor.platform].publish_home(actor, value)
        except PlatformError as error:
            log.warning("The dashboard of %s could not be shown: %s", actor.account, error)
            self._try_again(actor.account)
        else:
            self._shown[actor.account] = value
            self._waits.pop(actor.account, None)
        return True

    def _try_again(self, account: str) -> None:
        """By itself: it may be long until something else changes."""
        wait = self._waits.get(account, AGAIN)
        self._waits[account] = min(2 * wait, LONGEST)
        if (before := self._retries.pop(account, None)) is not None:
            before.cancel()
        self._retries[account] = asyncio.get_running_loop().call_later(wait, self._changed, "")
