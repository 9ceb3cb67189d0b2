"""`budgets`: what is used of every budget and limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.home_budgets import eyes_of
from bot.engine.text_command import TextCommand
from rules.engine.budget_text import listing
from rules.engine.meters import in_force

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def run(asked: Asked, office: Office) -> str:
    """Every budget and limit in force, as far as the person may see what is used of it."""
    eyes = await eyes_of(office.directory, asked.person, asked.actor)
    meters = in_force(office.rules.current.rules, office.charter().team.budgets)
    return await office.store.read(lambda session: listing(session, meters, office.clock.now(), eyes.sees))


TOPIC = "rules"
COMMANDS = (
    TextCommand(
        name="budgets",
        shape="budgets?",
        run=run,
        place=33,
        personal=True,
        does="see what is used of budgets and limits",
    ),
)
