"""`help`: what can be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.commands import help_text
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def run(asked: Asked, office: Office) -> str:
    """All commands."""
    return help_text(asked.commands)


COMMANDS = (TextCommand(name="help", shape="help", run=run, does="see what I understand", place=0),)
