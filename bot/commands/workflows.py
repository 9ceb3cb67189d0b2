"""What people say to see, begin, hold and correct workflows: `schedules`, `workflow`, `run`, `pause` and others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office

NAME = r"(?P<rest>[a-z][a-z0-9-]*)"
INPUTS = r"(?P<said>(?:\s+[a-z][a-z0-9_]*\s*=\s*(?:\"[^\"]*\"|\S+))*)"


async def schedules(asked: Asked, office: Office) -> str:
    """The workflows, their next firings and how they ended last."""
    return await office.workflows.listed(asked.person, asked.place)


async def show(asked: Asked, office: Office) -> str:
    """One workflow in plain words."""
    return await office.workflows.shown(asked.rest, asked.person, asked.place)


async def picture(asked: Asked, office: Office) -> str:
    """One workflow as a picture."""
    at = asked.inbound.sent_at or office.clock.now()
    return await office.workflows.picture(asked.rest, asked.person, asked.place, asked.inbound.key, at)


async def start(asked: Asked, office: Office) -> str:
    """Start a workflow now."""
    return await office.workflows.run_now(asked.rest, asked.words.get("said", ""), asked.person, asked.place)


async def rehearse(asked: Asked, office: Office) -> str:
    """What a workflow would do now."""
    return await office.workflows.rehearse(asked.rest, asked.words.get("said", ""), asked.person, asked.place)


async def history(asked: Asked, office: Office) -> str:
    """What became of its firings."""
    return await office.workflows.history(asked.rest, asked.person, asked.place)


async def pause(asked: Asked, office: Office) -> str:
    """Hold a workflow."""
    return await office.workflows.control.pause(asked.rest, asked.person, asked.actor)


async def resume(asked: Asked, office: Office) -> str:
    """Let a workflow begin by itself again."""
    return await office.workflows.control.resume(asked.rest, asked.person, asked.actor)


async def delete(asked: Asked, office: Office) -> str:
    """Take a workflow out of the charter."""
    return await office.workflows.control.delete(asked.rest, asked.person, asked.actor)


async def correct(asked: Asked, office: Office) -> str:
    """Remember what was wrong with the output of a run."""
    return await office.workflows.control.correct(asked.rest, asked.words.get("said", ""), asked.person)


async def corrections(asked: Asked, office: Office) -> str:
    """What is remembered for the next runs."""
    return await office.workflows.corrections(asked.rest, asked.person, asked.place)


async def uncorrect(asked: Asked, office: Office) -> str:
    """Forget a correction."""
    number = int(asked.words.get("number", "0"))
    return await office.workflows.control.withdraw(asked.rest, number, asked.person, asked.actor)


TOPIC = "workflows"
COMMANDS = (
    TextCommand(
        name="schedules",
        shape="schedules|workflows",
        run=schedules,
        place=31,
        does="see what runs by itself, and when next",
    ),
    TextCommand(
        name="run",
        offers=offers.workflows,
        shape=rf"run\s+{NAME}{INPUTS}",
        run=start,
        usage="digest",
        place=32,
        acting=True,
        does="run a workflow now",
    ),
    TextCommand(
        name="workflow",
        offers=offers.workflows,
        group="workflows",
        shape=rf"workflow\s+{NAME}",
        run=show,
        usage="digest",
        place=33,
        does="see its steps in plain words and its next five times",
    ),
    TextCommand(
        name="picture",
        shape=rf"picture\s+(?:of\s+)?{NAME}",
        run=picture,
        usage="digest",
        place=33,
        does="see it as a picture: its steps, whom they ask, its last runs",
    ),
    TextCommand(
        name="dry-run",
        offers=offers.workflows,
        group="workflows",
        shape=rf"dry[- ]run\s+{NAME}{INPUTS}",
        run=rehearse,
        usage="digest",
        place=34,
        personal=True,
        does="see what it would do now, with nothing done",
    ),
    TextCommand(
        name="history",
        offers=offers.workflows,
        group="workflows",
        shape=rf"history\s+{NAME}",
        run=history,
        usage="digest",
        place=35,
        does="see how it went so far",
    ),
    TextCommand(
        name="pause",
        offers=offers.workflows,
        group="workflows",
        shape=rf"pause\s+{NAME}",
        run=pause,
        usage="digest",
        place=36,
        acting=True,
        does="let a workflow begin by itself no more",
    ),
    TextCommand(
        name="resume",
        offers=offers.workflows,
        group="workflows",
        shape=rf"resume\s+{NAME}",
        run=resume,
        usage="digest",
        place=37,
        acting=True,
        does="let it begin by itself again",
    ),
    TextCommand(
        name="correct",
        offers=offers.of_workflows,
        group="workflows",
        shape=r"correct\s+(?P<rest>R-[0-9A-Za-z]{4,26})\s+(?P<said>.+)",
        run=correct,
        usage="R-7F3K Amounts are without VAT",
        place=38,
        acting=True,
        does="tell a workflow what was wrong, for its next runs",
    ),
    TextCommand(
        name="corrections",
        offers=offers.workflows,
        group="workflows",
        shape=rf"corrections\s+{NAME}",
        run=corrections,
        usage="digest",
        place=39,
        does="see what a workflow was told",
    ),
    TextCommand(
        name="uncorrect",
        offers=offers.workflows,
        group="workflows",
        shape=rf"uncorrect\s+{NAME}\s+(?P<number>[0-9]{{1,3}})",
        run=uncorrect,
        usage="digest 1",
        place=39,
        acting=True,
        does="let it forget one of these",
    ),
    TextCommand(
        name="delete",
        phrase="delete workflow",
        offers=offers.workflows,
        group="workflows",
        shape=rf"delete\s+workflow\s+{NAME}",
        run=delete,
        usage="digest",
        place=40,
        acting=True,
        does="take a workflow out of the charter",
    ),
)
