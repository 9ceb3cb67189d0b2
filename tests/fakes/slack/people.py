"""What people do in the workspace, and the events that Slack makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.blocks import buttons
from tests.fakes.slack.world import APP, BOT, TEAM, Channel, Json, World

if TYPE_CHECKING:
    from tests.fakes.slack.delivery import Envelope, Http, Sockets

CHANNEL_TYPES = {"channel": "channel", "group": "group", "im": "im", "mpim": "mpim"}


class People:
    """Mixed into the server: every method is something a person does."""

    world: World
    sockets: Sockets
    http: Http | None
    url: str

    def changed(self) -> None:
        raise NotImplementedError

    async def deliver(self, kind: str, payload: Json) -> Envelope:
        """Send a payload to the app by Socket Mode or HTTP."""
        envelope = await (self.http or self.sockets).deliver(kind, payload)
        self.changed()
        return envelope

    async def event(self, event: Json, **around: object) -> Envelope:
        """Send one event of the Events API."""
        payload = {
            "token": "unused",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": self.world.next_id("Ev"),
            "event_time": int(self.world.now()),
            "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT, "is_bot": True}],
            "is_ext_shared_channel": False,
            **around,
        }
        return await self.deliver("events_api", payload)

    # -- messages ---------------------------------------------------------------------------------

    def write(self, channel: str, user: str, text: str, thread_ts: str | None = None, **more: object) -> Json:
        """Put a message into a channel without telling the app: it happened while the app was away."""
        message: Json = {
            "type": "message",
            "user": user,
            "text": text,
            "ts": self.world.next_ts(),
            "team": self.world.users[user].team if user in self.world.users else TEAM,
            **({"thread_ts": thread_ts} if thread_ts else {}),
            **more,
        }
        return self.world.store(self.world.channels[channel], message)

    async def say(self, channel: str, user: str, text: str, thread_ts: str | None = None, **more: object) -> str:
        """Post a message; a mention of the app comes as two events. Returns the message's timestamp."""
        message = self.write(channel, user, text, thread_ts, **more)
        await self.announce(channel, message)
        return str(message["ts"])

    async def announce(self, channel: str, message: Json) -> list[Envelope]:
        """Send the events of a message."""
        place = self.world.channels[channel]
        if BOT not in place.members:
            return []
        around = {"is_ext_shared_channel": place.shared}
        common = {**message, "channel": channel, "event_ts": message["ts"]}
        sent = []
        if f"<@{BOT}>" in message["text"] and place.kind != "im" and message.get("user") != BOT:
            mention = {name: value for name, value in common.items() if name != "subtype"}
            sent.append(await self.event({**mention, "type": "app_mention"}, **around))
        kind = CHANNEL_TYPES[place.kind]
        sent.append(await self.event({**common, "type": "message", "channel_type": kind}, **around))
        return sent

    async def react(self, channel: str, ts: str, user: str, name: str) -> Envelope:
        """Put an emoji on a message."""
        place = self.world.channels[channel]
        item = {"type": "message", "channel": channel, "ts": ts}
        return await self.event(
            {
                "type": "reaction_added",
                "user": user,
                "reaction": name,
                "item": item,
                "item_user": place.messages[ts].get("user"),
                "event_ts": self.world.next_ts(),
            },
            is_ext_shared_channel=place.shared,
        )

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Change a message; where it mentions the app, that comes as a mention again."""
        place = self.world.channels[channel]
        message = place.messages[ts]
        before = dict(message)
        message["text"], message["edited"] = text, {"user": message["user"], "ts": self.world.next_ts()}
        common = {"channel": channel, "event_ts": message["edited"]["ts"]}
        if f"<@{BOT}>" in text and place.kind != "im":
            await self.event({**message, **common, "type": "app_mention"})
        changed = {"type": "message", "subtype": "message_changed", "hidden": True, "ts": message["edited"]["ts"]}
        kind = CHANNEL_TYPES[place.kind]
        await self.event({**changed, **common, "channel_type": kind, "message": message, "previous_message": before})

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message."""
        place = self.world.channels[channel]
        before = place.messages.pop(ts)
        at = self.world.next_ts()
        await self.event(
            {
                "type": "message",
                "subtype": "message_deleted",
                "hidden": True,
                "channel": channel,
                "channel_type": CHANNEL_TYPES[place.kind],
                "ts": at,
                "event_ts": at,
                "deleted_ts": ts,
                "previous_message": before,
            }
        )

    # -- buttons, dialogs, commands ---------------------------------------------------------------

    async def click(self, channel: str, ts: str, user: str, button: str, *, element: Json | None = None) -> Envelope:
        """Press a button by its label or action id. `element` is a button that no longer stands there."""
        place = self.world.channels[channel]
        message = place.messages.get(ts) or {shown["ts"]: shown for shown in self.world.ephemerals}[ts]
        standing = {name: found for found in buttons(message) for name in (found["action_id"], found["text"]["text"])}
        pressed = element or standing[button]
        container = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": "to" in message}
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        carried = ("action_id", "value", "style", "text", "selected_option")
        action: Json = {name: pressed[name] for name in carried if name in pressed}
        action |= {"type": pressed["type"], "block_id": "b", "action_ts": self.world.next_ts()}
        return await self.deliver(
            "interactive",
            {
                "type": "block_actions",
                **self._by(user),
                "trigger_id": self.world.new_trigger(user),
                "container": container,
                "channel": {"id": channel, "name": _shown_name(place)},
                "message": message,
                "response_url": f"{self.url}/answer/{channel}/{user}",
                "actions": [action],
            },
        )

    async def choose_shortcut(self, channel: str, ts: str, user: str, callback_id: str) -> Envelope:
        """Pick an entry of the app in the menu of a message."""
        place = self.world.channels[channel]
        return await self.deliver(
            "interactive",
            {
                "type": "message_action",
                **self._by(user),
                "callback_id": callback_id,
                "trigger_id": self.world.new_trigger(user),
                "message_ts": ts,
                "message": place.messages[ts],
                "channel": {"id": channel, "name": _shown_name(place)},
                "response_url": f"{self.url}/answer/{channel}/{user}",
                "action_ts": self.world.next_ts(),
            },
        )

    async def open_page(self, user: str) -> Envelope:
        """Look at the app's Home tab."""
        channel = self.world.dm(user).id
        return await self.event({"type": "app_home_opened", "user": user, "channel": channel, "tab": "home"})

    async def click_on_page(self, user: str, button: str, about: str = "") -> Envelope:
        """Press the button with this label, in whose value `about` stands, on this person's Home tab."""
        view = self.world.pages[user]
        pressed = next(one for one in buttons(view) if one["text"]["text"] == button and about in one["value"])
        action: Json = {name: pressed[name] for name in ("action_id", "value", "text", "type")}
        return await self.deliver(
            "interactive",
            {
                "type": "block_actions",
                **self._by(user),
                "trigger_id": self.world.new_trigger(user),
                "container": {"type": "view", "view_id": f"V{user}"},
                "view": {"id": f"V{user}", **view},
                "actions": [{**action, "block_id": "b", "action_ts": self.world.next_ts()}],
            },
        )

    async def submit_view(self, user: str, values: dict[str, str], view_id: str | None = None) -> Envelope:
        """Send the dialog that this person has open; closes it where the app has no objection."""
        open_here = [dialog for dialog in self.world.dialogs.values() if dialog.user == user]
        dialog = self.world.dialogs[view_id] if view_id else open_here[-1]
        state: Json = {}
        for block in dialog.view["blocks"]:
            if block["type"] != "input":
                continue
            element = block["element"]
            if "options" in element:
                state[block["block_id"]] = {element["action_id"]: _picked(element, values.get(block["block_id"]))}
                continue
            value = values.get(block["block_id"], element.get("initial_value"))
            assert value or block.get("optional"), f"{block['block_id']} is required"
            assert len(value or "") <= element.get("max_length", 3000)
            state[block["block_id"]] = {element["action_id"]: {"type": element["type"], "value": value}}
        view = {
            **dialog.view,
            "id": dialog.id,
            "hash": "1.a",
            "app_installed_team_id": TEAM,
            "state": {"values": state},
        }
        envelope = await self.deliver("interactive", {"type": "view_submission", **self._by(user), "view": view})
        await envelope.settled.wait()
        if envelope.acknowledged and not envelope.answer:
            del self.world.dialogs[dialog.id]
        return envelope

    async def slash(self, channel: str, user: str, text: str, command: str = "/bosun") -> Envelope:
        """Use the slash command."""
        return await self.deliver(
            "slash_commands",
            {
                "command": command,
                "text": text,
                "team_id": TEAM,
                "team_domain": "work",
                "channel_id": channel,
                "channel_name": _shown_name(self.world.channels[channel]),
                "user_id": user,
                "user_name": self.world.users[user].name.lower(),
                "api_app_id": APP,
                "is_enterprise_install": "false",
                "response_url": f"{self.url}/answer/{channel}/{user}",
                "trigger_id": self.world.new_trigger(user),
            },
        )

    async def press_stop(self, channel: str, thread: str, user: str) -> Envelope:
        """Press Slack's own Stop."""
        return await self.event(
            {
                "type": "agent_session_stopped",
                "channel": channel,
                "thread_ts": thread,
                "user": user,
                "streaming_message_ts": [],
                "event_ts": self.world.next_ts(),
            }
        )

    def _by(self, user: str) -> Json:
        person = self.world.users[user]
        return {
            "user": {"id": user, "username": person.name.lower(), "name": person.name.lower(), "team_id": person.team},
            "team": {"id": TEAM, "domain": "work"},
            "api_app_id": APP,
            "token": "unused",
            "enterprise": None,
            "is_enterprise_install": False,
        }


def _shown_name(place: Channel) -> str:
    return "directmessage" if place.kind == "im" else f"mpdm-{place.name}" if place.kind == "mpim" else place.name


def _picked(element: Json, wanted: str | None) -> Json:
    """Which boxes are checked: those with these values, one on each line, or those that were from the beginning."""
    first = element.get("initial_options") or ([element["initial_option"]] if "initial_option" in element else [])
    picked = first if wanted is None else [one for one in element["options"] if one["value"] in wanted.splitlines()]
    if element["type"] == "checkboxes":
        return {"type": "checkboxes", "selected_options": picked}
    return {"type": "radio_buttons", "selected_option": picked[0] if picked else None}
