"""`home`: the dashboard of whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.dashboard import dashboard
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office
    from kernel.types import Dashboard


async def run(asked: Asked, office: Office) -> Dashboard:
    """What this person may see, and nothing else."""
    return dashboard(await office.home.of(asked.person, asked.actor), asked.person.name)


COMMANDS = (
    TextCommand(
        name="home",
        shape="home|dashboard",
        run=run,
        place=5,
        personal=True,
        does="see what waits for you, what runs, and what agents may do alone",
    ),
)
