"""Slack's agent surface: state and title of a thread, suggested prompts. What a workspace lacks is tried only once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from bot.engine.suggestions import offered, usual
from bot.slack.web import GoneError, SlackError
from kernel.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from bot.engine.suggestions import Suggestion, Suggestions
    from bot.slack.web import SlackWeb
    from kernel.types import Json

STATUS, OLD_STATUS = "agents.sessions.setStatus", "assistant.threads.setStatus"
RENAME, PROMPTS = "agents.sessions.rename", "assistant.threads.setSuggestedPrompts"

# Plans, app settings and scopes under which agent features are missing.
MISSING = frozenset(
    {
        "access_denied",
        "app_not_agent",
        "feature_disabled",
        "feature_not_enabled",
        "method_not_supported_for_channel_type",
        "missing_scope",
        "not_agent_app",
        "not_allowed",
        "not_enabled",
        "unknown_method",
    }
)
WORDS = {"processing": "is working…", "suspended": "is waiting for a decision…", "active": ""}
RENEW = 30 * 60.0  # seconds after which "processing" is sent again; after an hour Slack takes it back by itself
TITLE, REMEMBERED = 200, 1000

log = logging.getLogger("bosun.slack")


class Sessions:
    """Shows it, silently does without where Slack offers nothing."""

    def __init__(self, web: SlackWeb, suggestions: Suggestions = usual) -> None:
        self.web = web
        self.suggestions = suggestions
        self.renew = RENEW
        self._lacking: set[tuple[str, str]] = set()  # method, and the kind of channel in which it is missing
        self._renewals: dict[tuple[str, str], asyncio.TimerHandle] = {}  # thread that shows "processing"
        self._renewing: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._initiators: OrderedDict[tuple[str, str], str] = OrderedDict()  # thread that shows work -> who asked
        self._suggested: dict[str, Sequence[Suggestion]] = {}  # by DM

    def stop(self) -> None:
        """Send nothing more by itself."""
        for timer in self._renewals.values():
            timer.cancel()
        self._renewals.clear()
        for task in self._tasks:
            task.cancel()

    async def show(self, channel: str, thread: str, extra: Json) -> None:
        """Show `extra["state"]`; `title` and `initiator` name a session that is new."""
        while (renewing := self._renewing.get((channel, thread))) is not None:
            await asyncio.wait([renewing])  # or it would arrive behind this one
        await self._show(channel, thread, extra)

    async def _show(self, channel: str, thread: str, extra: Json) -> None:
        state = str(extra["state"])
        if (timer := self._renewals.pop((channel, thread), None)) is not None:
            timer.cancel()
        native = await self.tried(
            STATUS,
            channel,
            channel_id=channel,
            thread_ts=thread,
            status=state,
            title=str(extra["title"])[:TITLE] if extra.get("title") else None,
            initiator_user_id=extra.get("initiator") or None,
        )
        shown = native
        if not native:
            words = WORDS[state]
            shown = await self.tried(OLD_STATUS, channel, channel_id=channel, thread_ts=thread, status=words)
        if native and extra.get("initiator"):
            self._initiators[channel, thread] = str(extra["initiator"])
            if len(self._initiators) > REMEMBERED:
                self._initiators.popitem(last=False)
        if shown and state == "processing":
            loop = asyncio.get_running_loop()
            self._renewals[channel, thread] = loop.call_later(self.renew, self._again, channel, thread)

    def initiator(self, channel: str, thread: str) -> str | None:
        """Who asked for the work that the thread shows; None where it shows none, and so has no Stop of Slack's own."""
        return self._initiators.get((channel, thread))

    async def name(self, channel: str, thread: str, title: str) -> None:
        """Give a thread that begins with a message of ours its title. It is worth no error."""
        try:
            await self.tried(RENAME, channel, channel_id=channel, thread_ts=thread, title=title[:TITLE])
        except PlatformError as error:
            log.info("The thread %s was not given its title: %s", thread, error)

    def opened(self, channel: str) -> None:
        """Somebody looks at the direct messages with us: offer something to say."""
        self._spawn(self.suggest(channel))

    async def suggest(self, channel: str) -> None:
        """Offer what can be said, unless it is offered already. It is worth no error."""
        wanted = offered(self.suggestions())
        if self._suggested.get(channel) == wanted:
            return
        prompts = [{"title": one.title, "message": one.message} for one in wanted]
        try:
            if await self.tried(PROMPTS, channel, channel_id=channel, prompts=prompts):
                self._suggested[channel] = wanted
        except PlatformError as error:
            log.info("No prompts are suggested in %s: %s", channel, error)

    async def tried(self, method: str, channel: str, **arguments: object) -> bool:
        """Call it; says whether the workspace has the method. One that it lacks is not called again."""
        kind = channel[:1]  # C, D, G: some methods exist in direct messages alone
        if (method, kind) in self._lacking:
            return False
        try:
            await self.web.repeatable(method, **arguments)
        except SlackError as error:
            if error.reason not in MISSING:
                raise
            log.info("This workspace has no %s: %s", method, error.reason)
            self._lacking.add((method, kind))
            return False
        return True

    def _again(self, channel: str, thread: str) -> None:
        key = (channel, thread)
        task = self._renewing[key] = self._spawn(self._renewed(channel, thread))
        task.add_done_callback(lambda _: self._renewing.pop(key, None))

    async def _renewed(self, channel: str, thread: str) -> None:
        try:
            await self._show(channel, thread, {"state": "processing"})
        except PlatformError as error:
            log.info("The thread %s does not show any more that there is work: %s", thread, error)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def lacks(web: SlackWeb) -> str:
    """Why the workspace has no agent surface, in Slack's word; empty where it has one. Changes nothing."""
    try:
        await web.repeatable(STATUS, channel_id="C0NONE", thread_ts="1.0", status="active")
    except (SlackError, GoneError) as error:
        return error.reason if error.reason in MISSING else ""
    return ""
