"""Pressed buttons and submitted dialogs: each ends in one recorded outcome and one private answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from bot.engine.dashboard import dashboard
from bot.engine.feedback import PREFIX as ANSWERS
from bot.engine.held import PREFIX
from bot.engine.home_settings import HOME
from bot.engine.home_settings import PREFIX as OWN
from bot.engine.sight import reading_in
from kernel.errors import BosunError, PlatformError, StoreError
from kernel.types import Form

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.engine.adapter import Adapter
    from bot.engine.directory import TeamDirectory
    from bot.engine.feedback import Feedback
    from bot.engine.held import Held
    from bot.engine.home import Home
    from bot.engine.home_settings import HomeSettings
    from bot.engine.stops import Stops
    from kernel.types import Actor, Body, Inbound, Person, Place, Press

    TakeUp = Callable[[str], Awaitable[None]]

log = logging.getLogger(__name__)


class Decider(Protocol):
    """What presses need of the approvals."""

    async def answer(self, press: Press, actor: Actor) -> Form | str:
        """The dialog that this press opens, or, once it is recorded, what to tell the person privately.

        NotFound, OutOfDate, NotAllowed as they apply.
        """
        ...

    async def why(self, ref: str, person: Person, *, reads: Callable[[Place], bool]) -> str:
        """What became of a run or an approval, and the receipt; Markdown. `reads`: what the person can read."""
        ...


class Opener(Protocol):
    """Whatever has buttons of its own, by the beginning of their subject."""

    async def answer(self, press: Press, person: Person, actor: Actor) -> Form | str | Body:
        """The dialog that this press opens, or, once it is recorded, what to tell or show the person privately."""
        ...


class Presses:
    """Handles presses by their subject: approvals (AP-), runs (R-), what people say of answers (FB-), held requests
    (H-), settings (ME-) and `others`.
    """

    def __init__(
        self,
        *,
        decider: Decider,
        stops: Stops,
        held: Held,
        adapters: Mapping[str, Adapter],
        take_up: TakeUp,
        home: Home,
        settings: HomeSettings,
        feedback: Feedback,
        directory: TeamDirectory,
        others: Mapping[str, Opener],
    ) -> None:
        self.decider = decider
        self.stops = stops
        self.held = held
        self.adapters = adapters
        self.home = home
        self.here: Mapping[str, HomeSettings | Feedback] = {OWN: settings, ANSWERS: feedback}
        self.directory = directory
        self.take_up = take_up  # begins what waits in a conversation
        self.others = others  # beginning of the subject ("F-") -> who handles it

    async def pressed(self, inbound: Inbound, person: Person) -> str | Body:
        """Act on the press; returns the private answer, empty where a dialog was opened instead."""
        press = inbound.press
        if press is None:
            return "This button carries nothing that I know. Open the thread again and use the current card."
        press = press.model_copy(update={"event": inbound.key})
        try:
            return await self._act(press, person, inbound)
        except StoreError:
            raise  # it counts when the database is back
        except BosunError as error:
            return str(error)

    async def _act(self, press: Press, person: Person, inbound: Inbound) -> str | Body:
        if press.subject.startswith("R-"):
            return await self._run(press, person, inbound)
        if press.subject.startswith(PREFIX):
            return await self._held(press, person, inbound.actor)
        if press.subject == HOME:
            return dashboard(await self.home.of(person, inbound.actor), person.name)
        for prefix, one in self.here.items():
            if press.subject.startswith(prefix):
                return await self._opened(press, inbound, await one.answer(press, person, inbound))
        for prefix, other in self.others.items():
            if press.subject.startswith(prefix):
                return await self._opened(press, inbound, await other.answer(press, person, inbound.actor))
        if press.verb == "review":
            return await self.home.review(press.subject, person, inbound.actor)
        return await self._opened(press, inbound, await self.decider.answer(press, inbound.actor))

    async def _run(self, press: Press, person: Person, inbound: Inbound) -> str:
        verbs = {"stop": self.stops.stop, "retry": self.stops.retry, "skip": self.stops.skip}
        if press.verb in verbs:
            return await verbs[press.verb](press.subject, person, inbound.actor)
        if press.verb == "details":
            sees = reading_in(inbound.place, self.directory, person)
            return await self.decider.why(press.subject, person, reads=sees)
        return "This button is out of date."

    async def _held(self, press: Press, person: Person, actor: Actor) -> str:
        text, conversations = await self.held.decide(press.subject, press.verb, person, actor)
        for conversation_id in conversations:
            await self.take_up(conversation_id)
        return text

    async def _opened(self, press: Press, inbound: Inbound, form: Form | str | Body) -> str | Body:
        if not isinstance(form, Form):
            return form
        if press.trigger is None:
            return (
                form.unopened or f"I can't open a dialog here. Say `{press.verb} {press.subject} because ...` instead."
            )
        try:
            await self.adapters[inbound.place.platform].open_form(press.trigger, form)
        except PlatformError as error:
            log.info("dialog for %s could not be opened: %s", press.subject, error)
            return form.unopened or "The dialog could not be opened in time. Press the button again."
        return ""
