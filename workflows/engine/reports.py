"""The reports of the step `report`: each looks rows up and writes Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING

from kernel.people import RoleUnknownError
from kernel.store import activity, approvals, runs
from kernel.store import reports as rows
from kernel.types import Json
from knowledge.engine.audience import Audience
from workflows.engine import happenings, helped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store.approvals import Approval
    from kernel.store.reports import Spent
    from workflows.engine.steps import StepContext

READ = 300  # messages of a channel that are looked at for questions
ASKED = 40  # of those that are questions, whose threads are looked at
DECIDED = {approvals.APPROVED, approvals.CONSUMED, approvals.REJECTED}


@dataclass(frozen=True, kw_only=True)
class Found:
    """A report."""

    text: str  # Markdown; empty: there is nothing to tell
    empty: str  # what there is none of, in a few words
    data: Json = None


async def decisions(step: StepContext, since: datetime, most: int) -> Found:
    """What people decided in the channel, how fast, and what agents did without asking."""
    until = step.run.created_at
    decided = await step.store.read(lambda session: activity.decided(session, step.place, since, until))
    judged = await step.store.read(lambda session: rows.verdicts(session, step.place, since, until))
    if not decided and not judged:
        return Found(text="", empty="nothing was decided", data={"decided": 0, "alone": 0})
    alone = Counter((agent, tool) for agent, tool, decision in judged if decision == "allow")
    refused = Counter((agent, tool) for agent, tool, decision in judged if decision == "deny")
    outcomes = Counter(happenings.OUTCOMES.get(row.state, row.state) for row in decided)
    lines = [f"- {outcome}: {count}" for outcome, count in outcomes.most_common()]
    waited = [row.decided_at - row.created_at for row in decided if row.state in DECIDED and row.decided_at]
    if waited:
        minutes = round(median(one.total_seconds() for one in waited) / 60)
        lines.append(f"- Half of them were decided within {f'{minutes} minutes' if minutes > 1 else 'a minute'}")
    parts = [
        _part("Decisions", [*lines, *(f"- {line}" for line in _deciders(decided))]),
        _part("Most asked for", [f"- {tool}: {count}" for tool, count in _tools(decided)[:most]]),
        _part("Done without asking", [f"- {tool} by {agent}: {n}" for (agent, tool), n in alone.most_common(most)]),
        _part("Refused by the rules", [f"- {tool} by {agent}: {n}" for (agent, tool), n in refused.most_common(most)]),
    ]
    data = {"decided": len(decided), "alone": sum(alone.values()), "refused": sum(refused.values())}
    return Found(text=_joined(parts), empty="", data=data)


def _deciders(decided: list[Approval]) -> list[str]:
    names = Counter(str((row.outcome or {}).get("by")) for row in decided if (row.outcome or {}).get("by"))
    return [f"Decided by {happenings.plain(name)}: {count}" for name, count in names.most_common(10)]


def _tools(decided: list[Approval]) -> list[tuple[str, int]]:
    return Counter(row.tool for row in decided).most_common()


async def unanswered(step: StepContext, since: datetime, most: int) -> Found:
    """Requests that came to no end, questions below which nobody said anything, and answers that did not help."""
    until = step.run.created_at
    ended = await step.store.read(lambda session: activity.ended(session, step.place, since, until))
    open_ = [run for run in ended if run.state == runs.FAILED]
    said = await step.channels.said(step.place.in_thread(None), since, until, READ)
    questions = [one for one in said if one.text.rstrip().endswith("?") and not one.outside][-ASKED:]
    silent = [one for one in questions if not await step.channels.answered(step.place, one.message)]
    line = happenings.Lines(step, happenings.NOTHING)
    opinions = await helped.opinions(step, since)
    asked = [
        f"{happenings.plain(one.by)}, {line.time(one.at)}: “{happenings.plain(one.text)}”"
        f"{f' ([open]({one.url}))' if one.url else ''}"
        for one in silent
    ]
    parts = [
        happenings.section("Questions that nobody answered", asked, most),
        happenings.section("Requests that failed", map(line.failed, open_), most),
        helped.section(opinions, line, most),
    ]
    unhelpful = sum(not said.helpful for _, said in opinions)
    data = {"questions": len(silent), "failed": len(open_), "unhelpful": unhelpful}
    return Found(text=_joined(parts), empty="every question was answered", data=data)


async def helpful(step: StepContext, since: datetime, most: int) -> Found:
    """What people said of the answers in the channel, by agent, and what was wrong with those that did not help."""
    opinions = await helped.opinions(step, since)
    good = sum(said.helpful for _, said in opinions)
    parts = [
        f"**{helped.share(opinions)}**" if opinions else "",
        "\n".join(f"- {line}" for line in helped.by_agent(opinions)),
        helped.section(opinions, happenings.Lines(step, happenings.NOTHING), most),
    ]
    data = {"helpful": good, "unhelpful": len(opinions) - good}
    return Found(text=_joined(parts), empty="nobody has said whether an answer helped", data=data)


async def documents(step: StepContext, since: datetime, most: int) -> Found:
    """Documents that readers of the channel may read and that nobody has changed for long."""
    grants = Audience.of_channel(step.place).readers
    found = await step.store.read(lambda session: rows.old_documents(session, grants, since))
    lines = [
        f"[{happenings.plain(one.title)}]({one.url or f'/documents/{one.id}'}), {one.at:%d %b %Y} "
        f"({happenings.plain(one.source)})"
        for one in found
    ]
    text = happenings.section("Documents to look through", lines, most)
    return Found(text=text, empty="no document is that old", data={"documents": len(found)})


async def access(step: StepContext, _since: datetime, _most: int) -> Found:
    """Who holds which role now, and which tools each agent has."""
    team = step.channels.team()
    roles = []
    for role in team.roles:
        try:
            holders = ", ".join(sorted(one.name for one in await step.directory.holders(role))) or "nobody"
        except RoleUnknownError:
            holders = "cannot be looked up now"
        roles.append(f"- **{role}**: {holders}")
    agents = [f"- **{name}**: {', '.join(tools) or 'no tools'}" for name, tools in team.agents.items()]
    away = [f"- {name}" for name in team.inactive]
    parts = [_part("Roles", roles), _part("Agents and their tools", agents), _part("Deactivated people", away)]
    return Found(text=_joined(parts), empty="there are no roles", data={"roles": len(roles), "agents": len(agents)})


async def cost(step: StepContext, since: datetime, most: int) -> Found:
    """What models cost."""
    until = step.run.created_at
    by = {
        column: await step.store.read(lambda session, of=column: rows.spent_by(session, of, since, until))  # type: ignore[misc]  # bound at once
        for column in ("agent", "workflow", "requester")
    }
    total = sum(one.cost for one in by["agent"])
    if not any(by.values()):
        return Found(text="", empty="nothing ran", data={"total": 0.0})
    names = {one.name: step.directory.by_id(one.name) for one in by["requester"]}
    people = [one for one in by["requester"] if not one.name.startswith("workflow:")]
    parts = [
        f"**Models in all:** {total:.2f} USD",
        _part("By agent", _spent(by["agent"], most, {})),
        _part("By workflow", _spent(by["workflow"], most, {})),
        _part("By person", _spent(people, most, {name: one.name for name, one in names.items() if one is not None})),
    ]
    return Found(text=_joined(parts), empty="", data={"total": round(total, 4)})


def _spent(found: list[Spent], most: int, names: Mapping[str, str]) -> list[str]:
    return [
        f"- {happenings.plain(names.get(one.name, one.name))}: {one.cost:.2f} USD, "
        f"{one.runs} run{'' if one.runs == 1 else 's'}"
        f"{f', {one.failed} failed' if one.failed else ''}"
        for one in found[:most]
    ]


def _part(title: str, lines: list[str]) -> str:
    return "\n".join([f"**{title}**", "", *lines]) if lines else ""


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part)


Writer = Callable[["StepContext", datetime, int], Awaitable[Found]]
WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "decisions": decisions,
        "unanswered": unanswered,
        "feedback": helpful,
        "documents": documents,
        "access": access,
        "cost": cost,
    }
)
