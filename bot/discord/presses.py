"""One router for buttons and dialogs, by what their ids carry: it works for what an earlier process has shown."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord

from bot.discord import ids
from bot.discord.answers import Answer
from bot.discord.messages import place_of
from bot.discord.render import second_question, sentence
from bot.engine import asking
from kernel.errors import PlatformError, StoreError
from kernel.types import Inbound, Place, Press

if TYPE_CHECKING:
    from bot.discord.answers import Answers, Interaction
    from bot.discord.intake import Intake
    from bot.discord.members import Members
    from bot.discord.messages import Identity

OLD = "This button is out of date. Open the thread again and use the current card."
LOST = "I could not save that just now, so nothing happened. Please press again in a moment."

log = logging.getLogger("bosun.discord")


class Presses:
    """Turns component and dialog interactions of one server into `Inbound`."""

    def __init__(self, me: Identity, members: Members, answers: Answers, intake: Intake) -> None:
        self.me = me
        self.members = members
        self.answers = answers
        self.intake = intake

    async def route(self, interaction: Interaction) -> None:
        """Take an interaction; never raises."""
        if interaction.type not in {discord.InteractionType.component, discord.InteractionType.modal_submit}:
            return
        data: dict[str, Any] = dict(interaction.data or {})
        carried = ids.read(str(data.get("custom_id") or ""))
        answer = Answer(interaction, waits=False)
        try:
            place = self.place(interaction)
            if carried is None or place is None:
                await answer.say(sentence(OLD))
            elif carried.confirm:
                await answer.say(second_question(carried, interaction.message))
            else:
                await self._take(interaction, carried, place, answer, _typed(data.get("components") or ()))
        except PlatformError as error:
            log.info("An interaction was not answered: %s", error)
        except Exception:
            log.exception("An interaction could not be dealt with")

    async def about(self, interaction: Interaction, message: discord.Message) -> None:
        """Somebody picked our entry in the menu of a message; never raises."""
        carried = ids.Carried(
            kind="b",
            subject=asking.about(str(message.id)),
            revision=0,
            verb=asking.ABOUT,
            form=True,
            message=str(message.id),
        )
        answer = Answer(interaction, waits=True)
        try:
            place = self.place(interaction)
            if place is None:
                await answer.say(sentence(OLD))
            else:
                await self._take(interaction, carried, place, answer, {})
        except PlatformError as error:
            log.info("An interaction was not answered: %s", error)

    async def _take(
        self, interaction: Interaction, carried: ids.Carried, place: Place, answer: Answer, fields: dict[str, str]
    ) -> None:
        trigger = self.answers.keep(place, answer)
        answer.soon()
        actor = await self.members.actor(interaction.user, deciding=True)
        message = carried.message or (str(interaction.message.id) if interaction.message is not None else None)
        press = Press(
            subject=carried.subject,
            revision=carried.revision,
            verb=carried.verb,
            fields=fields,
            trigger=trigger,
            message=message,
        )
        inbound = Inbound(
            key=f"{self.me.guild}/interaction/{interaction.id}",
            kind="press",
            place=place,
            actor=actor,
            message=message,
            addressed=True,
            press=press,
            sent_at=interaction.created_at,
        )
        try:
            await self.intake.accept(inbound)
        except StoreError as error:
            log.warning("A press was not taken, because it could not be stored: %s", error)
            await answer.say(sentence(LOST))
            return
        if not carried.form:
            await answer.acknowledge()
            self.answers.pressed(str(interaction.user.id), answer)

    def place(self, interaction: Interaction) -> Place | None:
        """Where it was pressed; None on another server."""
        if interaction.guild_id is not None and str(interaction.guild_id) != self.me.guild:
            return None
        return place_of(interaction.channel, self.me.guild)


def _typed(components: Any) -> dict[str, str]:
    """What stands in the fields of a dialog, however deep they are nested; picked choices one on each line."""
    found: dict[str, str] = {}
    for component in components:
        if "custom_id" in component:
            picked = "\n".join(map(str, component.get("values") or ()))
            found[str(component["custom_id"])] = str(component.get("value") or picked)
        inner = component.get("component")
        found |= _typed([inner] if inner else component.get("components") or ())
    return found
