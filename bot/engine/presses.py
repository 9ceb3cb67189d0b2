"""Pressed buttons and submitted dialogs: each ends in one recorded outcome and one private answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from kernel.errors import BosunError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.engine.adapter import Adapter
    from bot.engine.stops import Stops
    from kernel.types import Actor, Form, Inbound, Person, Press

log = logging.getLogger(__name__)


class Decider(Protocol):
    """What presses need of the approvals."""

    async def form(self, press: Press, actor: Actor) -> Form | None:
        """The dialog that this press opens; None where it needs none. NotFound, OutOfDate, NotAllowed as they apply."""
        ...

    async def press(self, press: Press, actor: Actor) -> str:
        """Record the answer; returns what to tell the person privately."""
        ...


class Presses:
    """Handles presses by their subject: approvals (AP-...) and runs (R-...)."""

    def __init__(self, decider: Decider, stops: Stops, adapters: Mapping[str, Adapter]) -> None:
        self.decider = decider
        self.stops = stops
        self.adapters = adapters

    async def pressed(self, inbound: Inbound, person: Person) -> str:
        """Act on the press; returns the private answer, empty where a dialog was opened instead."""
        press = inbound.press
        if press is None:
            return "This button carries nothing that I know. Open the thread again and use the current card."
        try:
            if press.subject.startswith("R-"):
                return await self._run(press, person, inbound.actor)
            return await self._approval(press, inbound)
        except BosunError as error:
            return str(error)

    async def _run(self, press: Press, person: Person, actor: Actor) -> str:
        if press.verb == "stop":
            return await self.stops.stop(press.subject, person, actor)
        if press.verb == "retry":
            return await self.stops.retry(press.subject, person, actor)
        return "This button is out of date."

    async def _approval(self, press: Press, inbound: Inbound) -> str:
        form = await self.decider.form(press, inbound.actor) if not press.fields else None
        if form is None:
            return await self.decider.press(press, inbound.actor)
        if press.trigger is None:
            return f"I can't open a dialog here. Say `{press.verb} {press.subject} because ...` instead."
        try:
            await self.adapters[inbound.place.platform].open_form(press.trigger, form)
        except PlatformError as error:
            log.info("dialog for %s could not be opened: %s", press.subject, error)
            return "The dialog could not be opened in time. Press the button again."
        return ""
