"""`tools`: what each agent may use, and under which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def run(asked: Asked, office: Office) -> str:
    """The tools of one agent, or of all."""
    return office.tools.markdown(asked.rest.lower())


TOPIC = "rules"
COMMANDS = (
    TextCommand(
        name="tools",
        offers=offers.agents,
        group="rights",
        shape=r"tools(?:\s+(?P<rest>[\w-]{1,40}))?",
        run=run,
        usage="finance",
        place=11,
        does="see what an agent may use, and under which rule; `tools` shows all",
    ),
)
