"""Who is behind an account: name, roles, member of the server or not. Looked up once and kept for a while."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import discord

from bot.discord.api import MEMBER_GONE, USER_GONE, calling, number_of
from bot.engine.again import insist
from kernel.errors import PlatformError
from kernel.types import Actor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from bot.discord.api import Pace
    from kernel.clock import Clock

PATIENCE = 1.5  # seconds; an interaction wants its first answer within three
FRESH = 30.0  # seconds for which roles are good enough to decide with
KEPT = 900.0  # seconds for which a name is good enough to talk with
MOST = 5000

log = logging.getLogger("bosun.discord")


class Members:
    """The members of one server, as its payloads and the REST API describe them."""

    def __init__(
        self,
        clock: Clock,
        pace: Pace,
        known: Callable[[], Iterable[str]],
    ) -> None:
        self.clock = clock
        self.pace = pace
        self.known = known  # accounts that the charter lists: only those can be asked for the holders of a role
        self.server: discord.Guild
        self._seen: dict[str, tuple[Actor, datetime]] = {}

    def described(self, user: discord.User | discord.Member | discord.ClientUser) -> Actor:
        """The account as a payload of the server describes it, with the roles that it names."""
        member = isinstance(user, discord.Member)
        actor = Actor(
            platform="discord",
            tenant=str(self.server.id),
            user=str(user.id),
            name=user.display_name,
            is_bot=user.bot,
            is_guest=isinstance(user, discord.Member) and user.pending,
            is_external=not member and not user.bot,
            # `roles` looks into a cache that may be empty; the ids are what the payload said.
            roles=tuple(str(role) for role in user._roles) if isinstance(user, discord.Member) else (),
        )
        if member:
            self._keep(actor)
        return actor

    async def actor(self, user: discord.User | discord.Member, *, deciding: bool = False) -> Actor:
        """The account; outside the server its membership is looked up. Where Discord cannot be asked in time it has
        the rights of somebody from outside, which are the fewest."""
        if isinstance(user, discord.Member):
            return self.described(user)
        if user.bot:
            return self.described(user)
        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._look_up(str(user.id), FRESH if deciding else KEPT)
        except (TimeoutError, PlatformError) as error:
            log.warning("Discord does not say whether %s is a member: %s", user.id, error)
            return self.described(user).model_copy(update={"is_known": False})
        return found or self.described(user)

    async def with_role(self, role: str) -> frozenset[str]:
        """Account keys of the listed people who hold the role; PlatformError where it cannot be told."""
        found = await asyncio.gather(*(self._look_up(user, FRESH) for user in set(self.known())))
        return frozenset(actor.account for actor in found if actor is not None and role in actor.roles)

    async def _look_up(self, user: str, age: float) -> Actor | None:
        """The member; None for somebody who is none."""
        known = self._seen.get(user)
        if known is not None and (self.clock.now() - known[1]).total_seconds() <= age:
            return known[0]
        try:
            member = await insist(lambda: self._fetch(user))
        except PlatformError as error:
            if number_of(error) in {MEMBER_GONE, USER_GONE}:
                self._seen.pop(user, None)
                return None
            raise
        return self.described(member)

    async def _fetch(self, user: str) -> discord.Member:
        await self.pace.take()
        with calling("look up a member"):
            return await self.server.fetch_member(int(user))

    def _keep(self, actor: Actor) -> None:
        if len(self._seen) >= MOST:
            self._seen.pop(next(iter(self._seen)))
        self._seen[actor.user] = (actor, self.clock.now())
