"""The team in Slack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random  # noqa: TID251  seeded by whoever asks for a storm
from typing import Any, ClassVar

from tests.behaviours.chat import Said, Spot
from tests.behaviours.outside import Outside
from tests.behaviours.team import GUEST, HELPER, OUTSIDER, ROBOT, SLACK_CHANNELS, SLACK_USERS, STRANGER
from tests.fakes.slack import BOT, BOT_ID
from tests.fakes.slack.blocks import buttons, visible
from tests.fakes.slack.delivery import Envelope

MENTION = re.compile(r"@([a-z]+)\b")
SLACK_NAMES = {"🚨": "rotating_light", "✅": "white_check_mark"}  # the names by which Slack says them


class SlackChat(Outside):
    """The team in Slack."""

    platform = "slack"
    strangers: ClassVar = {"stranger": STRANGER, "guest": GUEST, "outsider": OUTSIDER, "robot": ROBOT, "helper": HELPER}
    posting, editing = "chat.postMessage", "chat.update"

    async def write(
        self, person: str, text: str, at: Spot, *, files: Sequence[tuple[str, bytes]] = (), size: int | None = None
    ) -> str:
        more: dict[str, object] = {"bot_id": "B0HELPER"} if person == HELPER else {}
        if files:
            more |= {"subtype": "file_share", "files": [self._file(name, content, size) for name, content in files]}
        written = MENTION.sub(self._mention, text)
        return await self.world.slack.say(self.channel(at), self.user(person), written, at.root or None, **more)

    async def announce(self, spot: Spot) -> list[Envelope]:
        """Have Slack send the events of the thread's root again."""
        channel = self.channel(spot)
        return await self.world.slack.announce(channel, self.world.slack.world.channels[channel].messages[spot.root])

    async def edit(self, message: str, text: str, at: Spot) -> None:
        await self.world.slack.edit(self.channel(at), message, MENTION.sub(self._mention, text))

    async def delete(self, message: str, at: Spot) -> None:
        await self.world.slack.delete(self.channel(at), message)

    def meanwhile(self, person: str, text: str, at: Spot) -> str:
        written = MENTION.sub(self._mention, text)
        return str(self.world.slack.write(self.channel(at), self.user(person), written, at.root or None)["ts"])

    async def again(self, spot: Spot) -> bool:
        sent = await self.announce(spot)
        for envelope in sent:
            await envelope.settled.wait()
        return all(envelope.acknowledged for envelope in sent)

    async def caught_up(self) -> None:
        await self.world.ask("caught_up", "slack")

    def fail(self, operation: str, fault: str, times: int = 1) -> None:
        self.world.slack.faults.fail(operation, fault, times=times)

    def storm(self, random: Random, share: float) -> None:
        self.world.slack.faults.storm(random, share)

    async def ask_from_outside(self, text: str) -> Spot:
        return await self.ask(OUTSIDER, text)

    def group(self, person: str) -> tuple[dict[str, str], str, str]:
        self.world.slack.world.groups["S0GROUP"] = [self.user(person)]
        return {"slack_group": "S0GROUP"}, "usergroups.users.list", "missing_scope"

    async def say_elsewhere(self, text: str) -> None:
        event = {"type": "app_mention", "user": self.user("ann"), "text": f"<@{BOT}> {text}"}
        event |= {"ts": self.world.slack.world.next_ts(), "channel": SLACK_CHANNELS["general"]}
        their_bot = {"enterprise_id": None, "team_id": "T0ELSE", "user_id": BOT, "is_bot": True}
        sent = await self.world.slack.event(event, team_id="T0ELSE", authorizations=[their_bot])
        await sent.settled.wait()

    def _mention(self, match: re.Match[str]) -> str:
        user = BOT if match[1] == "bosun" else SLACK_USERS.get(match[1])
        return f"<@{user}>" if user else match[0]

    def _file(self, name: str, content: bytes, size: int | None) -> dict[str, object]:
        world = self.world.slack.world
        file_id = world.next_id("F")
        url = f"{self.world.slack.url}/files/{file_id}/{name}"
        kind = {"md": "text/markdown", "exe": "application/octet-stream"}.get(name.rpartition(".")[2], "text/plain")
        file: dict[str, object] = {"id": file_id, "name": name, "mimetype": kind, "url_private_download": url}
        file["size"] = len(content) if size is None else size
        world.files[file_id] = {**file, "content": content}
        return file

    @staticmethod
    def user(person: str) -> str:
        """The account of a person; an id stays as it is."""
        return SLACK_USERS.get(person, person)

    @staticmethod
    def channel(spot: Spot) -> str:
        """The id of a channel that the charter knows; another id stays as it is."""
        return SLACK_CHANNELS.get(spot.channel, spot.channel)

    async def react(self, person: str, emoji: str, message: str, at: Spot) -> None:
        await self.world.slack.react(self.channel(at), message, self.user(person), SLACK_NAMES[emoji])

    async def press_button(self, person: str, message: Said, label: str) -> bool:
        raw = message.raw
        pressed = next(button for button in buttons(raw) if button["text"]["text"] == label)
        return await self._taken(
            await self.world.slack.click(raw["where"], raw["ts"], self.user(person), label, element=pressed)
        )

    async def _taken(self, sent: Envelope) -> bool:
        self.world.moment()
        if self.world.rough:
            await sent.settled.wait()
        return not sent.lost

    async def pick_about(self, person: str, message: str, at: Spot) -> None:
        await self.world.slack.choose_shortcut(self.channel(at), message, self.user(person), "ask_about")

    async def press_on_home(self, person: str, label: str, about: str) -> bool:
        user, pages = self.user(person), self.world.slack.world.pages
        await self.world.slack.open_page(user)
        await self.world.seen(
            lambda: [b for b in buttons(pages.get(user, {})) if b["text"]["text"] == label and about in b["value"]]
        )
        return await self._taken(await self.world.slack.click_on_page(user, label, about))

    def opened(self, person: str) -> dict[str, str] | None:
        mine = [one for one in self.world.slack.world.dialogs.values() if one.user == self.user(person)]
        if not mine:
            return None
        inputs = [block for block in mine[-1].view["blocks"] if block["type"] == "input"]
        return {block["block_id"]: _standing(block["element"]) for block in inputs}

    def open_dialogs(self, person: str) -> int:
        """How many dialogs stand open in front of a person."""
        return sum(one.user == self.user(person) for one in self.world.slack.world.dialogs.values())

    async def send_dialog(self, person: str, fields: dict[str, str]) -> bool:
        return (await self.world.slack.submit_view(self.user(person), fields)).acknowledged

    async def read(self, spot: Spot, reader: str = "dee") -> list[Said]:
        channel = self.channel(spot)
        shown = self.world.slack.channel_view(channel, spot.root or None)
        return [self._said(channel, message) for message in (shown[1:] if spot.root else shown)]

    def _said(self, channel: str, message: dict[str, Any]) -> Said:
        names = {user: person for person, user in SLACK_USERS.items()}
        user = str(message.get("user"))
        return Said(
            id=message["ts"],
            by="bosun" if message.get("bot_id") == BOT_ID else names.get(user, user),
            text=visible(message),
            buttons=tuple(button["text"]["text"] for button in buttons(message)),
            raw={**message, "where": channel},
        )

    async def notices(self, person: str) -> list[str]:
        return [str(shown["visible"]) for shown in self.world.slack.ephemerals_for(self.user(person))]

    async def reactions(self, spot: Spot) -> list[str]:
        return self.world.slack.reactions(self.channel(spot), spot.root)

    async def state(self, spot: Spot) -> str:
        shown = self.world.slack.statuses(self.channel(spot), spot.root)
        return shown[-1] if shown else "active"

    def home(self, person: str) -> Spot:
        return Spot(channel=self.world.slack.world.dm(self.user(person)).id)

    async def close(self) -> None:
        """Nobody has anything open."""


def _standing(element: dict[str, Any]) -> str:
    """What stands in a field, or the values to pick from."""
    if "options" in element:
        return "\n".join(option["value"] for option in element["options"])
    return str(element.get("initial_value", ""))
