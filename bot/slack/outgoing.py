"""What Bosun shows on Slack: posts, edits, private notices, reactions, files; and finding what may have arrived."""

from __future__ import annotations

import asyncio
import html
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.engine.adapter import NoRoomError
from bot.engine.document.incomplete import ELSEWHERE, without_files
from bot.slack import blocks, dashboard, render, streams
from bot.slack.files import Files
from bot.slack.sessions import STATUS, Sessions
from bot.slack.tiers import Tier
from bot.slack.web import GoneError, SlackError, reason_of
from kernel.errors import OutcomeUnknown, PlatformError
from kernel.store import outbox
from kernel.types import Place, Progress, Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.engine.adapter import Sign
    from bot.slack.messages import Messages
    from bot.slack.presses import Presses
    from bot.slack.settings import SlackSettings
    from bot.slack.web import SlackWeb
    from kernel.store.outbox import Claimed
    from kernel.types import Actor, Dashboard

MARK = "bosun_out"  # event type of the metadata by which a post is found again; holds nothing but the row's id
NOT_THERE = frozenset({"channel_not_found", "not_in_channel", "user_not_in_channel"})
SECOND_LOOK = 1.5  # seconds; what was just posted may not stand in the history yet
PAGES = 5

log = logging.getLogger("bosun.slack")


class Outgoing:
    """Makes one workspace show outbox rows."""

    def __init__(
        self, web: SlackWeb, settings: SlackSettings, messages: Messages, presses: Presses, sessions: Sessions
    ) -> None:
        self.web = web
        self.settings = settings
        self.messages = messages
        self.presses = presses
        self.files = Files(web, settings.api_url)
        self.sessions = sessions
        self.streams = streams.Streams(web, sessions, messages.me.team)
        self.tier = Tier()
        self.lacks_feedback = False  # the workspace refuses Slack's two thumbs
        self._not_shown: set[tuple[str, str]] = set()  # threads whose work was not shown, for want of room
        self.second_look = SECOND_LOOK

    async def post(self, row: Claimed) -> str:
        """Post the row's body; its id goes along as metadata, so that a post whose answer was lost is found."""
        place, body = await self._target(row), row.content
        if isinstance(body, Progress):
            stream = await self.streams.begin(row, place, body)
            if stream is not None:
                return stream
        shown = render.render(body, self.settings.console_url)
        unread = without_files(body) if shown.attachments else None
        answer = await self._show(
            partial(self.web.write, "chat.postMessage", thread_ts=place.thread, unfurl_links=False, unfurl_media=False),
            row,
            place,
            shown if unread is None else render.render(unread),
        )
        ts = str(answer["ts"])
        try:
            await self.files.attach(place.channel, place.thread or ts, shown.attachments, look=False)
        except PlatformError as error:
            # The message stands: only looking for it first keeps the next try from posting it twice.
            raise OutcomeUnknown(f"The message was posted, its file was not: {error.message}") from error
        if unread is not None:
            await self._show(partial(self.web.repeatable, "chat.update", ts=ts), row, place, shown)
        if place.kind == "dm" and place.thread is None:  # each message of ours there begins a thread
            await self.sessions.name(place.channel, ts, html.unescape(shown.text)[:60])
        return ts

    async def edit(self, row: Claimed) -> None:
        """Bring the posted message to the row's body."""
        place, body = await self._target(row), row.content
        if isinstance(body, Progress):
            if await self.streams.go_on(row, body):
                return
        else:
            await self.streams.end(row.id)
        shown = render.render(body, self.settings.console_url)
        update = partial(self.web.repeatable, "chat.update", ts=row.remote_id)
        unread = without_files(body) if shown.attachments else None
        if unread is not None:
            try:
                await self.files.attach(place.channel, place.thread or str(row.remote_id), shown.attachments, look=True)
            except PlatformError:
                await self._show(update, row, place, render.render(unread))
                raise
        try:
            await self._show(update, row, place, shown)
        except SlackError as error:
            if error.reason != streams.CONFLICT:
                raise
            await self.streams.close(place.channel, str(row.remote_id))  # begun by a process that is gone
            await self._show(update, row, place, shown)
        await self.files.attach(place.channel, place.thread or str(row.remote_id), shown.attachments, look=True)

    async def _show(
        self, call: Callable[..., Awaitable[dict[str, Any]]], row: Claimed, place: Place, shown: render.Shown
    ) -> dict[str, Any]:
        """Call with the message; once more with older blocks where Slack refuses the newer ones.

        A workspace that refuses the two thumbs gets everything else as it is, and no thumbs from then on.
        """
        show = partial(call, channel=place.channel, text=shown.text, metadata=_mark(row))
        bare = blocks.without_feedback(shown.blocks)
        first = bare if self.lacks_feedback else shown.blocks
        try:
            return await show(blocks=first)
        except SlackError as error:
            if error.reason != "invalid_blocks":
                raise
        try:
            if len(bare) < len(first):
                answer = await show(blocks=bare)
                self.lacks_feedback = True
                log.info("This workspace has no buttons for feedback, so answers come without.")
                return answer
        except SlackError as error:
            if error.reason != "invalid_blocks":
                raise
        log.warning("Slack refused the blocks of %s, so it is shown with simpler ones.", row.id)
        return await show(blocks=blocks.simple(bare))

    async def find(self, row: Claimed) -> str | None:
        """The message with the row's id in its metadata, or the file with its name; looked for twice."""
        place = await self._target(row)
        found = await self._search(row, place)
        if found is None:
            await asyncio.sleep(self.second_look)
            found = await self._search(row, place)
        return found

    async def _search(self, row: Claimed, place: Place) -> str | None:
        oldest = f"{row.created_at.timestamp() - 120:.6f}"  # their clock is not ours
        method = "conversations.replies" if place.thread else "conversations.history"
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self.web.read(
                method,
                channel=place.channel,
                ts=place.thread,
                oldest=oldest,
                limit=200,
                cursor=cursor,
                include_all_metadata="true",
            )
            for message in page.get("messages") or ():
                if self.messages.ours(message) and (found := _is_row(row, message)):
                    return found
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return None

    async def notice(self, row: Claimed) -> None:
        """Show a Text to one person: ephemerally; where we are not in the channel, as the answer to their press or
        command; else in a DM."""
        place, to = row.where, row.to
        if to is None:
            raise PlatformError("A notice without a recipient.")
        body = row.content
        shown = render.render(body, self.settings.console_url)
        cut = without_files(body, ELSEWHERE) if shown.attachments else None
        if cut is not None:
            shown = render.render(cut)
        if place.kind == "dm" and not isinstance(body, Text):  # to be kept: there it is private anyway
            await self.web.write(
                "chat.postMessage",
                channel=place.channel,
                thread_ts=place.thread,
                text=shown.text,
                blocks=shown.blocks,
                metadata=_mark(row),
            )
            return
        try:
            await self.web.write(
                "chat.postEphemeral",
                channel=place.channel,
                user=to.user,
                thread_ts=place.thread,
                text=shown.text,
                blocks=shown.blocks,
            )
        except (GoneError, SlackError) as error:
            if reason_of(error) not in NOT_THERE:
                raise
            await self._notice_elsewhere(place, to, shown)

    async def tell(self, place: Place, to: Actor, text: str) -> None:
        """Say something to one person alone, as the answer to their press or command; else in a DM."""
        await self._notice_elsewhere(place, to, render.render(Text(markdown=text)))

    async def _notice_elsewhere(self, place: Place, to: Actor, shown: render.Shown) -> None:
        url = self.presses.answer_url(place.channel, to.user)
        if url is not None:
            body = {"response_type": "ephemeral", "replace_original": False, "text": shown.text, "blocks": shown.blocks}
            async with self.web.session.post(url, json=body, proxy=self.web.proxy) as response:
                if response.status == 200:
                    return
        home = await self.direct(to)
        await self.web.write("chat.postMessage", channel=home.channel, text=shown.text, blocks=shown.blocks)

    async def publish_home(self, actor: Actor, value: Dashboard) -> None:
        """Put the dashboard on the person's page in the app's Home tab."""
        view = {"type": "home", "blocks": dashboard.shown(value, self.settings.console_url, blocks.HOME_BLOCKS)}
        await self.sessions.tried("views.publish", "home", user_id=actor.user, view=view)

    async def react(self, sign: Sign) -> None:
        """Put a reaction on a message or take it off; that it is there, or gone, already is success."""
        extra = sign.extra
        method, fine = (
            ("reactions.remove", "no_reaction") if extra.get("remove") else ("reactions.add", "already_reacted")
        )
        if not self.tier.spare(method):
            raise NoRoomError
        try:
            await self.web.repeatable(method, channel=sign.where.channel, timestamp=extra["target"], name=extra["name"])
        except SlackError as error:
            if error.reason != fine:
                raise

    async def status(self, sign: Sign) -> None:
        """Show the thread's working state; silently nothing where the workspace has no such thing."""
        place = sign.where
        if not place.thread:
            return
        thread, state = (place.channel, place.thread), sign.extra.get("state")
        if state == "processing" and not self.tier.spare(STATUS, keep=0.5):
            self._not_shown.add(thread)
            raise NoRoomError
        if state != "processing" and thread in self._not_shown:
            self._not_shown.discard(thread)
            if state == "active":
                return
        if state != "processing":  # it has to come, or the thread says for an hour that there is work
            await asyncio.sleep(self.tier.wait(STATUS))
        await self.sessions.show(place.channel, place.thread, sign.extra)

    async def upload(self, row: Claimed) -> str:
        """Post a file and return its id."""
        place, extra = await self._target(row), row.extra or {}
        return await self.files.upload(
            place.channel,
            place.thread,
            str(extra["name"]),
            outbox.file_content(extra),
            alt=str(extra.get("alt") or ""),
            comment=render.comment(str(extra.get("comment") or "")),
        )

    async def direct(self, actor: Actor) -> Place:
        """The DM with this account."""
        opened = await self.web.repeatable("conversations.open", users=actor.user)
        return Place(platform="slack", tenant=self.messages.me.team, channel=str(opened["channel"]["id"]), kind="dm")

    async def _target(self, row: Claimed) -> Place:
        """Where the row goes: its place, or the DM with whom it is for."""
        place = row.where
        if place.channel or row.to is None:
            return place
        return await self.direct(row.to)


def _mark(row: Claimed) -> dict[str, Any]:
    """By what the row's message is found."""
    return {"event_type": MARK, "event_payload": {"id": row.id}}


def _is_row(row: Claimed, message: dict[str, Any]) -> str | None:
    """The platform's id of the row if this message shows it."""
    if row.kind == outbox.FILE:
        name = (row.extra or {}).get("name")
        return next((str(file["id"]) for file in message.get("files") or () if file.get("name") == name), None)
    mark = message.get("metadata") or {}
    if isinstance(row.content, Progress) and row.where.thread and not mark and not message.get("files"):
        return str(message["ts"])  # a stream carries no mark before its first edit, and a thread has one at a time
    same = mark.get("event_type") == MARK and (mark.get("event_payload") or {}).get("id") == row.id
    return str(message["ts"]) if same else None
