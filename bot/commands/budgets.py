"""`budgets`: what is used of every budget and limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand
from rules.engine.budget_text import listing

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def run(_asked: Asked, office: Office) -> str:
    """Every budget and limit of the rules in force."""
    return await office.store.read(lambda session: listing(session, office.rules.current, office.clock.now()))


TOPIC = "rules"
COMMANDS = (
    TextCommand(
        name="budgets", shape="budgets", run=run, place=33, personal=True, does="see what is used of budgets and limits"
    ),
)
