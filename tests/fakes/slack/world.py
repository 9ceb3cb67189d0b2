"""The workspace: people, channels, messages, files. What happens to it stands in the modules beside this one."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from kernel.clock import Clock, SystemClock

Json = dict[str, Any]

TEAM = "T0WORK"
APP = "A0BOSUN"
BOT = "U0BOSUN"  # the bot's user
BOT_ID = "B0BOSUN"
BOT_TOKEN = "xoxb-fake"
APP_TOKEN = "xapp-fake"
SIGNING_SECRET = "fake-signing-secret"

SCOPES = """
    app_mentions:read assistant:write chat:write commands im:history im:read im:write channels:history channels:read
    groups:history groups:read mpim:history mpim:read users:read usergroups:read files:read files:write reactions:write
    reactions:read
"""


@dataclass(kw_only=True)
class User:
    """An account."""

    id: str
    name: str
    team: str = TEAM
    bot: bool = False
    guest: bool = False
    deleted: bool = False

    def public(self) -> Json:
        """The user as users.info gives it."""
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name.lower(),
            "deleted": self.deleted,
            "real_name": self.name,
            "profile": {"real_name": self.name, "display_name": self.name},
            "is_bot": self.bot,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "is_stranger": self.team != TEAM,
        }


@dataclass(kw_only=True)
class Channel:
    """A conversation with its messages by timestamp, in order."""

    id: str
    name: str
    kind: str = "channel"  # channel, group (private), im, mpim
    members: set[str] = field(default_factory=set)
    archived: bool = False
    shared: bool = False  # Slack Connect
    messages: dict[str, Json] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)  # root -> replies


@dataclass(kw_only=True)
class Dialog:
    """A modal that somebody has open."""

    id: str
    user: str
    view: Json


class SlackError(Exception):
    """What the API answers instead of a result."""

    def __init__(self, code: str, **more: object) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


class World:
    """Everything that the workspace holds."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.skew = 0.0  # seconds that Slack's own clock is ahead: triggers age by it
        self.scopes = set(SCOPES.split())
        self.agent_features = True
        self.stream_life = 300.0  # seconds after which a stream is closed
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, list[str]] = {}
        self.ephemerals: list[Json] = []
        self.statuses: dict[tuple[str, str], list[str]] = {}
        self.titles: dict[tuple[str, str], str] = {}  # of sessions, by channel and thread
        self.prompts: dict[str, list[Json]] = {}  # suggested, by DM
        self.files: dict[str, Json] = {}
        self.pages: dict[str, Json] = {}  # user -> what their Home tab shows
        self.dialogs: dict[str, Dialog] = {}
        self.triggers: dict[str, tuple[str, float]] = {}  # id -> user, time
        self.counts: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        self._last = 0
        self.add_user(BOT, "Bosun", bot=True)

    def now(self) -> float:
        """Slack's time, in seconds since 1970."""
        return self.clock.now().timestamp() + self.skew

    def next_id(self, prefix: str) -> str:
        """An id that was not there before."""
        return f"{prefix}{next(self._numbers):06d}"

    def next_ts(self) -> str:
        """A message timestamp: later than every one before."""
        micros = max(int(self.now() * 1_000_000), self._last + 1)
        self._last = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def add_user(self, user: str, name: str, *, team: str = TEAM, bot: bool = False, guest: bool = False) -> User:
        """Somebody joins the workspace, or becomes known through a shared channel."""
        self.users[user] = User(id=user, name=name, team=team, bot=bot, guest=guest)
        return self.users[user]

    def add_channel(
        self, channel: str, name: str, *members: str, kind: str = "channel", shared: bool = False
    ) -> Channel:
        """A channel with the bot in it."""
        self.channels[channel] = Channel(id=channel, name=name, kind=kind, members={BOT, *members}, shared=shared)
        return self.channels[channel]

    def dm(self, user: str) -> Channel:
        """The DM of the bot with a person."""
        found = self.channels.get(f"D{user}")
        return found or self.add_channel(f"D{user}", "directmessage", user, kind="im")

    def channel(self, wanted: str) -> Channel:
        """The channel, as far as the bot can see it."""
        channel = self.channels.get(wanted)
        if channel is None or (BOT not in channel.members and channel.kind != "channel"):
            raise SlackError("channel_not_found")
        return channel

    def store(self, channel: Channel, message: Json) -> Json:
        """Add a message to a channel, and to its thread."""
        thread = message.get("thread_ts")
        if thread is not None and thread != message["ts"]:
            if thread not in channel.messages:
                raise SlackError("thread_not_found")
            channel.threads.setdefault(thread, []).append(message["ts"])
        channel.messages[message["ts"]] = message
        return message

    def new_trigger(self, user: str) -> str:
        """What a press or a command gives to open a dialog with, for three seconds."""
        trigger = f"{self.next_id('')}.1.{user}"
        self.triggers[trigger] = (user, self.now())
        if len(self.triggers) > 1000:
            del self.triggers[next(iter(self.triggers))]
        return trigger
