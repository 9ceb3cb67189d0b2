"""Progress as Slack's own streams: one message that grows, closed before Slack closes it, and always ended by an edit.

A stream is only how progress is shown. Whatever happens to it, the message is brought to what it should say by
`chat.update`, so nothing that is lost here is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.engine.document import plain
from bot.slack import neutral
from bot.slack.sessions import MISSING
from bot.slack.steady import LONGEST, steady
from bot.slack.web import SlackError
from kernel.errors import OutcomeUnknown, PlatformError, RateLimited

if TYPE_CHECKING:
    from bot.slack.sessions import Sessions
    from bot.slack.web import SlackWeb
    from kernel.store.outbox import Claimed
    from kernel.types import Json, Place, Progress, Step

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
LIFE = 240.0  # seconds; after about 300 Slack closes a stream and leaves it broken
OPEN = 15  # streams at once: each is stopped once, and 20 stops a minute are allowed
STARTS = 18  # a minute, of 20
EDITS = 30  # edits of progress a minute, of about 50 that are allowed: the rest is for cards and answers
BETWEEN = 3.0  # seconds between two edits of the same message
CONFLICT = "streaming_state_conflict"  # chat.update of a message that is still streamed
STATUSES = {"pending": "pending", "running": "in_progress", "done": "complete", "failed": "error"}
STATUSES |= {"waiting": "in_progress"}

log = logging.getLogger("bosun.slack")


class Minute:
    """At most `most` of something in any minute, of all streams together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until the next one; 0 where there is room, which is taken then."""
        while self._taken and self._taken[0] <= now - 60:
            self._taken.popleft()
        if len(self._taken) >= self.most:
            return self._taken[0] + 60 - now
        self._taken.append(now)
        return 0.0


@dataclass(kw_only=True)
class Stream:
    """A message that Slack lets grow."""

    channel: str
    ts: str
    begun: float  # loop time
    raw: str = ""  # the answer so far, when Slack last confirmed something
    text: str = ""  # what Slack has confirmed of it
    length: int = 0  # characters that Slack has confirmed in all
    steps: dict[str, Step] = field(default_factory=dict)


class Streams:
    """The streams of one workspace."""

    def __init__(self, web: SlackWeb, sessions: Sessions, team: str) -> None:
        self.web = web
        self.sessions = sessions
        self.team = team
        self.life = LIFE
        self.lacking = False  # the workspace has no streams
        self._open: dict[str, Stream] = {}  # by row
        self._starts, self._edits = Minute(STARTS), Minute(EDITS)
        self._edited: dict[str, float] = {}  # row -> loop time of its last edit as progress

    async def begin(self, row: Claimed, place: Place, body: Progress) -> str | None:
        """Show progress as a stream; its message. None where it is to be an ordinary message."""
        self._open = {key: one for key, one in self._open.items() if _now() - one.begun < 2 * self.life}
        if self.lacking or place.thread is None or len(self._open) >= OPEN:
            return None
        reader = self.sessions.initiator(place.channel, place.thread)
        if reader is None or self._starts.wait(_now()) > 0:
            return None
        stream = Stream(channel=place.channel, ts="", begun=_now())
        chunks = [{"type": "plan_update", "title": _line(body.title, 80)}, *_chunks(stream, body)]
        in_channel = {"recipient_user_id": reader, "recipient_team_id": self.team} if place.kind != "dm" else {}
        try:
            answer = await self.web.write(
                START,
                channel=place.channel,
                thread_ts=place.thread,
                task_display_mode="plan",
                chunks=chunks,
                **in_channel,
            )
        except SlackError as error:
            log.info("Progress is shown by edits, because Slack refuses streams: %s", error.reason)
            self.lacking = error.reason in MISSING
            return None
        stream.ts = str(answer["ts"])
        self._confirm(stream, body)
        self._open[row.id] = stream
        return stream.ts

    async def go_on(self, row: Claimed, body: Progress) -> bool:
        """Let the stream grow. False where the message is to be edited instead. RateLimited: later."""
        stream = self._open.get(row.id)
        if stream is None:
            self._pace(row.id)
            return False
        waits = any(step.status == "waiting" for step in body.steps)
        if waits or _now() - stream.begun >= self.life:
            await self.end(row.id, "suspended" if waits else "processing")
            return False
        if not body.partial.startswith(stream.raw):
            stream.raw = stream.text = ""  # another answer has begun, behind the one that is shown
        elif not steady(body.partial).startswith(stream.text):
            await self.end(row.id, "processing")  # later text has changed the meaning of what is shown
            return False
        chunks = _chunks(stream, body)
        if not chunks:
            return True
        try:
            await self.web.write(APPEND, channel=stream.channel, ts=stream.ts, chunks=chunks)
        except SlackError as error:
            log.info("The stream of %s is gone: %s", row.id, error.reason)
            del self._open[row.id]
            return False
        except RateLimited:
            raise
        except (OutcomeUnknown, PlatformError):  # it may have grown or not; the edit says the truth
            await self.end(row.id, "processing")
            return False
        self._confirm(stream, body)
        return True

    async def end(self, row_id: str, session: str = "active") -> None:
        """Close the row's stream, if there is one. What Slack says to that does not matter, unless it asks to wait."""
        stream = self._open.get(row_id)
        self._edited.pop(row_id, None)
        if stream is not None:
            await self.close(stream.channel, stream.ts, session)
            self._open.pop(row_id, None)

    async def close(self, channel: str, ts: str, session: str = "active") -> None:
        """Close a stream, also one that another process has begun."""
        try:
            await self.web.repeatable(STOP, channel=channel, ts=ts, session_status=session)
        except RateLimited:
            raise
        except PlatformError as error:
            log.info("The stream %s was not closed: %s", ts, error)

    def _pace(self, row_id: str) -> None:
        """Edits of progress leave room for what is more than progress."""
        now = _now()
        wait = self._edited.get(row_id, -BETWEEN) + BETWEEN - now
        if wait <= 0:
            wait = self._edits.wait(now)
        if wait > 0:
            raise RateLimited("Progress waits for its turn.", retry_after=wait)
        self._edited[row_id] = now

    def _confirm(self, stream: Stream, body: Progress) -> None:
        fresh = _fresh(stream, body)
        if fresh:
            stream.raw, stream.text = body.partial, steady(body.partial)
            stream.length += len(fresh)
        stream.steps |= {step.id: step for step in body.steps}


def _chunks(stream: Stream, body: Progress) -> list[Json]:
    """What is new since Slack confirmed the last."""
    changed = [step for step in body.steps if stream.steps.get(step.id) != step]
    chunks: list[Json] = [
        {
            "type": "task_update",
            "id": step.id,
            "title": _line(step.title, 80),
            "status": STATUSES[step.status],
            **({"details": _line(step.detail, 200)} if step.detail else {}),
        }
        for step in changed
    ]
    fresh = _fresh(stream, body)
    return [*chunks, {"type": "markdown_text", "text": fresh}] if fresh else chunks


def _fresh(stream: Stream, body: Progress) -> str:
    """What is to be added; nothing where Slack takes no more, so that the rest comes with the answer."""
    fresh = steady(body.partial)[len(stream.text) :]
    if fresh and stream.length and not stream.text:
        fresh = f"\n\n{fresh}"
    return fresh if stream.length + len(fresh) <= LONGEST else ""


def _line(text: str, limit: int) -> str:
    return neutral.neutral(plain.one_line(text, limit))


def _now() -> float:
    return asyncio.get_running_loop().time()
