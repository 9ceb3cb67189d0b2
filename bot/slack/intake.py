"""Where every payload arrives: stored first, acknowledged after, whatever it is.

It stands before Bolt's own authorisation and answers everything itself, so nothing is acknowledged by default, and
nothing that nobody handles is left for Slack to send again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse

from bot.engine.once import Once
from bot.slack.messages import Delivery
from kernel.errors import StoreError
from kernel.types import Inbound, InboundKind, Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_bolt.request.async_request import AsyncBoltRequest

    from bot.engine.adapter import Awaited, Receiver
    from bot.engine.cursors import Cursors
    from bot.slack.asks import Asks
    from bot.slack.messages import Identity, Messages
    from bot.slack.presses import Presses

Body = dict[str, Any]


log = logging.getLogger("bosun.slack")


class Intake(AsyncMiddleware):
    """Converts a payload, has it stored, and answers 200; 503, which is no acknowledgement, where it is not stored."""

    def __init__(
        self,
        *,
        me: Identity,
        messages: Messages,
        presses: Presses,
        asks: Asks,
        cursors: Cursors,
        receive: Receiver,
        awaited: Awaited,
        groups_changed: Callable[[], None],
        opened: Callable[[str], None],
        overheard: Callable[[Body, bool], Awaitable[None]],
        left_out: Callable[[int], None],
    ) -> None:
        """`left_out`: in the minute that began so many seconds after 1970, not every event is delivered."""
        self.left_out = left_out
        self.overheard = overheard
        self.me = me
        self.messages = messages
        self.presses = presses
        self.asks = asks
        self.cursors = cursors
        self.awaited = awaited
        self.groups_changed = groups_changed
        self.opened = opened  # somebody looks at the direct messages in this channel
        self._once = Once(receive)

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002
    ) -> BoltResponse:
        """Bolt's way in."""
        body = req.body
        if body.get("type") == "url_verification":
            return await next()
        if req.context.team_id != self.me.team:
            log.warning("Ignored a payload of another workspace: %s", req.context.team_id)
            return _ok()
        try:
            return await self._answer(body, redelivered="x-slack-retry-num" in req.headers)
        except StoreError as error:
            log.warning("Not acknowledged, because it could not be stored: %s", error)
            return BoltResponse(status=503, body="")

    async def _answer(self, body: Body, *, redelivered: bool) -> BoltResponse:
        kind = body.get("type")
        if kind == "event_callback":
            await self._event(body, redelivered=redelivered)
        elif kind == "app_rate_limited":
            minute = body.get("minute_rate_limited")
            log.warning("Slack leaves out events of the minute %s; the history is read now and after it.", minute)
            self.left_out(minute if isinstance(minute, int) else 0)
        elif kind == "block_actions":
            await self.accept(await self.presses.button(body))
        elif kind == "message_action":
            await self.accept(await self.presses.shortcut(body))
        elif kind == "view_submission":
            await self.accept(await self.presses.submission(body))
        elif body.get("command"):
            await self.accept(await self.asks.mention(await self.presses.command(body)))
        return _ok()

    async def _event(self, body: Body, redelivered: bool) -> None:
        event = body.get("event") or {}
        kind = event.get("type")
        if kind in {"message", "app_mention"}:
            external = bool(body.get("is_ext_shared_channel"))
            # Slack says each mention twice, as two events: the other one has been read already.
            if "subtype" in event or "edited" in event or not await self._once.knows(self.messages.key_in(event)):
                inbound = await self.messages.inbound(event, Delivery(external=external, redelivered=redelivered))
                await self.heard(event, inbound)
            if kind == "message":
                await self._overhear(event, external)
        elif kind == "reaction_added":
            await self.accept(await self._reaction(event, external=bool(body.get("is_ext_shared_channel"))))
        elif kind in {"subteam_members_changed", "subteam_updated"}:
            self.groups_changed()
        elif kind in {"app_uninstalled", "tokens_revoked"}:
            log.error(
                "Slack says %s: the app no longer works in this workspace. docs/slack.md says how to set it up.", kind
            )
        else:
            await self.accept(await self._signal(event, str(body.get("event_id") or event.get("event_ts"))))

    async def _overhear(self, event: Body, external: bool) -> None:
        """What goes wrong here is no reason for Slack to send the event again: the archive is compared later."""
        try:
            await self.overheard(event, external)
        except Exception as error:
            log.warning("A message was not kept: %r", error)

    async def _signal(self, event: Body, event_id: str) -> Inbound | None:
        """The native Stop, an invitation to a channel, a look at our messages or at the home page."""
        kind = event.get("type")
        if kind == "agent_session_stopped" and event.get("user"):
            return await self._made("stop", event, event_id, event["user"], event.get("thread_ts"))
        if kind == "member_joined_channel" and event.get("user") == self.me.user and event.get("inviter"):
            return await self._made("joined", event, event_id, event["inviter"], None)
        if kind == "app_home_opened" and event.get("tab") == "messages":
            self.opened(str(event["channel"]))
            return await self._made("opened", event, event_id, event["user"], None)
        if kind == "app_home_opened" and event.get("tab") == "home":
            return await self._made("home", event, event_id, event["user"], None)
        return None

    async def _reaction(self, event: Body, *, external: bool) -> Inbound | None:
        """Somebody put an emoji on a message; None where nobody waits for that, so that nothing is stored."""
        item = event.get("item") or {}
        user, emoji, ts = event.get("user"), str(event.get("reaction") or ""), str(item.get("ts") or "")
        if item.get("type") != "message" or not (user and ts) or user == self.me.user:
            return None
        place = self.messages.place(item, {}, external)
        if not self.awaited(place, emoji):
            return None
        return Inbound(
            key=f"{self.messages.key(place, ts)}/reaction/{emoji}/{user}/{event.get('event_ts')}",
            kind="reaction",
            place=place,
            actor=await self.messages.actor({"user": user}, deciding=True),
            message=ts,
            text=emoji,
        )

    async def _made(self, kind: InboundKind, event: Body, event_id: str, user: str, thread: str | None) -> Inbound:
        place: Place = self.messages.place(event, {"thread_ts": thread}, external=False)
        actor = await self.messages.actor({"user": user})
        key = f"{place.tenant}/{kind}/{event_id}"
        return Inbound(key=key, kind=kind, place=place, actor=actor, addressed=True)

    async def heard(self, event: Body, inbound: Inbound | None) -> None:
        """Store a message that is for us; remember that the channel was heard up to here in any case."""
        lane, ts = f"slack:{self.me.team}:{event.get('channel')}", str(event.get("ts") or "")
        try:
            await self.accept(inbound)
        except BaseException:
            self.cursors.missed(lane, ts)
            raise
        thread = inbound.place.thread or inbound.message if inbound is not None else None
        self.cursors.seen(lane, ts, thread)

    async def accept(self, inbound: Inbound | None) -> None:
        """Have the event stored, once per key. Raises StoreError."""
        if inbound is not None:
            await self._once.store(inbound)


def _ok() -> BoltResponse:
    return BoltResponse(status=200, body="")
