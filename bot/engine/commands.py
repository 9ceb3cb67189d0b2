"""Text commands: which first words Bosun knows, the same on every platform, in threads and as slash commands."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import bot.commands
from bot.engine import asking
from bot.engine.text_command import Asked, TextCommand
from kernel.errors import ConfigError
from kernel.types import Command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.text_command import Office
    from kernel.types import Actor, Body, Inbound, Person, Place

INTRODUCTION = """\
Ask me anything in a channel (`@bosun ...`) or here; I answer in a thread with my sources.
What needs a person, I ask for with a card; nothing happens before it is approved.
"""


def discover() -> tuple[TextCommand, ...]:
    """The commands of bot/commands, in the order in which `help` lists them. ConfigError where two share a name."""
    found: dict[str, TextCommand] = {}
    for module in pkgutil.iter_modules(bot.commands.__path__):
        loaded = importlib.import_module(f"bot.commands.{module.name}")
        for command in loaded.COMMANDS:
            if command.name in found:
                raise ConfigError(f"Two text commands are named '{command.name}'; one is in {loaded.__file__}.")
            found[command.name] = replace(command, topic=getattr(loaded, "TOPIC", ""))
    return tuple(sorted(found.values(), key=lambda command: (command.place, command.name)))


def help_text(commands: Iterable[TextCommand], topic: str = "") -> str:
    """What can be said, as Markdown: about a topic, or what everybody needs and the first of each topic."""
    known = [command for command in commands if command.does]
    topics = list(dict.fromkeys(command.topic for command in known if command.topic))
    if topic in topics:
        return "\n".join([f"About {topic} you can say:", "", *_lines(one for one in known if one.topic == topic)])
    first = [next(one for one in known if one.topic == name) for name in topics]
    shown = [one for one in known if not one.topic or one in first]
    more = " · ".join(f"`help {name}`" for name in topics)
    return "\n".join([INTRODUCTION, "You can say:", "", *_lines(shown), "", f"There is more: {more}"])


def _lines(commands: Iterable[TextCommand]) -> list[str]:
    return [f"- `{command.example}` {command.does}" for command in commands]


class Commands:
    """Recognises and runs commands. Every answer is Markdown, or a message with buttons."""

    def __init__(self, office: Office, known: Iterable[TextCommand]) -> None:
        self.office = office
        self.known = {command.name: command for command in known}
        self._patterns = {
            name: re.compile(rf"\s*[!/]?(?:{command.shape})\s*", re.IGNORECASE | re.DOTALL)
            for name, command in self.known.items()
        }

    def recognise(self, text: str) -> Command | None:
        """The command that the whole text is, or None: then it is a request. A bare "yes" never decides anything."""
        for name, pattern in self._patterns.items():
            match = pattern.fullmatch(text)
            if match is not None:
                words = {group: said.strip() for group, said in match.groupdict().items() if said}
                return Command(name=name, words=words)
        return None

    def is_acting(self, command: Command) -> bool:
        """It changes something; the others only tell."""
        return self.known[command.name].acting

    def is_personal(self, command: Command) -> bool:
        """What it answers is for whoever said it alone."""
        return self.known[command.name].personal

    async def run(self, command: Command, person: Person, inbound: Inbound, place: Place) -> str | Body:
        """Do it and say what came of it. Any BosunError is a refusal, to be told to the person alone."""
        asked = Asked(
            person=person,
            actor=inbound.actor,
            place=place,
            inbound=inbound,
            words=command.words,
            commands=tuple(self.known.values()),
        )
        return await self.known[command.name].run(asked, self.office)

    async def stop(self, person: Person, actor: Actor, place: Place) -> str:
        """Stop the run in this thread, as the platform's own button asks."""
        return await self.office.stops.stop_here(place, person, actor)

    def unknown(self, text: str) -> str:
        """What to say to a slash command that is none."""
        shown = text.strip().split("\n")[0][:40]
        if shown.lower() == asking.COMMAND:
            return "Say behind it what you want to know, such as `ask How long do refunds take?`"
        known = help_text(self.known.values())
        return f"I don't know the command `{shown}`.\n\n{known}" if shown else known
