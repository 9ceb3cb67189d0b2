"""Messages, their edits and deletions as neutral events; what is not for us is dropped here, before it is stored."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from bot.slack import markup
from kernel.types import Actor, FileRef, Frozen, Inbound, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.slack.people import People

Event = dict[str, Any]
Kind = Literal["dm", "channel", "group"]
Engaged = Callable[[Place, str], bool | Awaitable[bool]]  # whether a message there is for us without a mention

SPOKEN = frozenset({None, "", "file_share", "thread_broadcast", "me_message", "bot_message"})
KINDS: dict[str, Kind] = {"im": "dm", "mpim": "group", "channel": "channel", "group": "channel", "app_home": "dm"}


class Identity(Frozen):
    """Who we are in the workspace, from auth.test."""

    team: str
    user: str  # our own user id
    bot: str = ""  # our own bot id
    url: str = ""  # https://WORKSPACE.slack.com/


class Delivery(Frozen):
    """How a message reached us."""

    external: bool = False  # from a channel that outsiders can read
    redelivered: bool = False
    caught_up: bool = False


class Messages:
    """Turns message events of one workspace into `Inbound`."""

    def __init__(self, me: Identity, people: People, engaged: Engaged, bots: frozenset[str]) -> None:
        self.me = me
        self.people = people
        self.engaged = engaged
        self.bots = bots

    async def inbound(self, event: Event, how: Delivery) -> Inbound | None:
        """The event as an `Inbound`, or None where it is not for us."""
        subtype = event.get("subtype")
        if subtype == "message_changed":
            return await self._changed(event, how)
        if subtype == "message_deleted":
            return await self._deleted(event, event.get("previous_message") or {}, how)
        if subtype not in SPOKEN or not event.get("ts"):
            return None
        if event.get("type") == "app_mention" and event.get("edited"):
            return await self._edited(event, event, how, was_for_us=True)
        place = self.place(event, event, how.external)
        if self._silent(event) or not await self._for_us(event, place):
            return None
        kind: Literal["mention", "message"] = "mention" if self.mentions_us(event) else "message"
        return await self._made(event, place, kind, key=self.key(place, event["ts"]), how=how)

    def key(self, place: Place, ts: str) -> str:
        """The platform's identity of a message: the same for every event about it."""
        return f"{place.tenant}/{place.channel}/{ts}"

    def key_in(self, event: Event) -> str:
        """The same of the message that an event brings."""
        return f"{self.me.team}/{event.get('channel')}/{event.get('ts')}"

    def place(self, event: Event, message: Event, external: bool) -> Place:
        """Where a message stands; a thread's root stands at the top level."""
        channel, thread = str(event["channel"]), message.get("thread_ts")
        fallback: Kind = "dm" if channel.startswith("D") else "channel"
        return Place(
            platform="slack",
            tenant=self.me.team,
            channel=channel,
            thread=thread if thread and thread != message.get("ts") else None,
            kind=KINDS.get(event.get("channel_type") or "", fallback),
            external=external,
        )

    def ours(self, message: Mapping[str, Any]) -> bool:
        """Whether we said it ourselves."""
        return message.get("user") == self.me.user or bool(self.me.bot and message.get("bot_id") == self.me.bot)

    def _silent(self, message: Event) -> bool:
        """Ours, a system message, or a bot's that is not allowed or does not mention us."""
        user, bot = message.get("user"), message.get("bot_id")
        if self.ours(message) or user == "USLACKBOT" or not (user or bot):
            return True
        if bot or message.get("subtype") == "bot_message":
            return not ({user, bot} & self.bots and self.mentions_us(message))
        return False

    def mentions_us(self, message: Event) -> bool:
        """Whether it is said to us."""
        return message.get("type") == "app_mention" or self.me.user in markup.mentioned(str(message.get("text") or ""))

    async def _for_us(self, message: Event, place: Place) -> bool:
        if place.kind == "dm" or self.mentions_us(message):
            return True
        answer = self.engaged(place, str(message.get("text") or ""))
        return await answer if inspect.isawaitable(answer) else answer

    async def _changed(self, event: Event, how: Delivery) -> Inbound | None:
        message, before = event.get("message") or {}, event.get("previous_message") or {}
        if message.get("subtype") == "tombstone":
            return await self._deleted(event, before, how)
        if message.get("text") == before.get("text") or not message.get("ts"):
            return None  # a preview was added, or a reply
        return await self._edited(event, message, how, was_for_us=self.mentions_us(before))

    async def _edited(self, event: Event, message: Event, how: Delivery, *, was_for_us: bool) -> Inbound | None:
        place = self.place(event, message, how.external)
        if self._silent(message) or message.get("bot_id"):
            return None
        if not (was_for_us or await self._for_us(message, place)):
            return None
        at = (message.get("edited") or {}).get("ts") or event.get("event_ts") or ""
        return await self._made(
            message, place, "edit", key=f"{self.key(place, message['ts'])}/edit/{at}", how=how, at=at
        )

    async def _deleted(self, event: Event, message: Event, how: Delivery) -> Inbound | None:
        ts = event.get("deleted_ts") or message.get("ts")
        if not ts or self._silent(message) or message.get("bot_id"):
            return None
        place = self.place(event, message, how.external)
        if not await self._for_us(message, place):
            return None
        gone = {**message, "ts": ts, "text": "", "files": ()}
        at = event.get("event_ts") or ts
        return await self._made(gone, place, "delete", key=f"{self.key(place, ts)}/delete", how=how, at=at)

    async def _made(
        self,
        message: Event,
        place: Place,
        kind: Literal["mention", "message", "edit", "delete"],
        *,
        key: str,
        how: Delivery,
        at: str = "",
    ) -> Inbound:
        return Inbound(
            key=key,
            kind=kind,
            place=place,
            actor=await self.actor(message),
            message=message["ts"],
            text=await self.text(message),
            addressed=place.kind == "dm" or self.mentions_us(message),
            opens_with_other=markup.opens_with_other(str(message.get("text") or ""), self.me.user),
            files=files(message),
            sent_at=moment(at or message["ts"]),
            redelivered=how.redelivered,
            caught_up=how.caught_up,
        )

    async def actor(self, message: Mapping[str, Any], *, deciding: bool = False) -> Actor:
        """Who said it. A message with a bot's id is a bot's, whatever account it carries."""
        user, bot = str(message.get("user") or ""), str(message.get("bot_id") or "")
        if bot:
            profile = message.get("bot_profile") or {}
            name = str(message.get("username") or profile.get("name") or bot)
            return Actor(platform="slack", tenant=self.me.team, user=user or bot, name=name, is_bot=True)
        home = str(message.get("user_team") or message.get("team") or "")
        return await self.people.actor(user, home, deciding=deciding)

    async def text(self, message: Mapping[str, Any]) -> str:
        """What the message says, as Markdown with readable names."""
        raw = markup.said(message) if message.get("bot_id") else str(message.get("text") or "")
        users = [user for user in markup.mentioned(raw) if user != self.me.user]
        channels = markup.unnamed_channels(raw)
        names = await self.people.names(users, channels) if users or channels else {}
        return markup.to_markdown(raw, self.me.user, names)


def files(message: Mapping[str, Any]) -> tuple[FileRef, ...]:
    """The files of a message that still exist."""
    return tuple(
        FileRef(
            id=str(file["id"]),
            name=str(file.get("name") or file.get("title") or file["id"]),
            media_type=str(file.get("mimetype") or "application/octet-stream"),
            size=int(file.get("size") or 0),
            url=str(file.get("url_private_download") or file.get("url_private") or ""),
        )
        for file in message.get("files") or ()
        if file.get("id") and file.get("mode") not in {"tombstone", "hidden_by_limit"}
    )


def moment(ts: str | None) -> datetime | None:
    """The time in a Slack timestamp."""
    try:
        seconds, _, micros = str(ts).partition(".")
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int((micros or "0")[:6].ljust(6, "0")))
    except (ValueError, OverflowError, OSError):
        return None
