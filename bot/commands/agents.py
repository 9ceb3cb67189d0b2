"""`agents`: who works here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def run(asked: Asked, office: Office) -> str:
    """The agents, and what each is for."""
    rows = [f"- **{agent.name}**: {agent.description}" for agent in office.charter().roster.agents.values()]
    hint = (
        "Address one with `finance: ...`; otherwise the one that fits answers. `tools finance` shows what it may use."
    )
    return "\n".join([*rows, "", hint])


COMMANDS = (
    TextCommand(
        name="agents", shape="agents", run=run, place=10, does="see who works here; `finance: ...` asks one of them"
    ),
)
