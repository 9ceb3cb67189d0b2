"""`schedules`, `run`: the workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def schedules(asked: Asked, office: Office) -> str:
    """The workflows and their next firings."""
    return await office.workflows.schedules()


async def start(asked: Asked, office: Office) -> str:
    """Start a workflow now."""
    return await office.workflows.run_now(asked.rest, asked.person, asked.place)


COMMANDS = (
    TextCommand(
        name="schedules", shape="schedules", run=schedules, place=31, does="see what runs by itself, and when next"
    ),
    TextCommand(
        name="run",
        shape=r"run\s+(?P<rest>[\w-]+)",
        run=start,
        usage="digest",
        place=32,
        acting=True,
        does="run a workflow now",
    ),
)
