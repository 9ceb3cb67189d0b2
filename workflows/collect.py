"""The step `collect`: what happened in the workflow's channel since its last run, from our own tables, as Markdown.

It reads the conversations of that one channel and of no other, so whoever reads the digest could have read all of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from kernel.store import activity, approvals, runs
from kernel.types import Labelled
from workflows.engine.steps import Done, Options, Output, Rehearsed

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.people import Directory
    from kernel.store import Session
    from kernel.store.approvals import Approval
    from kernel.store.runs import Run
    from workflows.engine.steps import StepContext

LONGEST = 110  # characters of a request that are quoted
MARKUP = re.compile(r"([\\`*_\[\]<>#|~])")
OUTCOMES = {
    approvals.APPROVED: "Approved",
    approvals.CONSUMED: "Approved",
    approvals.REJECTED: "Rejected",
    approvals.EXPIRED: "Nobody decided",
    approvals.WITHDRAWN: "Withdrawn",
}


class CollectOptions(Options):
    """How much, and what happens when there is nothing."""

    most: int = Field(default=10, ge=1, le=50)  # lines of each section
    if_empty: Literal["end", "go_on"] = "end"  # end: the workflow is done, nothing is posted

    def in_words(self) -> str:
        end = "; if that is nothing, end" if self.if_empty == "end" else ""
        return f"read what happened in the channel since the last run{end}"


class Collect:
    """Writes the digest of a channel."""

    name = "collect"
    options = CollectOptions

    async def perform(self, options: CollectOptions, step: StepContext) -> Done:
        found = await step.store.read(lambda session: _read(session, step))
        line = _Lines(step.directory, ZoneInfo(step.zone))
        sections = (
            _section("Waits for people", [line.waiting(row) for row in found.waiting], options.most),
            _section("Still going on", [line.going(run) for run in found.going], options.most),
            _section("Asked and done", [line.done(run) for run in found.done], options.most),
            _section("Decisions", [line.decision(row) for row in found.decisions], options.most),
            _section("Did not finish", [line.failed(run) for run in found.failed], options.most),
        )
        text = "\n\n".join(section for section in sections if section)
        if not text:
            since = f"{step.since.astimezone(ZoneInfo(step.zone)):%a %d %b %H:%M}"
            empty = f"Nothing to report in {step.channel} since {since}."
            return Done(output=Output(ends=empty if options.if_empty == "end" else "", note=empty))
        return Done(output=Output(text=text, pieces=(Labelled(text=text, origin="member_text"),)))

    async def rehearse(self, options: CollectOptions, step: StepContext) -> Rehearsed:
        output = (await self.perform(options, step)).output
        return Rehearsed(says=options.in_words(), output=output, text=output.ends or output.text)

    def cancel(self, session: Session, options: CollectOptions, step: StepContext) -> None:
        """Nothing was begun."""


class _Found:
    def __init__(self, ended: list[Run], going: list[Run], decisions: list[Approval], waiting: list[Approval]) -> None:
        self.done = [run for run in ended if run.state == runs.DONE]
        self.failed = [run for run in ended if run.state != runs.DONE]
        self.decisions = decisions
        self.waiting = waiting
        waits = {row.run_id for row in waiting}
        self.going = [run for run in going if run.id not in waits]


def _read(session: Session, step: StepContext) -> _Found:
    until = step.run.created_at
    return _Found(
        ended=activity.ended(session, step.place, step.since, until),
        going=[run for run in activity.unfinished(session, step.place) if run.created_at <= until],
        decisions=activity.decided(session, step.place, step.since, until),
        waiting=activity.undecided(session, step.place),
    )


def _section(title: str, lines: list[str], most: int) -> str:
    if not lines:
        return ""
    shown = [f"- {line}" for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"- and {len(lines) - most} more")
    return "\n".join([f"**{title}** ({len(lines)})", "", *shown])


class _Lines:
    """One line for each thing that happened."""

    def __init__(self, directory: Directory, zone: ZoneInfo) -> None:
        self.directory = directory
        self.zone = zone

    def waiting(self, row: Approval) -> str:
        expires = f", expires {self._time(row.expires_at)}" if row.expires_at else ""
        return f"{_headline(row)}, asked for by {self._person(row.requester)}{expires} ({row.ref})"

    def going(self, run: Run) -> str:
        return f"{self._asked(run)}, since {self._time(run.created_at)} ({run.ref})"

    def done(self, run: Run) -> str:
        return f"{self._asked(run)}, answered by {plain(run.agent.capitalize())} ({run.ref})"

    def decision(self, row: Approval) -> str:
        outcome = row.outcome or {}
        by = f" by {plain(str(outcome['by']))}" if outcome.get("by") else ""
        reason = f" (“{plain(str(outcome['reason']))}”)" if outcome.get("reason") else ""
        return f"{OUTCOMES.get(row.state, row.state)}{by}{reason}: {_headline(row)} ({row.ref})"

    def failed(self, run: Run) -> str:
        how = "stopped" if run.state == runs.STOPPED else "failed"
        return f"{self._asked(run)}, {how} ({run.ref})"

    def _asked(self, run: Run) -> str:
        return f"{self._person(run.requester)}: “{plain(run.request)}”"

    def _person(self, person_id: str) -> str:
        person = self.directory.by_id(person_id)
        return plain(person.name if person else person_id)

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%a %d %b %H:%M}"


def _headline(row: Approval) -> str:
    preview = row.preview or {}
    return plain(str(preview.get("headline") or f"{row.tool} by {row.agent}"))


def plain(text: str) -> str:
    """Somebody's text as one line of prose: shortened, its markup shown instead of followed."""
    line = " ".join(text.split())
    if len(line) > LONGEST:
        line = line[: LONGEST - 1].rstrip() + "…"
    return MARKUP.sub(r"\\\1", line)


KIND = Collect()
