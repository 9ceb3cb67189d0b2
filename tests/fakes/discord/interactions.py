"""Interactions: the three seconds for the first answer, the fifteen minutes of the token, what may follow what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.discord import checks
from tests.fakes.discord.world import APP, BASE, DM, EPHEMERAL, GUILD, Channel, DiscordError, Json, unknown

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
PONG, MESSAGE, DEFER_MESSAGE, DEFER_UPDATE, UPDATE, CHOICES, DIALOG = 1, 4, 5, 6, 7, 8, 9
MAY_FOLLOW = {
    COMMAND: {MESSAGE, DEFER_MESSAGE, DIALOG},
    COMPONENT: {MESSAGE, DEFER_MESSAGE, DEFER_UPDATE, UPDATE, DIALOG},
    AUTOCOMPLETE: {CHOICES},
    MODAL: {MESSAGE, DEFER_MESSAGE, DEFER_UPDATE, UPDATE},
}
TOKEN_FOR = 15 * 60.0  # seconds


@dataclass(kw_only=True)
class Interaction:
    """Something that a person did and that waits for an answer."""

    id: str
    token: str
    kind: int
    user: str
    channel: Channel
    at: float
    payload: Json
    message: Json | None = None  # that the pressed component belongs to
    answered: int | None = None  # type of the first answer
    failed: bool = False  # the person reads "This interaction failed"
    shown: Json | None = None  # the answer as a message
    choices: list[Json] = field(default_factory=list)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    timer: asyncio.TimerHandle | None = None


@dataclass(kw_only=True)
class Dialog:
    """A dialog that somebody has open."""

    user: str
    channel: Channel
    message: Json | None
    modal: Json


class Interactions:
    """All that is open, and what people were shown in answer."""

    def __init__(self, discord: FakeDiscord) -> None:
        self.discord = discord
        self.patience = 3.0  # seconds for the first answer
        self.open: dict[str, Interaction] = {}  # by token
        self.dialogs: list[Dialog] = []
        self.ephemerals: list[Json] = []

    def begin(self, kind: int, user: str, channel: Channel, data: Json, message: Json | None = None) -> Interaction:
        """Send an interaction to the app."""
        world = self.discord.world
        member, made = world.members[user], world.next_id()
        payload: Json = {
            "id": made,
            "application_id": APP,
            "type": kind,
            "token": f"interaction-token-{made}",
            "version": 1,
            "data": data,
            "channel": world.shown_channel(channel),
            "channel_id": channel.id,
            "locale": "en-US",
            "app_permissions": str(world.permissions(channel)),
            "entitlements": [],
            "authorizing_integration_owners": {"0": GUILD},
            "context": 1 if channel.type == DM else 0,
            "attachment_size_limit": checks.FILE_BYTES,
        }
        if message is not None:
            payload["message"] = message
        if channel.type == DM:
            payload["user"] = member.user()
        else:
            payload |= {
                "guild_id": GUILD,
                "guild_locale": "en-US",
                "guild": {"id": GUILD, "locale": "en-US", "features": []},
            }
            payload["member"] = {**member.member(), "user": member.user(), "permissions": str(BASE)}
        interaction = Interaction(
            id=made, token=payload["token"], kind=kind, user=user, channel=channel, at=world.now(), payload=payload,
            message=message,
        )  # fmt: skip
        self.open[interaction.token] = interaction
        interaction.timer = asyncio.get_running_loop().call_later(self.patience, self._too_late, interaction)
        self.discord.gateway.dispatch("INTERACTION_CREATE", payload)
        self.discord.changed()
        return interaction

    def _too_late(self, interaction: Interaction) -> None:
        if interaction.answered is None:
            interaction.failed = True
            interaction.settled.set()
            self.discord.changed()

    def close(self) -> None:
        """No more deadlines."""
        for interaction in self.open.values():
            if interaction.timer is not None:
                interaction.timer.cancel()

    # -- what the app answers ---------------------------------------------------------------------

    def answer(self, interaction_id: str, token: str, body: Json, files: dict[str, bytes]) -> object:
        """The first answer."""
        interaction = self.open.get(token)
        if interaction is None or interaction.id != interaction_id or interaction.failed:
            raise unknown("interaction", 10062)
        if interaction.answered is not None:
            raise DiscordError(400, 40060, "Interaction has already been acknowledged.")
        kind, data = int(body["type"]), body.get("data") or {}
        checks.require(kind in MAY_FOLLOW[interaction.kind], "type", f"{kind} is no answer to {interaction.kind}")
        if kind == DIALOG:
            checks.check_modal(data)
            self.dialogs.append(
                Dialog(user=interaction.user, channel=interaction.channel, message=interaction.message, modal=data)
            )
        elif kind == MESSAGE:
            interaction.shown = self._show(interaction, data, files)
        elif kind == UPDATE and interaction.message is not None:
            checks.check_message(data, files, edited=interaction.message)
            self.discord.change_message(interaction.message, data, files)
        elif kind == CHOICES:
            choices = data.get("choices") or []
            checks.require(len(choices) <= 25, "choices", "Must be 25 or fewer in length.")
            for choice in choices:
                checks.require(0 < len(choice["name"]) <= 100 and len(str(choice["value"])) <= 100, "choices", "length")
            interaction.choices = choices
        elif kind == DEFER_MESSAGE:
            interaction.shown = None
        interaction.answered = kind
        if interaction.timer is not None:
            interaction.timer.cancel()
        interaction.settled.set()
        self.discord.changed()
        return {
            "interaction": {
                "id": interaction.id,
                "type": interaction.kind,
                "response_message_loading": kind == DEFER_MESSAGE,
                **({"response_message_id": interaction.shown["id"]} if interaction.shown else {}),
            },
            "resource": {"type": kind, "message": interaction.shown} if interaction.shown else {"type": kind},
        }

    def followup(self, token: str, body: Json, files: dict[str, bytes]) -> Json:
        """A further message."""
        interaction = self._of(token)
        if interaction.answered is None:
            raise unknown("Webhook", 10015)
        shown = self._show(interaction, body, files)
        if interaction.answered == DEFER_MESSAGE and interaction.shown is None:
            interaction.shown = shown
        return shown

    def original(self, token: str) -> Json:
        """The message of the first answer."""
        interaction = self._of(token)
        if interaction.answered in {DEFER_UPDATE, UPDATE} and interaction.message is not None:
            return self.standing(interaction.message)
        if interaction.shown is None:
            raise unknown("Message", 10008)
        return self.standing(interaction.shown)

    def standing(self, shown: Json) -> Json:
        """The message as it is now, of which `shown` is a copy."""
        private = {one["id"]: one for one in self.ephemerals}
        place = self.discord.world.channels[shown["channel_id"]]
        return place.messages.get(shown["id"]) or private.get(shown["id"]) or shown

    def _of(self, token: str) -> Interaction:
        interaction = self.open.get(token)
        if interaction is None:
            raise unknown("Webhook", 10015)
        if self.discord.world.now() - interaction.at > TOKEN_FOR:
            raise DiscordError(401, 50027, "Invalid Webhook Token")
        return interaction

    def _show(self, interaction: Interaction, data: Json, files: dict[str, bytes]) -> Json:
        from tests.fakes.discord.world import BOT

        checks.check_message(data, files)
        message = self.discord.make_message(interaction.channel, BOT, str(data.get("content") or ""), data, files)
        if int(data.get("flags") or 0) & EPHEMERAL:
            del interaction.channel.messages[message["id"]]
            self.ephemerals.append({**message, "to": interaction.user})
        else:
            self.discord.say_created(interaction.channel, message, "")
        return message
