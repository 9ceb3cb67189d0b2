"""The methods of the Web API: what each needs, checks and does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.slack import blocks, streams
from tests.fakes.slack.world import APP, BOT, BOT_ID, TEAM, Channel, Dialog, Json, SlackError, World

if TYPE_CHECKING:
    from tests.fakes.slack.server import FakeSlack


@dataclass(frozen=True)
class Method:
    """One method: any of `scopes` will do."""

    run: Callable[[FakeSlack, Json], Json]
    scopes: tuple[str, ...] = ()
    token: str = "bot"


METHODS: dict[str, Method] = {}


def method(name: str, *scopes: str, token: str = "bot") -> Callable[[Callable[[FakeSlack, Json], Json]], None]:
    """Register a method."""

    def register(run: Callable[[FakeSlack, Json], Json]) -> None:
        METHODS[name] = Method(run, scopes, token)

    return register


READ_CHANNELS = ("channels:read", "groups:read", "im:read", "mpim:read")
READ_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


@method("auth.test")
def _auth_test(slack: FakeSlack, args: Json) -> Json:
    return {
        "url": "https://work.slack.com/",
        "team": "Work",
        "user": "bosun",
        "team_id": TEAM,
        "user_id": BOT,
        "bot_id": BOT_ID,
    }


@method("apps.connections.open", token="app")
def _connections_open(slack: FakeSlack, args: Json) -> Json:
    return {"url": slack.sockets.new_address()}


@method("chat.postMessage", "chat:write")
def _post(slack: FakeSlack, args: Json) -> Json:
    channel = _writable(slack.world, args)
    blocks.check_message(args.get("blocks"), args.get("text"))
    message = _own_message(slack.world, args)
    slack.world.store(channel, message)
    return {"channel": channel.id, "ts": message["ts"], "message": message}


@method("chat.update", "chat:write")
def _update(slack: FakeSlack, args: Json) -> Json:
    channel = _writable(slack.world, args)
    message = channel.messages.get(args.get("ts", ""))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_update_message")
    if streams.is_open(slack.world, message):
        raise SlackError("streaming_state_conflict")
    message.pop("stream", None)
    blocks.check_message(args.get("blocks"), args.get("text"))
    message.update({name: args[name] for name in ("text", "blocks", "metadata") if name in args})
    message["edited"] = {"user": BOT, "ts": slack.world.next_ts()}
    slack.world.counts[f"edits {message['ts']}"] += 1
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"]}


@method("chat.postEphemeral", "chat:write")
def _ephemeral(slack: FakeSlack, args: Json) -> Json:
    channel = _writable(slack.world, args)
    blocks.check_message(args.get("blocks"), args.get("text"))
    if args.get("user") not in channel.members:
        raise SlackError("user_not_in_channel")
    shown = {**_own_message(slack.world, args), "channel": channel.id, "to": args["user"]}
    slack.world.ephemerals.append(shown)
    return {"message_ts": shown["ts"]}


@method("chat.delete", "chat:write")
def _delete(slack: FakeSlack, args: Json) -> Json:
    channel = _writable(slack.world, args)
    message = channel.messages.get(args.get("ts", ""))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_delete_message")
    del channel.messages[message["ts"]]
    return {"channel": channel.id, "ts": message["ts"]}


@method("reactions.add", "reactions:write")
def _react(slack: FakeSlack, args: Json) -> Json:
    names = _reactions(slack.world, args)
    if args["name"] in names:
        raise SlackError("already_reacted")
    names.append(args["name"])
    return {}


@method("reactions.remove", "reactions:write")
def _unreact(slack: FakeSlack, args: Json) -> Json:
    names = _reactions(slack.world, args)
    if args["name"] not in names:
        raise SlackError("no_reaction")
    names.remove(args["name"])
    return {}


@method("conversations.replies", *READ_HISTORY)
def _replies(slack: FakeSlack, args: Json) -> Json:
    channel = _readable(slack.world, args)
    root = args.get("ts", "")
    if root not in channel.messages:
        raise SlackError("thread_not_found")
    oldest = str(args.get("oldest") or "")
    replies = [channel.messages[ts] for ts in channel.threads.get(root, []) if ts in channel.messages and ts > oldest]
    return _page(channel, [channel.messages[root], *replies], args)


@method("conversations.history", *READ_HISTORY)
def _history(slack: FakeSlack, args: Json) -> Json:
    channel = _readable(slack.world, args)
    oldest = str(args.get("oldest") or "")
    top = [
        message
        for message in channel.messages.values()
        if message["ts"] > oldest and message.get("thread_ts", message["ts"]) == message["ts"]
    ]
    return _page(channel, sorted(top, key=lambda message: str(message["ts"]), reverse=True), args)


@method("conversations.info", *READ_CHANNELS)
def _info(slack: FakeSlack, args: Json) -> Json:
    channel = slack.world.channel(args.get("channel", ""))
    kind = channel.kind
    return {
        "channel": {
            "id": channel.id,
            "name": channel.name,
            "is_im": kind == "im",
            "is_mpim": kind == "mpim",
            "is_archived": channel.archived,
            "is_ext_shared": channel.shared,
            "is_member": BOT in channel.members,
        }
    }


@method("conversations.open", "im:write", "mpim:write")
def _open(slack: FakeSlack, args: Json) -> Json:
    user = slack.world.users.get(str(args.get("users", "")))
    if user is None:
        raise SlackError("user_not_found")
    if user.bot:
        raise SlackError("cannot_dm_bot")
    return {"channel": {"id": slack.world.dm(user.id).id}}


@method("conversations.members", *READ_CHANNELS)
def _members(slack: FakeSlack, args: Json) -> Json:
    return {"members": sorted(slack.world.channel(args.get("channel", "")).members)}


@method("conversations.join", "channels:join")
def _join(slack: FakeSlack, args: Json) -> Json:
    channel = slack.world.channel(args.get("channel", ""))
    channel.members.add(BOT)
    return {"channel": {"id": channel.id}}


@method("users.info", "users:read")
def _user(slack: FakeSlack, args: Json) -> Json:
    user = slack.world.users.get(str(args.get("user", "")))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user.public()}


@method("usergroups.users.list", "usergroups:read")
def _group(slack: FakeSlack, args: Json) -> Json:
    members = slack.world.groups.get(str(args.get("usergroup", "")))
    if members is None:
        raise SlackError("no_such_subteam")
    return {"users": list(members)}


@method("views.open")
def _view(slack: FakeSlack, args: Json) -> Json:
    trigger, view = str(args.get("trigger_id", "")), args.get("view") or {}
    user, made = slack.world.triggers.get(trigger, ("", -1.0))
    if made < 0:
        raise SlackError("invalid_trigger_id")
    if not user:
        raise SlackError("exchanged_trigger_id")
    if slack.world.now() - made > 3:
        raise SlackError("expired_trigger_id")
    blocks.check_view(view)
    slack.world.triggers[trigger] = ("", made)
    dialog = Dialog(id=slack.world.next_id("V"), user=user, view=view)
    slack.world.dialogs[dialog.id] = dialog
    return {"view": {"id": dialog.id, "team_id": TEAM, "app_id": APP, **view}}


@method("views.publish")
def _publish(slack: FakeSlack, args: Json) -> Json:
    user, view = str(args.get("user_id", "")), args.get("view") or {}
    if user not in slack.world.users:
        raise SlackError("user_not_found")
    blocks.check_home(view)
    slack.world.pages[user] = view
    return {"view": {"id": f"V{user}", "team_id": TEAM, "app_id": APP, **view}}


@method("chat.startStream", "chat:write")
def _start_stream(slack: FakeSlack, args: Json) -> Json:
    if not slack.world.agent_features:
        raise SlackError("feature_disabled")
    channel = _writable(slack.world, args)
    if args.get("thread_ts") not in channel.messages:
        raise SlackError("thread_not_found")
    if channel.kind != "im" and not (args.get("recipient_user_id") and args.get("recipient_team_id")):
        raise SlackError("missing_recipient_user_id")
    message = _own_message(slack.world, args)
    streams.begin(slack.world, message, args)
    slack.world.store(channel, message)
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.appendStream", "chat:write")
def _append_stream(slack: FakeSlack, args: Json) -> Json:
    message = _writable(slack.world, args).messages.get(str(args.get("ts", "")))
    streams.grow(slack.world, message, args)
    return {"channel": args["channel"], "ts": args["ts"]}


@method("chat.stopStream", "chat:write")
def _stop_stream(slack: FakeSlack, args: Json) -> Json:
    channel = _writable(slack.world, args)
    message = channel.messages.get(str(args.get("ts", "")))
    streams.grow(slack.world, message, args)
    assert message is not None
    message["stream"]["open"] = False
    status = str(args.get("session_status") or "active")
    slack.world.statuses.setdefault((channel.id, message["thread_ts"]), []).append(status)
    return {"channel": args["channel"], "ts": args["ts"]}


@method("agents.sessions.setStatus", "chat:write")
def _session(slack: FakeSlack, args: Json) -> Json:
    if not slack.world.agent_features:
        raise SlackError("unknown_method")
    if args.get("status") not in {"processing", "active", "suspended", "closed"}:
        raise SlackError("invalid_arguments")
    shown = _status(slack.world, args, str(args["status"]))
    if not len(str(args.get("title") or "")) <= 200:
        raise SlackError("invalid_arguments")
    if args.get("title"):
        slack.world.titles[args["channel_id"], args["thread_ts"]] = args["title"]
    return shown


@method("agents.sessions.rename", "chat:write")
def _rename(slack: FakeSlack, args: Json) -> Json:
    if not slack.world.agent_features:
        raise SlackError("unknown_method")
    channel, thread = slack.world.channel(str(args.get("channel_id", ""))), str(args.get("thread_ts", ""))
    if thread not in channel.messages:
        raise SlackError("thread_not_found")
    if not 0 < len(str(args.get("title") or "")) <= 200:
        raise SlackError("invalid_arguments")
    slack.world.titles[channel.id, thread] = args["title"]
    return {}


@method("assistant.threads.setSuggestedPrompts", "assistant:write")
def _prompts(slack: FakeSlack, args: Json) -> Json:
    if not slack.world.agent_features:
        raise SlackError("feature_disabled")
    channel, prompts = slack.world.channel(str(args.get("channel_id", ""))), args.get("prompts") or []
    if channel.kind != "im":
        raise SlackError("method_not_supported_for_channel_type")
    if not 1 <= len(prompts) <= 4 or not all(one.get("title") and one.get("message") for one in prompts):
        raise SlackError("invalid_arguments")
    slack.world.prompts[channel.id] = prompts
    return {}


@method("assistant.threads.setStatus", "assistant:write", "chat:write")
def _assistant(slack: FakeSlack, args: Json) -> Json:
    if not slack.world.agent_features:
        raise SlackError("feature_disabled")
    return _status(slack.world, args, str(args.get("status", "")))


@method("files.getUploadURLExternal", "files:write")
def _upload_url(slack: FakeSlack, args: Json) -> Json:
    if not args.get("filename") or int(args.get("length") or 0) <= 0:
        raise SlackError("invalid_arguments")
    new = slack.world.next_id("F")
    slack.world.files[new] = {
        "id": new,
        "name": args["filename"],
        "size": int(args["length"]),
        "alt_txt": args.get("alt_txt", ""),
        "content": None,
    }
    return {"upload_url": f"{slack.url}/upload/{new}", "file_id": new}


@method("files.completeUploadExternal", "files:write")
def _complete(slack: FakeSlack, args: Json) -> Json:
    world, shared = slack.world, []
    for item in args.get("files") or ():
        file = world.files.get(item.get("id", ""))
        if file is None or file["content"] is None:
            raise SlackError("file_not_found")
        file["title"] = item.get("title", file["name"])
        shared.append({name: value for name, value in file.items() if name != "content"})
    if args.get("channel_id"):
        channel = _writable(world, {**args, "channel": args["channel_id"]})
        text = str(args.get("initial_comment") or "")
        message = _own_message(world, {"text": text, "thread_ts": args.get("thread_ts")})
        world.store(channel, {**message, "subtype": "file_share", "files": shared})
    return {"files": shared}


@method("files.info", "files:read")
def _file(slack: FakeSlack, args: Json) -> Json:
    file = slack.world.files.get(str(args.get("file", "")))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": {name: value for name, value in file.items() if name != "content"}}


# -- what several of them need --------------------------------------------------------------------


def _readable(world: World, args: Json) -> Channel:
    channel = world.channel(str(args.get("channel", "")))
    if BOT not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _writable(world: World, args: Json) -> Channel:
    channel = _readable(world, args)
    if channel.archived:
        raise SlackError("is_archived")
    return channel


def _own_message(world: World, args: Json) -> Json:
    metadata = args.get("metadata")
    if metadata is not None and not (metadata.get("event_type") and isinstance(metadata.get("event_payload"), dict)):
        raise SlackError("invalid_metadata_format")
    message: Json = {
        "type": "message",
        "ts": world.next_ts(),
        "user": BOT,
        "bot_id": BOT_ID,
        "app_id": APP,
        "team": TEAM,
        "text": args.get("text") or "",
        "blocks": args.get("blocks") or [],
    }
    if metadata is not None:
        message["metadata"] = metadata
    if args.get("thread_ts"):
        message["thread_ts"] = args["thread_ts"]
    return message


def _reactions(world: World, args: Json) -> list[str]:
    message = _writable(world, args).messages.get(str(args.get("timestamp", "")))
    if message is None:
        raise SlackError("message_not_found")
    if not args.get("name"):
        raise SlackError("invalid_name")
    names: list[str] = message.setdefault("reactions", [])
    return names


def _status(world: World, args: Json, status: str) -> Json:
    channel = world.channel(str(args.get("channel_id", "")))
    if str(args.get("thread_ts", "")) not in channel.messages:
        raise SlackError("thread_not_found")
    world.statuses.setdefault((channel.id, args["thread_ts"]), []).append(status)
    return {"status": status}


def _page(channel: Channel, messages: list[Json], args: Json) -> Json:
    limit, start = min(int(args.get("limit") or 100), 1000), int(args.get("cursor") or 0)
    with_metadata = str(args.get("include_all_metadata", "")).lower() in {"1", "true"}
    shown = [_public(channel, message, with_metadata) for message in messages[start : start + limit]]
    more = start + limit < len(messages)
    return {
        "messages": shown,
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }


def _public(channel: Channel, message: Json, with_metadata: bool) -> Json:
    hidden = () if with_metadata else ("metadata",)
    shown = {name: value for name, value in message.items() if name not in hidden}
    if replies := channel.threads.get(message["ts"]):
        shown |= {"thread_ts": message["ts"], "reply_count": len(replies), "latest_reply": replies[-1]}
    return shown
