"""Answers to presses and commands: the first one within three seconds, more for fifteen minutes, seen by one person."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import discord

from bot.discord.api import ANSWERED, calling, number_of
from bot.discord.files import upload_of
from bot.engine.again import insist
from kernel.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.render import Shown
    from kernel.types import Place

SOON = 2.2  # seconds after which a press is acknowledged, whatever it is still waiting for
REMEMBERED = 1000  # interactions whose answers may still come

Interaction = discord.Interaction[Any]
Sent = TypeVar("Sent")

log = logging.getLogger("bosun.discord")


class Answer:
    """One interaction. Everything about it goes one after the other, so that it is answered first exactly once."""

    def __init__(self, interaction: Interaction, *, waits: bool) -> None:
        self.interaction = interaction
        self.waits = waits  # the answer is a new message, for which the person is shown that it is on its way
        self.answered = False
        self.shows = ""  # the message that can be changed as its first answer; empty where it is none or not known
        self._turn = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def soon(self, seconds: float = SOON) -> None:
        """Acknowledge by itself, should nothing else come in time."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._spawn)

    def _spawn(self) -> None:
        self._task = asyncio.create_task(self._late())

    async def _late(self) -> None:
        try:
            await self.acknowledge()
        except PlatformError as error:
            log.info("A press could not be acknowledged: %s", error)

    async def acknowledge(self) -> None:
        """Say that it has arrived, unless something was said already."""
        async with self._turn:
            if not self.answered:
                defer = partial(self.interaction.response.defer, ephemeral=True, thinking=self.waits)
                await self._first("take the acknowledgement", defer)
                if not self.waits and self.interaction.message is not None:
                    self.shows = str(self.interaction.message.id)
        self._done()

    async def say(self, shown: Shown) -> bool:
        """Show something to this person alone; says whether it is what `change` changes.

        PlatformError where it is too late.
        """
        async with self._turn:
            options: dict[str, Any] = {"ephemeral": True, **shown.first()}
            if not self.answered:
                send = partial(self.interaction.response.send_message, **options)
                response = await self._first("show the private answer", send)
                self.shows = str(response.message_id or "") if response is not None else ""
                first = True
            else:
                message = await insist(lambda: self._further(options))
                first = self.waits and not self.shows
                if first:
                    self.shows = str(message.id)
            with calling("show the rest of the private answer"):
                for text in shown.more:
                    await self.interaction.followup.send(text, ephemeral=True, suppress_embeds=True)
                for file in shown.attachments:
                    upload = upload_of(file.name, file.content.encode("utf-8", "replace"))
                    await self.interaction.followup.send(file=upload, ephemeral=True)
        self._done()
        return first

    async def _further(self, options: dict[str, Any]) -> discord.WebhookMessage:
        with calling("show the private answer"):
            message: discord.WebhookMessage = await self.interaction.followup.send(**options)
        return message

    async def change(self, shown: Shown) -> None:
        """Have the first answer show this."""
        with calling("bring the answer up to date"):
            await self.interaction.edit_original_response(**shown.change())

    async def show_all(self, text: str) -> str:
        """Show something to everybody there; returns the message's id. PlatformError where it is too late."""
        async with self._turn:
            response = await self._first("show the question", partial(self.interaction.response.send_message, text))
            return str(response.message_id) if response is not None else await insist(self._message)

    async def _message(self) -> str:
        """The message that the first answer was."""
        with calling("say which message it is"):
            return str((await self.interaction.original_response()).id)

    async def open(self, modal: discord.ui.Modal) -> None:
        """Open a dialog, which only a first answer can. PlatformError where it is too late."""
        async with self._turn:
            if self.answered:
                raise PlatformError("The press was answered before its dialog could be opened.")
            await self._first("open the dialog", partial(self.interaction.response.send_modal, modal))
        self._done()

    async def _first(self, what: str, call: Callable[[], Awaitable[Sent]]) -> Sent | None:
        """The first answer, for which the person waits. Where one is there already, it was this one: None."""

        async def make() -> Sent:
            with calling(what):
                return await call()

        sent = None
        try:
            sent = await insist(make)
        except PlatformError as error:
            if number_of(error) != ANSWERED:
                raise
        self.answered = True
        return sent

    def _done(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Answers:
    """The interactions that can still be answered: the last of each person in each channel, and by their id."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._by_id: OrderedDict[str, Answer] = OrderedDict()
        self._homes: OrderedDict[str, Answer] = OrderedDict()  # person -> what can change the dashboard they look at

    def keep(self, place: Place, answer: Answer) -> str:
        """Remember an interaction; returns the trigger by which a dialog can be opened."""
        trigger, user = str(answer.interaction.id), str(answer.interaction.user.id)
        for memory, key in ((self._last, (place.channel, user)), (self._by_id, trigger)):
            memory[key] = answer  # type: ignore[index]  # each memory has keys of its own
            memory.move_to_end(key)  # type: ignore[arg-type]
            if len(memory) > REMEMBERED:
                memory.popitem(last=False)
        return trigger

    def of(self, trigger: str) -> Answer:
        """The interaction with this id; PlatformError where it is another process's or long gone."""
        found = self._by_id.get(trigger)
        if found is None:
            raise PlatformError("The press can no longer be answered.")
        return found

    def looks_at(self, user: str, answer: Answer) -> None:
        """The person's dashboard is what `answer` has shown."""
        self._homes[user] = answer
        self._homes.move_to_end(user)
        if len(self._homes) > REMEMBERED:
            self._homes.popitem(last=False)

    def pressed(self, user: str, answer: Answer) -> None:
        """Something was pressed: where it stands on the dashboard, that can be changed for longer now."""
        home = self._homes.get(user)
        if home is not None and home.shows and home.shows == answer.shows:
            self.looks_at(user, answer)

    def home(self, user: str) -> Answer | None:
        """What can change the dashboard that this person looks at, while it can."""
        found = self._homes.get(user)
        return None if found is None or found.interaction.is_expired() else found

    def to(self, event: str, channel: str, user: str) -> Answer | None:
        """The interaction that brought the event with this key, else the person's last one in the channel.

        None where it can no longer be answered.
        """
        found = self._by_id.get(event.rpartition("/")[2]) or self._last.get((channel, user))
        return None if found is None or found.interaction.is_expired() else found


def button(label: str, custom_id: str, style: discord.ButtonStyle) -> discord.ui.Button[Any]:
    """A button that is only shown: presses come to the router."""
    return discord.ui.Button(label=label, custom_id=custom_id, style=style)
