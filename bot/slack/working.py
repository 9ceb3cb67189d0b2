"""The working state of a thread, by the newest means that the workspace offers; what it lacks is tried only once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.web import SlackError

if TYPE_CHECKING:
    from bot.slack.web import SlackWeb
    from kernel.types import Json

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
        "unknown_method",
    }
)
WORDS = {"processing": "is working…", "suspended": "is waiting for a decision…", "active": ""}


class WorkingState:
    """Sets it, silently does without where Slack offers nothing."""

    def __init__(self, web: SlackWeb) -> None:
        self.web = web
        self._means = ["agents.sessions.setStatus", "assistant.threads.setStatus"]

    async def show(self, channel: str, thread: str, extra: Json) -> None:
        """Show `extra["state"]`; `title` and `initiator` name a session that is new."""
        while self._means:
            method = self._means[0]
            try:
                if method == "agents.sessions.setStatus":
                    await self._session(channel, thread, extra)
                else:
                    await self.web.repeatable(
                        method, channel_id=channel, thread_ts=thread, status=WORDS[extra["state"]]
                    )
            except SlackError as error:
                if error.reason not in MISSING:
                    raise
                self._means.remove(method)
            else:
                return

    async def _session(self, channel: str, thread: str, extra: Json) -> None:
        await self.web.repeatable(
            "agents.sessions.setStatus",
            channel_id=channel,
            thread_ts=thread,
            status=extra["state"],
            title=str(extra["title"])[:200] if extra.get("title") else None,
            initiator_user_id=extra.get("initiator"),
        )
