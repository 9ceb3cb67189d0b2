"""`help`, `help approvals`: what can be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.commands import help_text
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def run(asked: Asked, office: Office) -> str:
    """What everybody needs, or the commands about one thing."""
    return help_text(asked.commands, asked.rest.casefold())


COMMANDS = (
    TextCommand(name="help", shape=r"help(?:\s+(?P<rest>\w+))?", run=run, does="see what I understand", place=0),
)
