"""Who is behind a user id: name, guest, outsider, bot. Looked up once and kept for a while."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from bot.engine.again import insist
from bot.slack.web import words
from kernel.errors import PlatformError, RateLimited
from kernel.types import Actor, Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.slack.web import SlackWeb
    from kernel.clock import Clock

PATIENCE = 1.5  # seconds; Slack wants its acknowledgement within three
FRESH = 60.0  # seconds for which a guest flag is good enough to decide with
KEPT = 900.0  # seconds for which a name and a flag are good enough to talk with
MOST = 5000

log = logging.getLogger("bosun.slack")


class User(Frozen):
    """What Slack says of an account."""

    id: str
    team: str
    name: str
    is_bot: bool = False
    is_guest: bool = False
    is_external: bool = False


class People:
    """The accounts of a workspace and of its guests."""

    def __init__(self, web: SlackWeb, clock: Clock) -> None:
        self.web = web
        self.clock = clock
        self.team = ""
        self._known: dict[str, tuple[User, datetime]] = {}
        self._asked: dict[str, asyncio.Task[User]] = {}
        self._channels: dict[str, str] = {}

    async def actor(self, user: str, home: str = "", *, deciding: bool = False) -> Actor:
        """The account. Where Slack cannot be asked in time it has the rights of a guest, which are the fewest.

        `home` is the team that the payload gives for the user; `deciding` wants flags that are fresh.
        """
        found = await self._user(user, FRESH if deciding else KEPT)
        outside = bool(home and home[0] == "T" and home != self.team)
        if found is None:
            return Actor(
                platform="slack",
                tenant=home or self.team,
                user=user,
                name=user,
                is_guest=True,
                is_external=outside,
                is_known=False,
            )
        return Actor(
            platform="slack",
            tenant=home if outside else found.team,
            user=user,
            name=found.name,
            is_bot=found.is_bot,
            is_guest=found.is_guest,
            is_external=found.is_external or outside,
        )

    async def names(self, users: Iterable[str], channels: Iterable[str] = ()) -> dict[str, str]:
        """Display names for ids; an id that cannot be looked up in time is left out."""
        wanted = list(users)[:20]
        found = await asyncio.gather(*(self._user(user, KEPT) for user in wanted))
        names = {user.id: user.name for user in found if user is not None}
        for channel in list(channels)[:20]:
            if name := await self._channel(channel):
                names[channel] = name
        return names

    async def _user(self, user: str, age: float) -> User | None:
        known = self._known.get(user)
        if known is not None and (self.clock.now() - known[1]).total_seconds() <= age:
            return known[0]
        task = self._asked.get(user)
        if task is None:
            task = self._asked[user] = asyncio.create_task(self._ask(user), name=f"slack-user-{user}")
            task.add_done_callback(self._asked_done)
        try:
            return await asyncio.wait_for(asyncio.shield(task), PATIENCE)
        except (TimeoutError, PlatformError) as error:
            log.warning("Slack does not say who %s is: %s", user, words(error))
            return known[0] if known is not None and age == KEPT else None

    def _asked_done(self, task: asyncio.Task[User]) -> None:
        self._asked.pop(task.get_name().removeprefix("slack-user-"), None)
        if not task.cancelled():
            task.exception()  # said by whoever waited, if anybody still did

    async def _ask(self, user: str) -> User:
        data = (await self._described(user)).get("user") or {}
        found = _user({"id": user, **data}, self.team)
        if len(self._known) >= MOST:
            self._known.pop(next(iter(self._known)))
        self._known[user] = (found, self.clock.now())
        return found

    async def _described(self, user: str) -> dict[str, Any]:
        try:
            return await insist(lambda: self.web.read("users.info", user=user))
        except RateLimited as error:
            if error.retry_after > PATIENCE:
                raise
            await asyncio.sleep(error.retry_after)
            return await insist(lambda: self.web.read("users.info", user=user))

    async def _channel(self, channel: str) -> str:
        if channel not in self._channels:
            try:
                answer = await asyncio.wait_for(self.web.read("conversations.info", channel=channel), PATIENCE)
            except (TimeoutError, PlatformError):
                return ""
            self._channels[channel] = str((answer.get("channel") or {}).get("name") or "")
        return self._channels[channel]


def _user(data: dict[str, Any], team: str) -> User:
    profile = data.get("profile") or {}
    home = str(data.get("team_id") or team)
    name = profile.get("display_name") or profile.get("real_name") or data.get("real_name") or data.get("name")
    return User(
        id=str(data["id"]),
        team=home,
        name=str(name or data["id"]),
        is_bot=bool(data.get("is_bot")) or data["id"] == "USLACKBOT",
        is_guest=bool(data.get("is_restricted") or data.get("is_ultra_restricted") or data.get("deleted")),
        is_external=home != team or bool(data.get("is_stranger")),
    )
