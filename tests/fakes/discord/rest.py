"""The routes of the REST API: what each needs, checks and does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.discord import checks, threads
from tests.fakes.discord.world import (
    APP,
    ATTACH,
    BOT,
    DM,
    FORUM,
    GUILD,
    HISTORY,
    REACT,
    SEND,
    SEND_IN_THREADS,
    V2,
    VIEW,
    Channel,
    DiscordError,
    Json,
    World,
    unknown,
)

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

NONCE_FOR = 180.0  # seconds; "the past few minutes"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A call, its path taken apart."""

    path: dict[str, str]
    query: dict[str, str]
    body: Json
    files: dict[str, bytes]


Handler = Callable[["FakeDiscord", Request], object]


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method and path, and who answers."""

    method: str
    pattern: re.Pattern[str]
    operation: str
    run: Handler
    open: bool = False  # needs no bot token: the path has one of its own


ROUTES: list[Route] = []


def route(method: str, path: str, operation: str, *, open: bool = False) -> Callable[[Handler], Handler]:  # noqa: A002
    """Register a route; {name} is a part of the path."""

    def register(run: Handler) -> Handler:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.replace("@", "@")) + r"\Z")
        ROUTES.append(Route(method=method, pattern=pattern, operation=operation, run=run, open=open))
        return run

    return register


# -- who we are -----------------------------------------------------------------------------------


@route("GET", "/users/@me", "me")
def _me(discord: FakeDiscord, request: Request) -> Json:
    return discord.world.members[BOT].user() | {"verified": True, "mfa_enabled": False, "locale": "en-US", "flags": 0}


@route("GET", "/oauth2/applications/@me", "application")
def _application(discord: FakeDiscord, request: Request) -> Json:
    return {
        "id": APP,
        "name": "Bosun",
        "icon": None,
        "description": "",
        "rpc_origins": [],
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": discord.world.app_flags,
        "owner": discord.world.members[BOT].user(),
        "team": None,
        "approximate_guild_count": 1,
    }


@route("GET", "/users/@me/guilds", "guilds")
def _guilds(discord: FakeDiscord, request: Request) -> object:
    guild = discord.world.shown_guild()
    permissions = str(sum({int(role["permissions"]) for role in discord.world.roles.values()}))
    found = [{**{name: guild[name] for name in ("id", "name", "icon", "features")}, "owner": False}]
    found[0]["permissions"] = permissions
    return found if discord.in_guild else []


@route("GET", "/guilds/{guild}", "guild")
def _guild(discord: FakeDiscord, request: Request) -> Json:
    _known(discord, request)
    return discord.world.shown_guild()


@route("GET", "/guilds/{guild}/channels", "channels")
def _channels(discord: FakeDiscord, request: Request) -> object:
    _known(discord, request)
    return [
        discord.world.shown_channel(one) for one in discord.world.channels.values() if not one.parent and one.type != DM
    ]


@route("GET", "/guilds/{guild}/members/{user}", "member")
def _member(discord: FakeDiscord, request: Request) -> Json:
    _known(discord, request)
    member = discord.world.members.get(request.path["user"])
    if member is None:
        raise unknown("User", 10013)
    if not member.here:
        raise unknown("Member", 10007)
    return {**member.member(), "user": member.user()}


@route("GET", "/guilds/{guild}/threads/active", "active_threads")
def _active(discord: FakeDiscord, request: Request) -> Json:
    _known(discord, request)
    world = discord.world
    found = [
        one for one in world.channels.values() if one.parent and not one.archived and world.permissions(one) & VIEW
    ]
    return {"threads": [world.shown_channel(one) for one in found], "members": []}


def _known(discord: FakeDiscord, request: Request) -> None:
    if request.path["guild"] != GUILD or not discord.in_guild:
        raise unknown("Guild", 10004)


# -- channels and messages ------------------------------------------------------------------------


@route("GET", "/channels/{channel}", "channel")
def _channel(discord: FakeDiscord, request: Request) -> Json:
    return discord.world.shown_channel(discord.world.seen(request.path["channel"]))


@route("POST", "/users/@me/channels", "open_dm")
def _open_dm(discord: FakeDiscord, request: Request) -> Json:
    member = discord.world.members.get(str(request.body.get("recipient_id")))
    if member is None or member.bot:
        raise DiscordError(400, 50035, "Invalid Recipient(s)")
    return discord.world.shown_channel(discord.world.dm(member.id))


@route("POST", "/channels/{channel}/typing", "typing")
def _typing(discord: FakeDiscord, request: Request) -> None:
    channel = _writable(discord.world, request)
    channel.typing.append(discord.world.clock.now())


@route("POST", "/channels/{channel}/messages", "post")
def _post(discord: FakeDiscord, request: Request) -> Json:
    world, body = discord.world, request.body
    channel = _writable(world, request)
    if request.files:
        world.need(channel, ATTACH)
    checks.check_message(body, request.files)
    nonce = str(body.get("nonce") or "")
    if nonce and body.get("enforce_nonce"):
        known = world.nonces.get((channel.id, nonce))
        if known is not None and world.now() - known[1] < NONCE_FOR:
            if known[0] not in channel.messages:
                raise unknown("Message", 10008)
            return world.shown_message(channel.messages[known[0]])
    message = discord.make_message(channel, BOT, str(body.get("content") or ""), body, request.files)
    reference = body.get("message_reference")
    if reference:
        if str(reference["message_id"]) not in channel.messages and reference.get("fail_if_not_exists", True):
            raise DiscordError(400, 50035, "Invalid Form Body", errors={"message_reference": "Unknown message"})
        answered = {"message_id": str(reference["message_id"]), "channel_id": channel.id}
        message |= {"message_reference": answered, "type": 19}
    if nonce:
        world.nonces[channel.id, nonce] = (message["id"], world.now())
    channel.archived = False
    discord.say_created(channel, message, nonce)
    return {**world.shown_message(message), "nonce": nonce}


@route("PATCH", "/channels/{channel}/messages/{message}", "edit")
def _edit(discord: FakeDiscord, request: Request) -> Json:
    channel = _writable(discord.world, request)
    message = _message(channel, request)
    if message["author"]["id"] != BOT:
        raise DiscordError(403, 50005, "Cannot edit a message authored by another user")
    checks.check_message(request.body, request.files, edited=message)
    discord.change_message(message, request.body, request.files)
    return discord.world.shown_message(message)


@route("DELETE", "/channels/{channel}/messages/{message}", "delete")
def _delete(discord: FakeDiscord, request: Request) -> None:
    channel = discord.world.seen(request.path["channel"])
    message = _message(channel, request)
    if message["author"]["id"] != BOT:
        raise DiscordError(403, 50013, "Missing Permissions")
    del channel.messages[message["id"]]


@route("GET", "/channels/{channel}/messages/{message}", "get_message")
def _get(discord: FakeDiscord, request: Request) -> Json:
    channel = _readable(discord.world, request)
    return discord.world.shown_message(_message(channel, request), whole=discord.world.reads_content)


@route("GET", "/channels/{channel}/messages", "history")
def _history(discord: FakeDiscord, request: Request) -> object:
    channel = _readable(discord.world, request)
    limit = int(request.query.get("limit", "50"))
    checks.require(1 <= limit <= 100, "limit", "int value should be between 1 and 100.")
    after, before = int(request.query.get("after", "0")), int(request.query.get("before", str(1 << 63)))
    found = [message for message in channel.messages.values() if after < int(message["id"]) < before]
    page = found[:limit] if "after" in request.query else found[-limit:]
    whole = discord.world.reads_content
    return [discord.world.shown_message(message, whole=whole) for message in reversed(page)]


@route("PUT", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me", "react")
def _react(discord: FakeDiscord, request: Request) -> None:
    channel = _readable(discord.world, request)
    discord.world.need(channel, REACT)
    signs = _message(channel, request).setdefault("signs", [])
    if request.path["emoji"] not in signs:
        signs.append(request.path["emoji"])


@route("DELETE", "/channels/{channel}/messages/{message}/reactions/{emoji}/@me", "unreact")
def _unreact(discord: FakeDiscord, request: Request) -> None:
    channel = _readable(discord.world, request)
    signs = _message(channel, request).setdefault("signs", [])
    if request.path["emoji"] not in signs:
        raise unknown("Emoji", 10014)
    signs.remove(request.path["emoji"])


@route("POST", "/channels/{channel}/messages/{message}/threads", "thread")
def _thread(discord: FakeDiscord, request: Request) -> Json:
    channel = _readable(discord.world, request)
    return threads.of_message(discord, channel, _message(channel, request), request.body)


@route("PATCH", "/channels/{channel}", "change_channel")
def _change(discord: FakeDiscord, request: Request) -> Json:
    return threads.change(discord, discord.world.seen(request.path["channel"]), request.body)


def _readable(world: World, request: Request) -> Channel:
    channel = world.seen(request.path["channel"])
    world.need(channel, HISTORY)
    return channel


def _writable(world: World, request: Request) -> Channel:
    channel = world.seen(request.path["channel"])
    if channel.type == FORUM:
        raise DiscordError(400, 50008, "Cannot send messages in a non-text channel")
    if channel.type == DM and not world.members[channel.recipient or ""].takes_dms:
        raise DiscordError(403, 50007, "Cannot send messages to this user")
    world.need(channel, SEND_IN_THREADS if channel.parent else SEND)
    if channel.locked:
        raise DiscordError(400, 50083, "Thread is archived")
    return channel


def _message(channel: Channel, request: Request) -> Json:
    message = channel.messages.get(request.path["message"])
    if message is None:
        raise unknown("Message", 10008)
    return message


# -- commands -------------------------------------------------------------------------------------


@route("GET", "/applications/{app}/commands", "commands")
def _commands(discord: FakeDiscord, request: Request) -> object:
    return discord.world.commands


@route("PUT", "/applications/{app}/commands", "sync_commands")
def _sync(discord: FakeDiscord, request: Request) -> object:
    wanted = request.body["list"]
    checks.check_commands(wanted)
    discord.world.command_syncs += 1
    discord.world.commands = [
        {
            "id": discord.world.next_id(),
            "application_id": APP,
            "version": "1",
            "type": 1,
            "description": "",  # as in the menu of a message, where it cannot be seen
            "default_member_permissions": None,
        }
        | command
        for command in wanted
    ]
    return discord.world.commands


# -- interactions ---------------------------------------------------------------------------------


@route("POST", "/interactions/{interaction}/{token}/callback", "callback", open=True)
def _callback(discord: FakeDiscord, request: Request) -> object:
    return discord.interactions.answer(request.path["interaction"], request.path["token"], request.body, request.files)


@route("POST", "/webhooks/{app}/{token}", "followup", open=True)
def _followup(discord: FakeDiscord, request: Request) -> Json:
    return discord.interactions.followup(request.path["token"], request.body, request.files)


@route("GET", "/webhooks/{app}/{token}/messages/@original", "original", open=True)
def _original(discord: FakeDiscord, request: Request) -> Json:
    return discord.interactions.original(request.path["token"])


@route("PATCH", "/webhooks/{app}/{token}/messages/@original", "edit_original", open=True)
def _edit_original(discord: FakeDiscord, request: Request) -> Json:
    message = discord.interactions.original(request.path["token"])
    checks.check_message(request.body, request.files, edited=message)
    discord.change_message(message, request.body, request.files)
    return message


def is_v2(message: Json) -> bool:
    """Whether it is a message of components only."""
    return bool(message["flags"] & V2)
