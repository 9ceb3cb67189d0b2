"""`autonomy`: how far each rule that asks has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand
from rules.engine.autonomy.levels import overview

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def run(asked: Asked, office: Office) -> str:
    """The level of each rule, and its evidence."""
    rules, now = office.rules.current, office.clock.now()
    return await office.store.read(lambda session: overview(session, rules, now))


TOPIC = "rules"
COMMANDS = (
    TextCommand(
        name="autonomy",
        group="rights",
        shape="autonomy",
        run=run,
        place=26,
        does="see which rules ask every time, and which no longer",
    ),
)
