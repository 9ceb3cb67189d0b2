"""`agents`: who works here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def run(asked: Asked, office: Office) -> str:
    """The agents, what each is for and which tools it has."""
    rows = [
        f"| **{agent.name}** | {agent.description} | {', '.join(agent.tools) or 'none'} |"
        for agent in office.charter().roster.agents.values()
    ]
    hint = "Address one with `finance: ...`; otherwise the one that fits answers."
    return "\n".join(["| agent | for | tools |", "|---|---|---|", *rows, "", hint])


COMMANDS = (
    TextCommand(
        name="agents", shape="agents", run=run, place=10, does="see who works here; `finance: ...` asks one of them"
    ),
)
