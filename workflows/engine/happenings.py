"""What happened in one channel and what waits there, from our own tables, as lines of Markdown with links.

It reads the conversations and workflows of that one channel and of no other, so whoever reads the lines in the channel
could have read all of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel.store import activity, approvals, runs, workflows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import Approval
    from kernel.store.runs import Run
    from kernel.store.workflows import FormRequest
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


@dataclass(frozen=True, kw_only=True)
class Happenings:
    """One channel in one span of time."""

    waiting: list[Approval]  # approvals that wait for people
    forms: list[FormRequest]  # forms that wait for people
    going: list[Run]
    done: list[Run]
    decisions: list[Approval]
    failed: list[Run]  # requests
    jobs: list[Run]  # workflows that failed
    runs: dict[str, Run]  # of the approvals, by id


NOTHING = Happenings(waiting=[], forms=[], going=[], done=[], decisions=[], failed=[], jobs=[], runs={})


def read(session: Session, step: StepContext) -> Happenings:
    """What happened in the step's channel since the last run, up to the beginning of this one."""
    until, lane = step.run.created_at, step.place.lane
    ended = activity.ended(session, step.place, step.since, until)
    waiting = activity.undecided(session, step.place)
    decisions = activity.decided(session, step.place, step.since, until)
    waits = {row.run_id for row in waiting}
    of_channel = [run for run in activity.workflows_open(session) if run.where.lane == lane]
    mine = {run.id for run in of_channel}
    waiting += [row for run in of_channel for row in activity.undecided_of(session, run.id)]
    jobs = [run for run in activity.workflows_failed(session, step.since, until) if run.where.lane == lane]
    shown = [*waiting, *decisions]
    return Happenings(
        waiting=waiting,
        forms=[form for form in workflows.open_forms(session) if form.run_id in mine],
        going=[
            run for run in activity.unfinished(session, step.place) if run.created_at <= until and run.id not in waits
        ],
        done=[run for run in ended if run.state == runs.DONE],
        decisions=decisions,
        failed=[run for run in ended if run.state != runs.DONE],
        jobs=[run for run in jobs if run.id != step.run.id],
        runs={row.run_id: run for row in shown if (run := session.get(runs.Run, row.run_id)) is not None},
    )


def section(title: str, lines: Iterable[str], most: int) -> str:
    """A headline and its lines; empty where there are none."""
    found = list(lines)
    if not found:
        return ""
    shown = [f"- {line}" for line in found[:most]]
    if len(found) > most:
        shown.append(f"- and {len(found) - most} more")
    return "\n".join([f"**{title}** ({len(found)})", "", *shown])


class Lines:
    """One line for each thing that happened. Times are those of the workflow's zone."""

    def __init__(self, step: StepContext, found: Happenings) -> None:
        self.step = step
        self.runs = found.runs
        self.zone = ZoneInfo(step.zone)

    def waiting(self, row: Approval) -> str:
        """An approval that waits."""
        expires = f", expires {self.time(row.expires_at)}" if row.expires_at else ""
        return f"{headline(row)}, asked for by {self.person(row.requester)}{expires} ({self._of(row)})"

    def form(self, row: FormRequest) -> str:
        """A form that waits."""
        expires = f", until {self.time(row.expires_at)}" if row.expires_at else ""
        return f"{plain(row.question)}: {' or '.join(row.who)} answers{expires} ({row.ref})"

    def going(self, run: Run) -> str:
        """A request that is under way."""
        return f"{self._asked(run)}, since {self.time(run.created_at)} ({self.ref(run)})"

    def done(self, run: Run) -> str:
        """A request that was answered."""
        return f"{self._asked(run)}, answered by {plain(run.agent.capitalize())} ({self.ref(run)})"

    def decision(self, row: Approval) -> str:
        """An approval that was decided."""
        outcome = row.outcome or {}
        by = f" by {plain(str(outcome['by']))}" if outcome.get("by") else ""
        reason = f" (“{plain(str(outcome['reason']))}”)" if outcome.get("reason") else ""
        return f"{OUTCOMES.get(row.state, row.state)}{by}{reason}: {headline(row)} ({self._of(row)})"

    def failed(self, run: Run) -> str:
        """A request that did not come to its end."""
        how = "stopped" if run.state == runs.STOPPED else "failed"
        return f"{self._asked(run)}, {how} ({self.ref(run)})"

    def job(self, run: Run) -> str:
        """A workflow that failed."""
        return f"The workflow {run.workflow} failed: {plain(run.error or '')} ({run.ref})"

    def person(self, person_id: str) -> str:
        """The name of a person."""
        person = self.step.directory.by_id(person_id)
        return plain(person.name if person else person_id)

    def time(self, at: datetime) -> str:
        """A time that people read."""
        return f"{at.astimezone(self.zone):%a %d %b %H:%M}"

    def ref(self, run: Run) -> str:
        """The reference of a run, which opens its thread."""
        return self._link(run.ref, run)

    def _of(self, row: Approval) -> str:
        run = self.runs.get(row.run_id)
        return self._link(row.ref, run) if run is not None else row.ref

    def _link(self, ref: str, run: Run) -> str:
        place = run.where
        url = self.step.channels.link(place.in_thread(None), place.thread) if place.thread else ""
        return f"[{ref}]({url})" if url else ref

    def _asked(self, run: Run) -> str:
        return f"{self.person(run.requester)}: “{plain(run.request)}”"


def headline(row: Approval) -> str:
    """What an approval is about."""
    preview = row.preview or {}
    return plain(str(preview.get("headline") or f"{row.tool} by {row.agent}"))


def plain(text: str, longest: int = LONGEST) -> str:
    """Somebody's text as one line of prose: shortened, its markup shown instead of followed."""
    line = " ".join(text.split())
    if len(line) > longest:
        line = line[: longest - 1].rstrip() + "…"
    return MARKUP.sub(r"\\\1", line)
