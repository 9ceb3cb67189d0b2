"""The server of people: members, roles, channels, threads, messages. The modules beside this one change it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kernel.clock import Clock, SystemClock

Json = dict[str, Any]

EPOCH = 1_420_070_400_000  # milliseconds; the first instant of Discord's ids
GUILD = "1100000000000000001"
ELSEWHERE = "1100000000000000002"  # another server, that nobody has asked Bosun to serve
APP = "1100000000000000002"
BOT = APP  # an app of today has its own id as its bot's
BOT_ROLE = "1100000000000000003"  # the managed role of the bot
OWNER = "1100000000000000004"
TOKEN = "fake-discord-token"

VIEW, SEND, EMBED, ATTACH, HISTORY = 1 << 10, 1 << 11, 1 << 14, 1 << 15, 1 << 16
REACT, PUBLIC_THREADS, SEND_IN_THREADS = 1 << 6, 1 << 35, 1 << 38
MANAGE_THREADS, MANAGE_MESSAGES, ADMINISTRATOR = 1 << 34, 1 << 13, 1 << 3
BASE = VIEW | SEND | EMBED | ATTACH | HISTORY | REACT | PUBLIC_THREADS | SEND_IN_THREADS

TEXT, DM, PUBLIC_THREAD, FORUM = 0, 1, 11, 15
HAS_THREAD = 1 << 5  # flag of a message
MESSAGE_CONTENT, MESSAGE_CONTENT_LIMITED = 1 << 18, 1 << 19  # flags of the application
V2, EPHEMERAL, SUPPRESS_EMBEDS = 1 << 15, 1 << 6, 1 << 2


class DiscordError(Exception):
    """What the API answers in place of a result."""

    def __init__(self, status: int, code: int, message: str, **more: object) -> None:
        super().__init__(f"{code} {message}")
        self.status = status
        self.code = code
        self.body: Json = {"message": message, "code": code, **more}


def unknown(what: str, code: int) -> DiscordError:
    """404 for something that is not there, or not for us."""
    return DiscordError(404, code, f"Unknown {what}")


@dataclass(kw_only=True)
class Member:
    """Somebody with an account, and what they are in the server."""

    id: str
    name: str
    bot: bool = False
    roles: list[str] = field(default_factory=list)
    here: bool = True  # a member of the server
    pending: bool = False  # has not accepted the server's rules yet
    takes_dms: bool = True

    def user(self) -> Json:
        """The account as the API gives it."""
        return {
            "id": self.id,
            "username": self.name.lower(),
            "global_name": self.name,
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }

    def member(self) -> Json:
        """The membership, without the account, as messages carry it."""
        return {
            "roles": list(self.roles),
            "nick": None,
            "avatar": None,
            "joined_at": "2025-01-01T00:00:00+00:00",
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": self.pending,
            "communication_disabled_until": None,
        }


@dataclass(kw_only=True)
class Channel:
    """A channel, a thread or a DM, with its messages by id, in order."""

    id: str
    name: str
    type: int = TEXT
    parent: str | None = None  # of a thread
    recipient: str | None = None  # of a DM
    owner: str | None = None  # of a thread
    archived: bool = False
    locked: bool = False
    denied: int = 0  # permissions that the bot's role lacks here
    private_to: tuple[str, ...] = ()  # roles that alone see it; none: everybody does
    messages: dict[str, Json] = field(default_factory=dict)
    typing: list[datetime] = field(default_factory=list)

    @property
    def last(self) -> str | None:
        """The id of the last message."""
        return next(reversed(self.messages), None)


class World:
    """Everything that the server holds."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.app_flags = MESSAGE_CONTENT_LIMITED
        self.members: dict[str, Member] = {}
        self.roles: dict[str, Json] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, bytes] = {}
        self.commands: list[Json] = []
        self.command_syncs = 0
        self.nonces: dict[tuple[str, str], tuple[str, float]] = {}  # channel, nonce -> message, seconds
        self.counts: Counter[str] = Counter()
        self._last = 0
        self.add_role(GUILD, "@everyone", 0)
        self.add_role(BOT_ROLE, "Bosun", BASE, tags={"bot_id": BOT})
        self.add_member(BOT, "Bosun", bot=True, roles=[BOT_ROLE])
        self.add_member(OWNER, "Owner")

    # -- ids and time -----------------------------------------------------------------------------

    def now(self) -> float:
        """The time, in seconds since 1970."""
        return self.clock.now().timestamp()

    def next_id(self) -> str:
        """A snowflake, later than every one before."""
        made = max((int(self.now() * 1000) - EPOCH) << 22, self._last + 1)
        self._last = made
        return str(made)

    def stamp(self) -> str:
        """The time as messages carry it."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat()

    # -- furnishing -------------------------------------------------------------------------------

    def add_role(self, role: str, name: str, permissions: int = 0, **more: object) -> Json:
        """A role of the server."""
        self.roles[role] = {
            "id": role,
            "name": name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "position": len(self.roles),
            "permissions": str(permissions),
            "managed": "tags" in more,
            "mentionable": False,
            "flags": 0,
            **more,
        }
        return self.roles[role]

    def add_member(
        self, user: str, name: str, *, bot: bool = False, roles: list[str] | None = None, here: bool = True
    ) -> Member:
        """Somebody with an account."""
        self.members[user] = Member(id=user, name=name, bot=bot, roles=roles or [], here=here)
        return self.members[user]

    def add_channel(self, channel: str, name: str, *, kind: int = TEXT) -> Channel:
        """A channel that everybody sees."""
        self.channels[channel] = Channel(id=channel, name=name, type=kind)
        return self.channels[channel]

    def add_thread(self, parent: str, name: str, owner: str, thread: str | None = None) -> Channel:
        """A public thread; of a message where `thread` is the message's id."""
        made = Channel(id=thread or self.next_id(), name=name, type=PUBLIC_THREAD, parent=parent, owner=owner)
        self.channels[made.id] = made
        root = self.channels[parent].messages.get(made.id)
        if root is not None:
            root["flags"] |= HAS_THREAD
        return made

    def dm(self, user: str) -> Channel:
        """The DM of the bot with a person."""
        found = next((channel for channel in self.channels.values() if channel.recipient == user), None)
        if found is None:
            found = Channel(id=self.next_id(), name="", type=DM, recipient=user)
            self.channels[found.id] = found
        return found

    # -- permissions ------------------------------------------------------------------------------

    def permissions(self, channel: Channel) -> int:
        """What the bot may do there."""
        if channel.type == DM:
            return BASE
        place = self.channels[channel.parent] if channel.parent else channel
        everyone = int(self.roles[GUILD]["permissions"])
        mine = [int(self.roles[role]["permissions"]) for role in self.members[BOT].roles]
        may = everyone
        for one in mine:
            may |= one
        return may & ~place.denied

    def seen(self, wanted: str) -> Channel:
        """The channel, as far as the bot can see it."""
        channel = self.channels.get(wanted)
        if channel is None:
            raise unknown("Channel", 10003)
        if not self.permissions(channel) & VIEW:
            raise DiscordError(403, 50001, "Missing Access")
        return channel

    def need(self, channel: Channel, *permissions: int) -> None:
        """403 where the bot lacks one of the permissions."""
        may = self.permissions(channel)
        if any(not may & one for one in permissions):
            raise DiscordError(403, 50013, "Missing Permissions")

    # -- what the API shows -----------------------------------------------------------------------

    def shown_channel(self, channel: Channel) -> Json:
        """A channel as the API gives it."""
        if channel.type == DM:
            recipient = self.members[channel.recipient or ""].user()
            return {"id": channel.id, "type": DM, "last_message_id": channel.last, "recipients": [recipient]}
        shown: Json = {
            "id": channel.id,
            "type": channel.type,
            "guild_id": GUILD,
            "name": channel.name,
            "last_message_id": channel.last,
            "parent_id": channel.parent,
            "rate_limit_per_user": 0,
        }
        if channel.parent:
            return shown | {
                "owner_id": channel.owner,
                "message_count": len(channel.messages),
                "member_count": 1,
                "thread_metadata": {
                    "archived": channel.archived,
                    "auto_archive_duration": 1440,
                    "archive_timestamp": "2025-01-01T00:00:00+00:00",
                    "locked": channel.locked,
                },
            }
        denied = [{"id": BOT_ROLE, "type": 0, "allow": "0", "deny": str(channel.denied)}] if channel.denied else []
        if channel.private_to:
            seen = [{"id": role, "type": 0, "allow": str(VIEW), "deny": "0"} for role in channel.private_to]
            denied += [{"id": GUILD, "type": 0, "allow": "0", "deny": str(VIEW)}, *seen]
        return shown | {"position": 0, "topic": None, "nsfw": False, "permission_overwrites": denied}

    def shown_guild(self) -> Json:
        """The server as GUILD_CREATE and GET /guilds give it."""
        return {
            "id": GUILD,
            "name": "Work",
            "icon": None,
            "owner_id": OWNER,
            "roles": list(self.roles.values()),
            "emojis": [],
            "stickers": [],
            "features": [],
            "afk_timeout": 300,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "preferred_locale": "en-US",
            "premium_tier": 0,
            "system_channel_flags": 0,
            "verification_level": 0,
        }

    def shown_message(self, message: Json, *, whole: bool = True) -> Json:
        """A message as the app may read it: without the content intent, only what is addressed to it."""
        shown = {name: value for name, value in message.items() if name != "nonce"}
        if not whole and not self._for_app(message):
            shown |= {"content": "", "embeds": [], "attachments": [], "components": []}
        return shown

    def _for_app(self, message: Json) -> bool:
        channel = self.channels.get(message["channel_id"])
        mentioned = any(user["id"] == BOT for user in message["mentions"])
        return mentioned or message["author"]["id"] == BOT or (channel is not None and channel.type == DM)

    @property
    def reads_content(self) -> bool:
        """The operator has switched the message content intent on."""
        return bool(self.app_flags & (MESSAGE_CONTENT | MESSAGE_CONTENT_LIMITED))
