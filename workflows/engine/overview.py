"""What people are told of workflows: the list, one of them in plain words, its history and what was corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import runs, schedules, workflows
from workflows.engine import history, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.store.schedules import Firing
    from kernel.store.workflows import Pause
    from workflows.engine.definition import Workflow
    from workflows.engine.launch import Launch
    from workflows.engine.steps import Kinds

MOST = 15  # rows of a history
THREAD = ", in the thread of the message that began it"
OVERLAPS = {
    "queue": "waits its turn",
    "skip": "is left out",
    "replace": "stops the one before",
    "parallel": "begins beside it",
}
LEFT_OUT = {
    schedules.QUEUED: "waits for the run before it to end",
    schedules.OVERLAPPED: "left out: the run before it had not ended",
    schedules.MISSED: "missed",
    schedules.PAUSED: "left out: the workflow was paused",
    schedules.UNVERIFIED: "left out: the role of whoever reacted, or the message, could not be looked up",
}
STATES = {
    runs.QUEUED: "at work",
    runs.WAITING: "waits",
    runs.DONE: "done",
    runs.FAILED: "failed",
    runs.STOPPED: "stopped",
}


class Overview:
    """Writes Markdown about the workflows in force."""

    def __init__(self, launch: Launch, kinds: Kinds) -> None:
        self.launch = launch
        self.store = launch.store
        self.kinds = kinds

    async def listed(self, shown: Callable[[Workflow], bool] = lambda _: True) -> str:
        """The workflows that may be shown: what they do, when they begin next, and how the last run ended."""
        known = {name: workflow for name, workflow in self.launch.workflows().items() if shown(workflow)}
        if not known:
            return "There are no workflows here."
        return await self.store.read(lambda session: self._list(session, known))

    def _list(self, session: Session, known: Mapping[str, Workflow]) -> str:
        now = self.launch.clock.now()
        paused = workflows.paused(session, now)
        lines = ["| workflow | what it does | next | last |", "|---|---|---|---|"]
        for name in sorted(known):
            last = next(iter(schedules.firings(session, name, 1)), None)
            ended = became(session, last) if last is not None else "never"
            lines.append(
                f"| `{name}` | {known[name].description} | {next_in_words(known[name], now, paused)} | {ended} |"
            )
        return "\n".join([*lines, "", "`workflow NAME` shows one of them, `history NAME` what became of it."])

    async def shown(self, name: str) -> str:
        """One workflow in plain words. NotFound names the workflows that there are."""
        workflow = self.launch.get(name)
        now = self.launch.clock.now()
        paused = await self.store.read(lambda session: workflows.paused(session, now))
        return in_plain_words(workflow, self.kinds, now, paused.get(name))

    async def is_paused(self, name: str) -> bool:
        """Whether it begins no more by itself."""
        now = self.launch.clock.now()
        return name in await self.store.read(lambda session: workflows.paused(session, now))

    async def history(self, name: str) -> str:
        """What became of its latest firings, newest first; also of a workflow that is gone."""
        zone = known.zone if (known := self.launch.workflows().get(name)) is not None else "UTC"

        def read(session: Session) -> list[str]:
            rows = schedules.firings(session, name, MOST)
            return [f"| {wording.at_in(row.fire_at, zone)} | {became(session, row)} |" for row in rows]

        lines = await self.store.read(read)
        if not lines:
            self.launch.get(name)
            return f"**{name}** has not begun so far."
        return "\n".join(
            [f"**{name}**, newest first ({zone}):", "", "| when | what became of it |", "|---|---|", *lines]
        )

    async def corrections(self, name: str) -> str:
        """What people have corrected, numbered."""
        zone = self.launch.get(name).zone
        rows = await self.store.read(lambda session: workflows.corrections(session, name))
        if not rows:
            return f"Nothing has been corrected in **{name}**. `correct R-… text` does, with the reference of a run."
        lines = [
            f"{number}. “{row.text}” ({row.by_name}, {wording.at_in(row.at, zone)}, about {row.run_ref})"
            for number, row in enumerate(rows, start=1)
        ]
        return "\n".join([f"Given to every run of **{name}**:", "", *lines, "", f"`uncorrect {name} 1` forgets one."])


def in_plain_words(workflow: Workflow, kinds: Kinds, now: datetime, paused: Pause | None = None) -> str:
    """What it does, when, for whom, and its next five times."""
    lines = [f"**{workflow.name}**: {workflow.description}", ""]
    if paused is not None:
        until = f" until {wording.at_in(paused.until, workflow.zone)}" if paused.until else ""
        lines += [f"**Paused** since {wording.at_in(paused.at, workflow.zone)}{until}.", ""]
    lines += [f"- **Begins:** {said}." for said in wording.begins(workflow)]
    fires = wording.next_fires(workflow, now)
    if fires:
        times = "; ".join(wording.at_in(at, workflow.zone) for at in fires)
        lines.append(f"- **Next:** {times} ({workflow.zone})")
    overlap, to = OVERLAPS[workflow.overlap], wording.result_goes_to(workflow, kinds)
    lines += [
        f"- **Result:** {f'goes to {to}' if to else 'nothing is posted'}{THREAD if workflow.thread else ''}",
        f"- **A firing while one is at work:** {overlap}",
        f"- **Decides about it:** {' or '.join(workflow.owner)}",
    ]
    caps = [f"{workflow.limits.cost:.2f} USD" if workflow.limits.cost else "", workflow.limits.time or ""]
    if any(caps):
        lines.append(f"- **Ends at:** {' or '.join(cap for cap in caps if cap)}")
    for name, one in workflow.inputs.items():
        needed = "needed" if one.required else f"default {one.default}"
        lines.append(f"- **Input** `{name}`: {one.description or one.type} ({needed})")
    return "\n".join([*lines, "", "Steps:", "", *wording.steps_of(workflow, kinds)])


def next_in_words(workflow: Workflow, now: datetime, paused: Mapping[str, Pause]) -> str:
    """When it begins next, in its own zone."""
    if workflow.name in paused:
        return "paused"
    fires = wording.next_fires(workflow, now, 1)
    if fires:
        return wording.at_in(fires[0], workflow.zone)
    return "when it happens" if workflow.events else "by hand"


def became(session: Session, firing: Firing) -> str:
    """What became of a firing, in words."""
    if firing.state != schedules.BEGUN:
        many = f" ({firing.count} times)" if firing.count > 1 else ""
        return LEFT_OUT.get(firing.state, firing.state) + many
    run = session.get(runs.Run, firing.run_id)
    return _ended(session, run) if run is not None else "begun"


def _ended(session: Session, run: Run) -> str:
    state = STATES.get(run.state, run.state)
    if run.state == runs.DONE and (ends := history.result_of(session, run.id).ends):
        return f"done, nothing posted: {ends} ({run.ref})"
    if run.state == runs.FAILED:
        return f"failed: {_short(run.error or '')} ({run.ref})"
    return f"{state} ({run.ref})"


def _short(text: str) -> str:
    line = " ".join(text.split()).replace("|", "/")
    return line if len(line) <= 120 else f"{line[:119]}…"
