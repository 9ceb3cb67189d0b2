"""The team in Discord."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from random import Random  # noqa: TID251  seeded by whoever asks for a storm
from typing import Any, ClassVar

from tests.behaviours.chat import Said, Spot
from tests.behaviours.outside import Outside
from tests.behaviours.team import (
    DISCORD_CHANNELS,
    DISCORD_GUEST,
    DISCORD_HELPER,
    DISCORD_OUTSIDER,
    DISCORD_ROBOT,
    DISCORD_STRANGER,
    DISCORD_USERS,
)
from tests.behaviours.world import World
from tests.fakes.discord import BOT
from tests.fakes.discord.checks import buttons, visible
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.world import DM, Channel

MENTION = re.compile(r"@([a-z]+)\b")
EMOJI = {"👀": "eyes"}


class DiscordChat(Outside):
    """The team in Discord."""

    platform = "discord"
    strangers: ClassVar = {
        "stranger": DISCORD_STRANGER,
        "guest": DISCORD_GUEST,
        "outsider": DISCORD_OUTSIDER,
        "robot": DISCORD_ROBOT,
        "helper": DISCORD_HELPER,
    }
    posting, editing = "post", "edit"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.discord = world.discord
        self._dashboards: dict[str, tuple[int, dict[str, Any]]] = {}  # person -> kills before it was shown, and it

    # -- what people do ---------------------------------------------------------------------------

    async def write(
        self, person: str, text: str, at: Spot, *, files: Sequence[tuple[str, bytes]] = (), size: int | None = None
    ) -> str:
        written = MENTION.sub(self._mention, text)
        message = self.discord.write(self.room(at), self.user(person), written, files=dict(files))
        for file in message["attachments"] if size is not None else ():
            file["size"] = size
        self.discord.announce(message)
        return str(message["id"])

    async def edit(self, message: str, text: str, at: Spot) -> None:
        await self.discord.edit(self._where(message, at), message, MENTION.sub(self._mention, text))

    async def delete(self, message: str, at: Spot) -> None:
        await self.discord.delete(self._where(message, at), message)

    def _where(self, message: str, at: Spot) -> str:
        """The channel for the root of a thread, the thread for what stands in it."""
        channel = self.channel(at)
        return channel if message in self.discord.world.channels[channel].messages else self.room(at)

    def meanwhile(self, person: str, text: str, at: Spot) -> str:
        written = MENTION.sub(self._mention, text)
        return str(self.discord.write(self.room(at), self.user(person), written)["id"])

    async def again(self, spot: Spot) -> bool:
        self.discord.announce(self.discord.world.channels[self.channel(spot)].messages[spot.root])
        await self.world.quiet_but_for_runs()
        return True

    async def caught_up(self) -> None:
        await self.world.ask("caught_up", "discord")

    def fail(self, operation: str, fault: str, times: int = 1) -> None:
        self.discord.faults.fail(operation, fault, times=times)

    def storm(self, random: Random, share: float) -> None:
        self.discord.faults.storm(random, share)

    async def ask_from_outside(self, text: str) -> Spot:
        """Only directly: who is no member of the server sees no channel of it."""
        home = self.home(DISCORD_OUTSIDER)
        return Spot(channel=home.channel, root=await self.say(DISCORD_OUTSIDER, text, home))

    def group(self, person: str) -> tuple[dict[str, str], str, str]:
        role = self.discord.world.next_id()
        self.discord.world.add_role(role, "Group")
        self.discord.world.members[self.user(person)].roles.append(role)
        return {"discord_role": role}, "member", "50001"

    async def say_elsewhere(self, text: str) -> None:
        self.discord.say_elsewhere(self.user("ann"), f"<@{BOT}> {text}")
        await self.world.quiet()

    def room(self, at: Spot) -> str:
        """The id of the channel or thread; a thread that nobody has opened yet is opened by who writes in it."""
        channel = self.channel(at)
        if not at.root or self.world.discord.world.channels[channel].type == DM:
            return channel
        if at.root not in self.discord.world.channels:
            self.discord.begin_thread(channel, self.user("ann"), "a thread", at.root)
        return at.root

    def _mention(self, match: re.Match[str]) -> str:
        user = BOT if match[1] == "bosun" else DISCORD_USERS.get(match[1])
        return f"<@{user}>" if user else match[0]

    @staticmethod
    def user(person: str) -> str:
        """The account of a person; an id stays as it is."""
        return DISCORD_USERS.get(person, person)

    @staticmethod
    def channel(spot: Spot) -> str:
        """The id of a channel that the charter knows; another id stays as it is."""
        return DISCORD_CHANNELS.get(spot.channel, spot.channel)

    async def react(self, person: str, emoji: str, message: str, at: Spot) -> None:
        self.discord.react(self._where(message, at), message, self.user(person), emoji)

    async def press_button(self, person: str, message: Said, label: str) -> bool:
        pressed = next(button for button in buttons(message.raw) if button["label"] == label)
        channel, user = message.raw["channel_id"], self.user(person)
        interaction = self.discord.click(channel, message.id, user, label, element=pressed)
        if not _asks_again(pressed):
            return await self._worked(interaction)
        await self.world.seen(lambda: interaction.shown or interaction.failed)
        if interaction.shown is None:
            return False
        (yes,) = buttons(interaction.shown)
        await self.world.up()
        return await self._worked(self.discord.click(channel, interaction.shown["id"], user, yes["label"], element=yes))

    async def _worked(self, interaction: Interaction) -> bool:
        self.world.moment()
        if self.world.rough:
            await interaction.settled.wait()
        return not interaction.failed

    async def pick_about(self, person: str, message: str, at: Spot) -> None:
        self.discord.choose(self._where(message, at), self.user(person), message, "Ask about this")

    async def press_on_home(self, person: str, label: str, about: str) -> bool:
        channel, user = DISCORD_CHANNELS["general"], self.user(person)
        shown = await self._home(person)
        pressed = next(one for one in buttons(shown) if one["label"] == label and about in one["custom_id"])
        return await self._worked(self.discord.click(channel, shown["id"], user, label, element=pressed))

    async def _home(self, person: str) -> dict[str, Any]:
        """Type `/bosun home` in #general; what only this person is shown.

        Who gets no answer types it again, and so does who gets it too late, which is in a direct message.
        """
        shown, home = None, self.home(person).channel
        while not shown:
            await self.world.up()
            before = self.world.kills, self._late(home)
            sent = self.discord.slash(DISCORD_CHANNELS["general"], self.user(person), "home")
            self.world.moment()
            await self.world.seen(partial(self._is_over, sent, home, before))
            shown = sent.shown
        return shown

    def _is_over(self, sent: Interaction, home: str, before: tuple[int, int]) -> bool:
        return bool(sent.shown or sent.failed) or (self.world.kills, self._late(home)) != before

    def _late(self, home: str) -> int:
        """How many dashboards came as direct messages."""
        return sum("Recent decisions" in visible(message) for message in self.discord.said(home))

    async def dashboard(self, person: str, is_so: Callable[[Said], bool]) -> Said:
        """Wait until the dashboard in front of a person is so.

        What a process has shown privately no other one can change, so after a kill the person opens another.
        """

        async def look() -> Said | None:
            kills, home = self._dashboards.get(person, (-1, {}))
            if self.world.kills > kills:
                kills = self.world.kills
                home = self.discord.interactions.standing(await self._home(person))
                self._dashboards[person] = kills, home
            shown = self._said(home)
            return shown if is_so(shown) else None

        return await self.world.until(look)

    def opened(self, person: str) -> dict[str, str] | None:
        dialog = self.discord.dialog_of(self.user(person))
        if dialog is None:
            return None
        fields = [item["component"] for item in dialog.modal["components"] if "component" in item]
        return {field["custom_id"]: _standing(field) for field in fields}

    def open_dialogs(self, person: str) -> int:
        return sum(one.user == self.user(person) for one in self.discord.interactions.dialogs)

    async def send_dialog(self, person: str, fields: dict[str, str]) -> bool:
        return not (await self.discord.submit(self.user(person), fields)).failed

    # -- what people see --------------------------------------------------------------------------

    async def read(self, spot: Spot, reader: str = "dee") -> list[Said]:
        channel = self.discord.world.channels[self.channel(spot)]
        if not spot.root:
            return [self._said(message) for message in channel.messages.values() if not _is_reply(message)]
        if channel.type == DM:
            return [self._said(one) for key, one in channel.messages.items() if int(key) > int(spot.root)]
        thread = self.discord.world.channels.get(spot.root)
        replies = [one for one in channel.messages.values() if _is_reply(one, spot.root)]
        return [self._said(message) for message in [*replies, *(thread.messages.values() if thread else ())]]

    def _said(self, message: dict[str, Any]) -> Said:
        names = {user: person for person, user in DISCORD_USERS.items()}
        user = str(message["author"]["id"])
        return Said(
            id=message["id"],
            by="bosun" if user == BOT else names.get(user, user),
            text=visible(message),
            buttons=tuple(button["label"] for button in buttons(message)),
            raw=dict(message),
        )

    async def notices(self, person: str) -> list[str]:
        user = self.user(person)
        alone = [one for one in self.discord.interactions.ephemerals if one["to"] == user]
        alone += self.discord.said(self.discord.world.dm(user).id)
        return [visible(message) for message in sorted(alone, key=lambda one: int(one["id"]))]

    async def reactions(self, spot: Spot) -> list[str]:
        root = self.discord.world.channels[self.channel(spot)].messages[spot.root]
        return [EMOJI.get(sign, sign) for sign in root.get("signs", ())]

    async def state(self, spot: Spot) -> str:
        """Typing is work; a card with buttons is waiting; Discord shows no more than that."""
        thread = self.discord.world.channels.get(spot.root)
        if thread is None:
            return "active"
        if any("Approve" in said.buttons for said in await self.answers(spot)):
            return "suspended"
        return "processing" if _is_typed_in(thread) else "active"

    async def _unanswered(self) -> None:
        """A bot finds no direct conversation in which it never spoke: who began one as it was killed begins again."""
        await super()._unanswered()
        if self._last_said is None or self.world.kills == self._kills:
            return
        person, text, at = self._last_said
        if at == self.home(person) and not self.discord.said(at.channel):
            await self.world.quiet()
            if not self.discord.said(at.channel):
                await self.say(person, text, at)

    def home(self, person: str) -> Spot:
        return Spot(channel=self.discord.world.dm(self.user(person)).id)

    async def close(self) -> None:
        """Nobody has anything open."""
        self.discord.interactions.dialogs.clear()


def _asks_again(button: dict[str, Any]) -> bool:
    """Discord has no confirmation of its own: a risky button is answered with a second one."""
    return "c" in str(button.get("custom_id", "")).split(":")[-2]


def _is_reply(message: dict[str, Any], root: str | None = None) -> bool:
    """Where threads are not allowed, an answer of Bosun is a reply."""
    answered = (message.get("message_reference") or {}).get("message_id")
    return message["author"]["id"] == BOT and answered is not None and root in {None, answered}


def _is_typed_in(thread: Channel) -> bool:
    said = [message for message in thread.messages.values() if message["author"]["id"] == BOT]
    return bool(thread.typing) and (not said or said[-1]["timestamp"] < thread.typing[-1].isoformat())


def _standing(field: dict[str, Any]) -> str:
    """What stands in a field, or the values to pick from."""
    return "\n".join(one["value"] for one in field.get("options") or ()) or str(field.get("value") or "")
