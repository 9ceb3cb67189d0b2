"""`/bosun ask`: what was asked is shown to everybody, and the answer comes below it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.engine import asking
from bot.slack.outgoing import NOT_THERE
from bot.slack.web import GoneError, SlackError, reason_of
from kernel.errors import OutcomeUnknown, PlatformError
from kernel.store.outbox import Claimed
from kernel.types import Text

if TYPE_CHECKING:
    from bot.slack.outgoing import Outgoing
    from bot.slack.people import People
    from kernel.clock import Clock
    from kernel.types import Inbound

INVITE = "I am not in this channel, so I cannot answer here: invite me first, or write to me directly."
LOST = "I could not show your question just now, so nothing happened. Please ask again in a moment."

log = logging.getLogger("bosun.slack")


class Asks:
    """Shows what is asked by command, so that there is a message whose thread the answer can stand in."""

    def __init__(self, outgoing: Outgoing, people: People, clock: Clock) -> None:
        self.outgoing = outgoing
        self.people = people
        self.clock = clock

    async def mention(self, command: Inbound) -> Inbound | None:
        """The request that the command makes; the command itself where it asks nothing; None where the question
        cannot be shown, which is told to whoever asked."""
        question = asking.by_command(command.text)
        if not question:
            return command
        try:
            message = await self._shown(command, question)
        except PlatformError as error:
            log.info("A question could not be shown, so it is not taken: %s", error)
            no_member = isinstance(error, GoneError | SlackError) and reason_of(error) in NOT_THERE
            await self._tell(command, INVITE if no_member else LOST)
            return None
        return command.model_copy(update={"kind": "mention", "message": message, "text": question})

    async def _shown(self, command: Inbound, question: str) -> str:
        """Post the question, once whatever becomes of the answer to that; returns its message."""
        names = await self.people.names([command.actor.user])
        body = Text(markdown=asking.asks(names.get(command.actor.user, "Somebody"), question))
        row = Claimed(
            id=f"ask-{command.key}",
            platform=command.place.platform,
            lane=command.place.lane,
            place=command.place.model_dump(mode="json"),
            body=body.model_dump(mode="json"),
            created_at=self.clock.now(),
        )
        try:
            return await self.outgoing.post(row)
        except OutcomeUnknown:
            return await self.outgoing.find(row) or await self.outgoing.post(row)

    async def _tell(self, command: Inbound, text: str) -> None:
        try:
            await self.outgoing.tell(command.place, command.actor, text)
        except PlatformError as error:
            log.info("Nobody could be told: %s", error)
