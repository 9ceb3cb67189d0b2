"""People at work on a platform: the same few gestures on Slack and in the web chat."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.behaviours.world import PATIENCE, World

AGAIN, OFFLINE = "Press the button again", "I was offline when you said"


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A thread: its channel and its root. In a channel's place itself the root is empty."""

    channel: str
    root: str = ""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message as somebody reads it."""

    id: str
    by: str  # "bosun", or the person
    text: str
    buttons: tuple[str, ...] = ()  # their labels
    raw: Any = field(default=None, repr=False, compare=False)


class Chat(ABC):
    """A platform in the hands of the team."""

    platform: str

    def __init__(self, world: World) -> None:
        self.world = world
        # Person -> their last press, how often they had been told AGAIN before it, and how often Bosun had been killed.
        self._pressed: dict[str, tuple[Callable[[], Awaitable[None]], int, int]] = {}
        self._last_said: tuple[str, str, Spot] | None = None  # what was said last, and by whom
        self._kills = 0  # how often Bosun had been killed when it was said
        self._offline = 0  # how often somebody was told OFFLINE and has said it again

    # -- what people do ---------------------------------------------------------------------------

    async def say(
        self, person: str, text: str, at: Spot, *, files: Sequence[tuple[str, bytes]] = (), size: int | None = None
    ) -> str:
        """Write something; returns the id of the message. "@bosun" and "@ann" are mentions."""
        await self.world.up()
        if self._last_said is None or self._last_said != (person, text, at):
            self._offline = 0
        message = await self.write(person, text, at, files=files, size=size)
        self._last_said, self._kills = (person, text, at), self.world.kills
        self.world.moment()
        return message

    async def _say_again(self) -> None:
        """What acts is not taken from the history: who is told so after a crash says it again."""
        if not self.world.rough or self._last_said is None or not self._last_said[2].root:
            return
        person, text, at = self._last_said
        told = [said.text for said in await self.answers(at)] + await self.notices(person)
        offline = sum(f"{OFFLINE} `{text.removeprefix('@bosun ')}`" in one for one in told)
        if offline > self._offline:
            self._offline = offline
            await self.say(person, text, at)

    async def _unanswered(self) -> None:
        """Nothing was told in private so far: who would say it again does so."""
        await self._say_again()

    @abstractmethod
    async def write(
        self, person: str, text: str, at: Spot, *, files: Sequence[tuple[str, bytes]] = (), size: int | None = None
    ) -> str:
        """What `say` does on this platform."""

    async def ask(
        self,
        person: str,
        text: str,
        channel: str = "general",
        *,
        files: Sequence[tuple[str, bytes]] = (),
        size: int | None = None,
    ) -> Spot:
        """Mention Bosun in a channel; returns the thread in which it will answer. `size` is what the files claim."""
        root = await self.say(person, f"@bosun {text}", Spot(channel=channel), files=files, size=size)
        return Spot(channel=channel, root=root)

    @abstractmethod
    async def react(self, person: str, emoji: str, message: str, at: Spot) -> None:
        """Put an emoji, a character, on a message."""

    async def click(self, person: str, message: Said, label: str) -> None:
        """Press a button, also one of a card that has changed since `message` was read."""
        await self._presses(person, lambda: self.click(person, message, label))
        await self._until_taken(lambda: self.press_button(person, message, label))

    async def _presses(self, person: str, press: Callable[[], Awaitable[None]]) -> None:
        self._pressed[person] = press, await self._refusals(person), self.world.kills

    async def _press_again(self) -> None:
        """Who is told to press again does so."""
        for person, (press, refusals, _) in list(self._pressed.items()) if self.world.rough else ():
            if await self._refusals(person) > refusals:
                await press()

    async def _until_taken(self, gesture: Callable[[], Awaitable[bool]]) -> None:
        """Make a gesture again where the platform says that it failed."""
        taken = False
        while not taken:
            await self.world.up()
            taken = await gesture()

    @abstractmethod
    async def press_button(self, person: str, message: Said, label: str) -> bool:
        """Press it once. Where the world is rough: waits, and says whether the platform takes it to have worked."""

    async def dialog(self, person: str) -> dict[str, str]:
        """Wait for a dialog to open in front of this person; its fields with what stands in them.

        Whoever is told to press again does so, and so does whoever sees nothing come of it because Bosun was killed.
        """

        async def look() -> dict[str, str] | None:
            opened = self.opened(person)
            if opened is None and person in self._pressed:
                press, refusals, kills = self._pressed[person]
                if self.world.kills > kills:
                    await self.world.quiet_but_for_runs()
                    opened = self.opened(person)
                if opened is None and (self.world.kills > kills or await self._refusals(person) > refusals):
                    await press()
            return opened

        return await self.world.until(look)

    async def about(self, person: str, message: str, at: Spot, question: str) -> None:
        """Pick "Ask about this" in the menu of a message, and ask."""
        await self.world.up()
        await self.pick_about(person, message, at)
        await self.dialog(person)
        await self.submit(person, question=question)

    @abstractmethod
    async def pick_about(self, person: str, message: str, at: Spot) -> None:
        """Pick it."""

    async def _refusals(self, person: str) -> int:
        return sum(AGAIN in notice for notice in await self.notices(person))

    @abstractmethod
    def opened(self, person: str) -> dict[str, str] | None:
        """The dialog in front of this person: its fields with what stands in them; None where there is none."""

    async def submit(self, person: str, **fields: str) -> None:
        """Send the dialog that this person has open, with these fields changed."""
        await self._until_taken(lambda: self.send_dialog(person, fields))

    @abstractmethod
    async def send_dialog(self, person: str, fields: dict[str, str]) -> bool:
        """Send it once; says whether the platform takes it to have worked."""

    async def use_home(self, person: str, label: str, about: str) -> None:
        """Open the dashboard and press the button with this label, in whose subject `about` stands."""
        await self._presses(person, lambda: self.use_home(person, label, about))
        await self._until_taken(lambda: self.press_on_home(person, label, about))

    @abstractmethod
    async def press_on_home(self, person: str, label: str, about: str) -> bool:
        """Do it once, and say whether the platform takes it to have worked."""

    # -- what people see --------------------------------------------------------------------------

    @abstractmethod
    async def read(self, spot: Spot, reader: str = "dee") -> list[Said]:
        """The thread without its root, or the top level of the channel; oldest first."""

    @abstractmethod
    async def notices(self, person: str) -> list[str]:
        """What only this person was shown, oldest first."""

    @abstractmethod
    async def reactions(self, spot: Spot) -> list[str]:
        """The signs on the thread's root."""

    @abstractmethod
    async def state(self, spot: Spot) -> str:
        """What the thread shows of Bosun: processing, suspended or active."""

    @abstractmethod
    def home(self, person: str) -> Spot:
        """The direct messages between this person and Bosun."""

    # -- waiting ----------------------------------------------------------------------------------

    async def answers(self, spot: Spot, reader: str = "dee") -> list[Said]:
        """What Bosun said in the thread so far."""
        return [said for said in await self.read(spot, reader) if said.by == "bosun"]

    async def answer(self, spot: Spot, *words: str, reader: str = "dee", patience: float = PATIENCE) -> Said:
        """Wait until Bosun has said something in the thread that holds all these words."""

        async def look() -> Said | None:
            said = [one for one in await self.answers(spot, reader) if all(word in one.text for word in words)]
            if not said:
                await self._say_again()
                await self._press_again()
            return said[-1] if said else None

        try:
            return await self.world.until(look, patience)
        except TimeoutError:
            raise AssertionError(f"{words} was not said, but {await self.answers(spot, reader)}") from None

    async def card(self, spot: Spot, *words: str) -> Said:
        """Wait for a card with open buttons in the thread."""

        async def look() -> Said | None:
            cards = [one for one in await self.answers(spot) if {"Reject…", "Reject all…"} & set(one.buttons)]
            return next((one for one in reversed(cards) if all(word in one.text for word in words)), None)

        return await self.world.until(look)

    async def shows(self, spot: Spot, state: str) -> None:
        """Wait until the thread shows that Bosun is in this state."""

        async def look() -> bool:
            return await self.state(spot) == state

        await self.world.until(look)

    async def copies(self, ref: str, spot: Spot) -> list[Said]:
        """All cards of an approval that people see: in the thread and in the channel of approvals."""
        everywhere = await self.answers(spot) + await self.answers(Spot(channel="approvals"))
        return [one for one in everywhere if ref_of(one) == ref]

    async def notice(self, person: str, *words: str, after: int = 0) -> str:
        """Wait for a private notice with these words, behind the first `after` notices."""

        async def look() -> str | None:
            found = [text for text in (await self.notices(person))[after:] if all(word in text for word in words)]
            if not found:
                await self._unanswered()
            return found[-1] if found else None

        try:
            return await self.world.until(look)
        except TimeoutError:
            raise AssertionError(f"{person} was not told {words}, but {await self.notices(person)}") from None

    @abstractmethod
    async def close(self) -> None:
        """Go home."""


def ref_of(message: Said) -> str:
    """The approval, or the batch of several, that a card is about."""
    found = re.search(r"\b((?:AP|BA)-[0-9A-Z]{4,}) · revision", message.text)
    return found[1] if found else ""
