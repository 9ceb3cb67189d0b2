"""What people said of answers, as Markdown: how many helped, by agent, and what was wrong with the others. No names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kernel.store import feedback
from workflows.engine import happenings
from workflows.engine.happenings import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from kernel.store.feedback import Said
    from workflows.engine.happenings import Lines
    from workflows.engine.steps import StepContext

REASON = 300  # characters of a reason that are quoted


async def opinions(step: StepContext, since: datetime) -> list[Said]:
    """What people said of the answers in the workflow's channel from `since` until the run began."""
    until, principal = step.run.created_at, step.directory.principal
    return await step.store.read(lambda session: feedback.in_channel(session, step.place, since, until, principal))


def share(found: Sequence[Said]) -> str:
    """How many of the opinions say that the answer helped; empty where there are none."""
    return f"{sum(said.helpful for _, said in found)} of {len(found)} say that the answer helped" if found else ""


def by_agent(found: Sequence[Said], name: Callable[[str], str] = str.capitalize) -> list[str]:
    """One line for each agent, those with the most opinions first."""
    asked = Counter(run.agent for run, _ in found)
    helped = Counter(run.agent for run, said in found if said.helpful)
    return [f"{plain(name(agent))}: {helped[agent]} of {count}" for agent, count in asked.most_common()]


def not_helped(found: Sequence[Said], ref: Callable[[Said], str]) -> list[str]:
    """One line for each opinion that the answer did not help, as they come; `ref` is what opens it."""
    return [
        f"“{plain(run.request)}” ({ref((run, said))}): {plain(said.reason, REASON) or 'no reason given'}"
        for run, said in found
        if not said.helpful
    ]


def section(found: Sequence[Said], line: Lines, most: int) -> str:
    """The same as a part of a message; empty where there are none."""
    return happenings.section("Answers that did not help", not_helped(found, lambda one: line.ref(one[0])), most)
