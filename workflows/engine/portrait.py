"""What a workflow's picture shows, put together: its steps, whom they ask, and what became of its last runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel.store import runs, schedules, workflows
from workflows.engine import history, wording
from workflows.engine.layout import Told
from workflows.engine.rehearsal import Rehearser

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.schedules import Firing
    from kernel.types import Place
    from workflows.engine.definition import Step, Workflow
    from workflows.engine.layout import Look
    from workflows.engine.situation import Situation
    from workflows.engine.steps import Kinds

SHOWN = 8  # runs
LOOKS: Mapping[str, Look] = {"ask": "agent", "call": "tool", "approve": "people", "form": "people"}


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Whom the rules and the file have a step ask."""

    roles: tuple[str, ...] = ()
    certain: bool = True  # else it depends on what an agent does
    refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Past:
    """A firing, and what became of it."""

    when: str  # "12 Nov"
    became: str  # "done", "nothing", "failed", "stopped", "waits", "left out"


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """Everything in the picture."""

    workflow: Workflow
    heading: tuple[str, ...]  # sentences: what makes it begin, when next, where its result goes
    gates: Mapping[str, Gate]  # by the step's id
    marks: Mapping[str, str]  # by the step's id: how it went in the last run
    past: tuple[Past, ...]  # oldest first
    kinds: Kinds

    @property
    def in_words(self) -> list[str]:
        """The steps as a Markdown list."""
        return wording.steps_of(self.workflow, self.kinds)

    def told(self, step: Step) -> Told:
        """What the box of a step says."""
        gate = self.gates.get(step.id)
        kind = f"{step.kind} · {step.id}" if not step.id.startswith(step.kind) else step.kind
        undo = f"undone by {step.undo.options.get('tool', step.undo.kind)} if a later step fails" if step.undo else ""
        return Told(
            label=kind,
            text=wording.step_in_words(step.model_copy(update={"undo": None}), self.kinds),
            gate=_asks(gate) if gate is not None else "",
            undo=undo,
            look=_look(step, gate),
            mark=self.marks.get(step.id, ""),
        )


def _look(step: Step, gate: Gate | None) -> Look:
    if gate is not None and (gate.refused or gate.certain):
        return "refused" if gate.refused else "people"
    return LOOKS.get(step.kind, "flow")


def _asks(gate: Gate) -> str:
    if gate.refused:
        return "the rules refuse it"
    roles = " or ".join(gate.roles)
    return f"waits for {roles}" if gate.certain else f"may ask {roles}"


class Portraits:
    """Looks at workflows for their picture."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.rehearser = Rehearser(situation)

    async def of(self, workflow: Workflow, place: Place) -> Portrait:
        """The workflow as it is now, with its runs so far. `place` is where its result goes."""
        now = self.situation.clock.now()
        rehearsal = await self.rehearser.rehearse(workflow, place, now, reading=False)
        gates = {
            line.step: Gate(roles=line.roles, certain=line.asks, refused=line.refused)
            for line in rehearsal.lines
            if line.roles or line.refused
        }
        return await self.situation.store.read(lambda session: self._look(session, workflow, gates, now))

    def _look(self, session: Session, workflow: Workflow, gates: Mapping[str, Gate], now: datetime) -> Portrait:
        firings = schedules.firings(session, workflow.name, SHOWN)
        last = next((row for row in firings if row.state == schedules.BEGUN), None)
        paused = workflows.paused(session, now).get(workflow.name)
        return Portrait(
            workflow=workflow,
            heading=tuple(_heading(workflow, self.situation.kinds, now, is_paused=paused is not None)),
            gates=gates,
            marks=_marks(session, last.run_id) if last is not None else {},
            past=tuple(_past(session, row, workflow.zone) for row in reversed(firings)),
            kinds=self.situation.kinds,
        )


def _heading(workflow: Workflow, kinds: Kinds, now: datetime, *, is_paused: bool) -> list[str]:
    fires = wording.next_fires(workflow, now, 1)
    found = ["Paused: it does not begin by itself."] if is_paused else []
    found += [f"{said}." for said in wording.begins(workflow)]
    found += [f"Next: {wording.at_in(fires[0], workflow.zone)}."] if fires and not is_paused else []
    to = wording.result_goes_to(workflow, kinds)
    return [*found, f"Result goes to {to}."] if to else found


def _marks(session: Session, run_id: str) -> dict[str, str]:
    """How the steps went in a run; of several passes the worst counts."""
    run = session.get(runs.Run, run_id)
    if run is None:
        return {}
    saved = history.read(runs.transcript(session, run_id))
    found: dict[str, str] = {}
    for path, output in saved.outputs.items():
        if found.get(_step(path)) != "failed" and not path.startswith(UNDO):
            found[_step(path)] = "failed" if output.failed else "done"
    found |= {_step(path): "failed" for path in saved.failures if path not in saved.outputs}
    open_ = run.state not in runs.FINAL
    return found | {_step(path): "waits" for path in saved.begun if open_ and path not in saved.outputs}


UNDO = "undo/"


def _step(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _past(session: Session, row: Firing, zone: str) -> Past:
    at = row.fire_at.astimezone(ZoneInfo(zone))
    return Past(when=f"{at.day} {at:%b}", became=_became(session, row))


def _became(session: Session, row: Firing) -> str:
    run = session.get(runs.Run, row.run_id) if row.state == schedules.BEGUN else None
    if run is None:
        return "waits" if row.state in {schedules.BEGUN, schedules.QUEUED} else "left out"
    if run.state == runs.DONE:
        return "nothing" if history.result_of(session, run.id).ends else "done"
    return {runs.FAILED: "failed", runs.STOPPED: "stopped"}.get(run.state, "waits")
