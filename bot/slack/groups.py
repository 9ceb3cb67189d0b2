"""Members of Slack user groups, for roles that point to one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.slack.web import SlackWeb
    from kernel.clock import Clock

FRESH = 30.0  # seconds; roles count as they are when somebody decides


class Groups:
    """Asks Slack, at most once in 30 seconds for each group, and again at once when Slack says that one changed."""

    def __init__(self, web: SlackWeb, clock: Clock, team: str) -> None:
        self.web = web
        self.clock = clock
        self.team = team
        self._known: dict[str, tuple[frozenset[str], datetime]] = {}
        self._asking = asyncio.Lock()

    def forget(self) -> None:
        """A group has changed."""
        self._known.clear()

    async def members(self, group: str) -> frozenset[str]:
        """Account keys of the members; PlatformError where Slack does not say, so that nobody counts as one."""
        async with self._asking:
            known = self._known.get(group)
            if known is not None and (self.clock.now() - known[1]).total_seconds() < FRESH:
                return known[0]
            answer = await self.web.read("usergroups.users.list", usergroup=group)
            members = frozenset(f"slack:{self.team}:{user}" for user in answer.get("users") or ())
            self._known[group] = (members, self.clock.now())
            return members
