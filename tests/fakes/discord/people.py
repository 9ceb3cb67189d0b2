"""What people do in the server, and the events that Discord makes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.fakes.discord import checks
from tests.fakes.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Dialog, Interaction, Interactions
from tests.fakes.discord.world import APP, BOT, DM, ELSEWHERE, GUILD, VIEW, Channel, Json, World

if TYPE_CHECKING:
    from tests.fakes.discord.gateway import Gateway

USER, ROLE = re.compile(r"<@!?(\d+)>"), re.compile(r"<@&(\d+)>")


class People:
    """Mixed into the server: every method is something a person does."""

    world: World
    gateway: Gateway
    interactions: Interactions
    url: str

    def changed(self) -> None:
        raise NotImplementedError

    # -- messages ---------------------------------------------------------------------------------

    def make_message(self, channel: Channel, user: str, text: str, body: Json, files: dict[str, bytes]) -> Json:
        """Put a message into a channel; nobody is told."""
        made = self.world.next_id()
        message: Json = {
            "id": made,
            "channel_id": channel.id,
            "author": self.world.members[user].user() if user in self.world.members else {"id": user},
            "content": text,
            "timestamp": self.world.stamp(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [dict(component) for component in body.get("components") or ()],
            "pinned": False,
            "type": 0,
            "flags": int(body.get("flags") or 0),
            "pings": [],
        }
        self._mentions(message, body.get("allowed_mentions"))
        message["attachments"] = [self._stored(channel, name, content, body) for name, content in files.items()]
        channel.messages[made] = message
        return message

    def _mentions(self, message: Json, allowed: Json | None) -> None:
        """Whom it mentions; `pings` is who was notified."""
        words = checks.visible(message)
        users = [user for user in dict.fromkeys(USER.findall(words)) if user in self.world.members]
        message["mentions"] = [self.world.members[user].user() for user in users]
        message["mention_roles"] = [role for role in dict.fromkeys(ROLE.findall(words)) if role in self.world.roles]
        if allowed is None:
            message["pings"] = [*users, *message["mention_roles"]]
            message["pings"] += [word for word in ("@everyone", "@here") if word in words]
        else:
            parse = set(allowed.get("parse") or ())
            named = {str(user) for user in allowed.get("users") or ()}
            wanted = users if "users" in parse else [user for user in users if user in named]
            message["pings"] = list(wanted)

    def _stored(self, channel: Channel, name: str, content: bytes, body: Json) -> Json:
        file = self.world.next_id()
        self.world.files[file] = content
        about = [one for one in body.get("attachments") or () if one.get("filename") == name]
        described = {"description": about[0]["description"]} if about and about[0].get("description") else {}
        return {
            "id": file,
            "filename": name,
            "size": len(content),
            "url": f"{self.url}/attachments/{channel.id}/{file}/{name}",
            "proxy_url": f"{self.url}/attachments/{channel.id}/{file}/{name}",
            "content_type": "text/plain",
            **described,
        }

    def change_message(self, message: Json, body: Json, files: dict[str, bytes]) -> None:
        """An edit by the app."""
        channel = self.world.channels[message["channel_id"]]
        for name in ("content", "components"):
            if name in body:
                message[name] = body[name] or ("" if name == "content" else [])
        message["flags"] |= int(body.get("flags") or 0)
        if files or "attachments" in body:
            kept = {str(one["id"]) for one in body.get("attachments") or () if "filename" not in one}
            still = [one for one in message["attachments"] if one["id"] in kept or "attachments" not in body]
            message["attachments"] = still + [self._stored(channel, name, data, body) for name, data in files.items()]
        message["edited_timestamp"] = self.world.stamp()
        self._mentions(message, {"parse": []})
        self.world.counts[f"edits {message['id']}"] += 1
        self.gateway.dispatch("MESSAGE_UPDATE", self._event(channel, message))
        self.changed()

    def write(
        self,
        channel: str,
        user: str,
        text: str,
        *,
        reply_to: str | None = None,
        files: dict[str, bytes] | None = None,
        **more: object,
    ) -> Json:
        """Put a person's message there without telling the app: it happened while the app was away."""
        place = self.world.channels[channel]
        message = self.make_message(place, user, text, {}, files or {})
        if reply_to is not None:
            replied = place.messages[reply_to]
            message |= {"type": 19, "message_reference": {"message_id": reply_to, "channel_id": channel}}
            if replied["author"]["id"] not in {user, *(one["id"] for one in message["mentions"])}:
                message["mentions"].append(replied["author"])
        message |= more
        return message

    async def say(
        self,
        channel: str,
        user: str,
        text: str,
        *,
        reply_to: str | None = None,
        files: dict[str, bytes] | None = None,
        **more: object,
    ) -> str:
        """Write a message; returns its id."""
        message = self.write(channel, user, text, reply_to=reply_to, files=files, **more)
        self.announce(message)
        return str(message["id"])

    def announce(self, message: Json) -> None:
        """Send the event of a message, again if need be."""
        self.say_created(self.world.channels[message["channel_id"]], message, "")

    def say_created(self, channel: Channel, message: Json, nonce: str) -> None:
        """MESSAGE_CREATE."""
        if channel.type != DM and not self.world.permissions(channel) & VIEW:
            return
        event = self._event(channel, message)
        self.gateway.dispatch("MESSAGE_CREATE", event | ({"nonce": nonce} if nonce else {}))
        self.changed()

    def say_elsewhere(self, user: str, text: str) -> None:
        """Invite the app to another server too, and say something there."""
        channel = Channel(id=self.world.next_id(), name="elsewhere")
        self.gateway.invite_elsewhere(channel)
        event = self._event(channel, self.make_message(channel, user, text, {}, {}))
        self.gateway.dispatch("MESSAGE_CREATE", event | {"guild_id": ELSEWHERE})
        self.changed()

    def _event(self, channel: Channel, message: Json) -> Json:
        author = self.world.members.get(message["author"]["id"])
        event = {name: value for name, value in message.items() if name not in {"pings", "signs", "nonce"}}
        if channel.type == DM:
            return event | {"channel_type": DM}
        around: Json = {"guild_id": GUILD, "channel_type": channel.type}
        return event | around | ({"member": author.member()} if author and "webhook_id" not in message else {})

    def react(self, channel: str, message_id: str, user: str, emoji: str) -> None:
        """Put an emoji on a message."""
        place, member = self.world.channels[channel], self.world.members[user]
        around = {"guild_id": GUILD, "member": {**member.member(), "user": member.user()}} if place.type != DM else {}
        self.gateway.dispatch(
            "MESSAGE_REACTION_ADD",
            {
                "user_id": user,
                "channel_id": channel,
                "message_id": message_id,
                "message_author_id": place.messages[message_id]["author"]["id"],
                "emoji": {"id": None, "name": emoji},
                "burst": False,
                "type": 0,
                **around,
            },
        )
        self.changed()

    async def edit(self, channel: str, message_id: str, text: str) -> None:
        """Change one's own message."""
        place = self.world.channels[channel]
        message = place.messages[message_id]
        message["content"], message["edited_timestamp"] = text, self.world.stamp()
        self._mentions(message, None)
        self.gateway.dispatch("MESSAGE_UPDATE", self._event(place, message))
        self.changed()

    async def delete(self, channel: str, message_id: str) -> None:
        """Delete a message."""
        place = self.world.channels[channel]
        del place.messages[message_id]
        around = {} if place.type == DM else {"guild_id": GUILD}
        self.gateway.dispatch("MESSAGE_DELETE", {"id": message_id, "channel_id": channel, **around})
        self.changed()

    def begin_thread(self, channel: str, user: str, name: str, message: str | None = None) -> str:
        """Open a thread, on a message or by itself."""
        thread = self.world.add_thread(channel, name, user, message)
        self.gateway.dispatch("THREAD_CREATE", {**self.world.shown_channel(thread), "newly_created": True})
        return thread.id

    def begin_post(self, forum: str, user: str, name: str, text: str) -> str:
        """Post in a forum: a thread whose first message has its id and stands in it, and not in the forum."""
        post = self.begin_thread(forum, user, name)
        message = self.write(post, user, text, id=post)
        messages = self.world.channels[post].messages
        messages.clear()
        messages[post] = message
        self.announce(message)
        return post

    # -- buttons, dialogs, commands ---------------------------------------------------------------

    def click(self, channel: str, message: str, user: str, label: str, *, element: Json | None = None) -> Interaction:
        """Press a button by its label. `element` is a button that no longer stands there."""
        place = self.world.channels[channel]
        shown = place.messages.get(message) or {one["id"]: one for one in self.interactions.ephemerals}.get(message)
        pressed = element or next(one for one in checks.buttons(shown or {}) if one["label"] == label)
        seen = shown or {**self.make_message(place, BOT, "", {}, {}), "id": message}
        if shown is None:
            place.messages.pop(next(reversed(place.messages)))
        data = {"custom_id": pressed["custom_id"], "component_type": 2, "id": 1}
        return self.interactions.begin(COMPONENT, user, place, data, self.world.shown_message(seen))

    def dialog_of(self, user: str) -> Dialog | None:
        """The dialog that this person has open."""
        return next((one for one in reversed(self.interactions.dialogs) if one.user == user), None)

    async def submit(self, user: str, values: dict[str, str]) -> Interaction:
        """Send the dialog that this person has open; it closes where the app answers."""
        dialog = self.dialog_of(user)
        assert dialog is not None
        components: list[Json] = []
        for item in dialog.modal["components"]:
            if item["type"] == checks.TEXT:
                components.append({"type": checks.TEXT, "id": 1})
                continue
            field = item["component"]
            filled = {"type": field["type"], "custom_id": field["custom_id"], "id": 2, **_filled(field, values)}
            components.append({"type": checks.LABEL, "id": 3, "component": filled})
        data = {"custom_id": dialog.modal["custom_id"], "components": components, "resolved": {}}
        interaction = self.interactions.begin(MODAL, user, dialog.channel, data, dialog.message)
        await interaction.settled.wait()
        if not interaction.failed:
            self.interactions.dialogs.remove(dialog)
        return interaction

    def slash(self, channel: str, user: str, name: str, **options: str) -> Interaction:
        """Use `/bosun NAME`, or `/bosun GROUP NAME`."""
        return self._command(COMMAND, channel, user, name, options)

    def complete(self, channel: str, user: str, name: str, **options: str) -> Interaction:
        """Type into the last option of `/bosun NAME`."""
        return self._command(AUTOCOMPLETE, channel, user, name, options)

    def choose(self, channel: str, user: str, message: str, name: str) -> Interaction:
        """Pick an entry of the app in the menu of a message."""
        command = next(one for one in self.world.commands if one["name"] == name and one["type"] == 3)
        place = self.world.channels[channel]
        shown = self.world.shown_message(place.messages[message])
        data: Json = {"id": command["id"], "name": name, "type": 3, "guild_id": None, "target_id": message}
        data["resolved"] = {"messages": {message: shown}}
        return self.interactions.begin(COMMAND, user, place, data)

    def _command(self, kind: int, channel: str, user: str, name: str, options: dict[str, str]) -> Interaction:
        command = next(one for one in self.world.commands if one["name"] == "bosun")
        *group, last = name.split()
        below = command["options"]
        for one in group:
            below = next(found["options"] for found in below if found["name"] == one and found["type"] == 2)
        known = {one["name"]: one for one in below if one["type"] == 1}
        defined = {one["name"]: one for one in known[last].get("options") or ()}
        given: list[Json] = []
        for option, value in options.items():
            assert option in defined, f"/bosun {name} has no option {option}"
            focused = {"focused": True} if kind == AUTOCOMPLETE and option == list(options)[-1] else {}
            given.append({"name": option, "type": 3, "value": value, **focused})
        missing = [one for one, about in defined.items() if about.get("required") and one not in options]
        assert kind == AUTOCOMPLETE or not missing, f"/bosun {name} needs {missing}"
        data: Json = {"id": command["id"], "name": "bosun", "type": 1, "guild_id": None}
        data["options"] = [{"name": last, "type": 1, "options": given}]
        for one in reversed(group):
            data["options"] = [{"name": one, "type": 2, "options": data["options"]}]
        return self.interactions.begin(kind, user, self.world.channels[channel], data)


def mention(user: str = BOT) -> str:
    """How a person is addressed."""
    return f"<@{user}>"


__all__ = ["APP", "People", "mention"]


def _filled(field: Json, values: dict[str, str]) -> Json:
    """What a person leaves in a field of a dialog; picked choices are given one on each line."""
    if field["type"] == checks.INPUT:
        value = values.get(field["custom_id"], field.get("value") or "")
        assert value or not field.get("required", True), f"{field['custom_id']} is required"
        assert (field.get("min_length") or 0) <= len(value) <= (field.get("max_length") or 4000)
        return {"value": value}
    standing = [one["value"] for one in field["options"] if one.get("default")]
    picked = values[field["custom_id"]].splitlines() if field["custom_id"] in values else standing
    assert set(picked) <= {one["value"] for one in field["options"]}, f"{picked} cannot be picked"
    assert picked or not field.get("required", True), f"{field['custom_id']} is required"
    if field["type"] == checks.CHECKS:
        assert field.get("min_values", 1) <= len(picked) <= field.get("max_values", 10)
        return {"values": picked}
    assert len(picked) <= 1, "only one can be picked"
    return {"value": picked[0] if picked else None}
