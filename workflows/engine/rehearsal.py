"""Rehearsing a workflow: what its steps would do at a time and under the rules in force, with nothing done.

What can be read is read; what an agent or a person would say is not known and is shown as ⟨what lead answers⟩. Where a
branch depends on that, both ways are shown.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kernel.clock import FixedClock
from kernel.errors import BosunError
from kernel.store import runs, schedules, workflows
from kernel.types import Frozen
from workflows.engine import availability, history, template, wording
from workflows.engine.history import Saved
from workflows.engine.loaded import LoadedRun
from workflows.engine.progress import Leaf
from workflows.engine.start import Request, inputs_of
from workflows.engine.steps import BlockKind, Output, Rehearsed

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.types import Json, Place
    from workflows.engine.definition import Step, Workflow
    from workflows.engine.situation import Situation
    from workflows.engine.steps import Kind

FIRST = timedelta(days=1)
NOTHING = Saved(outputs={}, failures={}, begun={}, broken=None, retried_at=None, count=0)
REF = "R-⟨none⟩"


class Line(Frozen):
    """One step of a rehearsal."""

    step: str  # id
    roles: tuple[str, ...] = ()  # of whom people would, or may, be asked
    depth: int  # 0 at the top
    number: int  # in its list
    at: datetime  # when it would be done
    says: str
    text: str = ""  # what it would show
    who: str = ""  # where people would be asked: who is available then
    asks: bool = False
    may_ask: bool = False  # it depends on what an agent does
    refused: bool = False


class Rehearsal(Frozen):
    """What a run would do."""

    workflow: str
    zone: str
    at: datetime  # when it would begin
    lines: tuple[Line, ...]

    @property
    def asked(self) -> int:
        """Steps that would ask people."""
        return sum(line.asks for line in self.lines)

    def _perhaps(self) -> str:
        """What depends on agents."""
        count = sum(line.may_ask for line in self.lines)
        if not count:
            return ""
        return (
            " One more may, by what its agent does." if count == 1 else f" {count} more may, by what their agents do."
        )

    def in_words(self, *, texts: bool = True) -> str:
        """Markdown. `texts`: with what would be posted, in full."""
        begin = f"**{self.workflow}**, begun {wording.at_in(self.at, self.zone)} ({self.zone}), would:"
        lines = [begin, ""]
        for line in self.lines:
            indent = "   " * line.depth
            later = f"at {wording.at_in(line.at, self.zone)} " if line.at != self.at else ""
            lines.append(f"{indent}{line.number}. {later}{line.says}{f' [{line.who}]' if line.who else ''}")
            if texts and line.text:
                lines += ["", *(f"{indent}   > {part}" for part in line.text.splitlines()), ""]
        summary = {0: "It would ask nobody.", 1: "One step would ask people."}
        lines += ["", summary.get(self.asked, f"{self.asked} steps would ask people.") + self._perhaps()]
        if any(line.refused for line in self.lines):
            lines.append("**The rules would refuse a step**: the run would fail there.")
        return "\n".join(lines)


@dataclass
class _Around:
    """What is known at one point."""

    values: Mapping[str, Json]
    outputs: dict[str, Output]
    at: datetime
    reading: bool = True
    ended: bool = False


class Rehearser:
    """Goes through the steps of workflows without doing them."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation

    async def rehearse(
        self,
        workflow: Workflow,
        place: Place,
        at: datetime,
        inputs: Mapping[str, Json] | None = None,
        *,
        reading: bool = True,
    ) -> Rehearsal:
        """What a run would do that began at `at`. BadInputError where the inputs do not fit.

        Without `reading`, for a time to come, what the chat will hold then counts as unknown.
        """
        given = inputs_of(workflow, inputs or _defaults(workflow))
        found = await self.situation.store.read(lambda session: _as_if(session, workflow, place, at, given))
        lines: list[Line] = []
        around = _Around(values=found.values, outputs={}, at=at, reading=reading)
        await self._sequence(found, workflow.steps, around, 0, lines)
        return Rehearsal(workflow=workflow.name, zone=workflow.zone, at=at, lines=tuple(lines))

    async def _sequence(
        self, found: LoadedRun, steps: Sequence[Step], around: _Around, depth: int, lines: list[Line]
    ) -> None:
        known: dict[str, Json] = dict(around.values.get("steps", {}))
        for number, step in enumerate(steps, start=1):
            kind = self.situation.kinds.get(step.kind)
            if kind is None or around.ended:
                return
            around.values = ChainMap({"steps": known}, around.values)  # type: ignore[arg-type]  # it only reads the second
            options = kind.options.model_validate(step.options)
            if isinstance(kind, BlockKind):
                output = await self._block(found, step, kind, options, around, depth, number, lines)
            else:
                output = await self._one(found, step, kind, options, around, depth, number, lines)
            if output is None:
                what = f"what {step.id} gives"
                known[step.id] = {"text": template.Unknown(what), "data": template.Unknown(what), "note": ""}
            else:
                known[step.id] = output.value()
                around.outputs[step.id] = output
                around.ended = bool(output.ends)

    async def _one(  # noqa: PLR0917  where it stands
        self,
        found: LoadedRun,
        step: Step,
        kind: Any,
        options: Any,
        around: _Around,
        depth: int,
        number: int,
        lines: list[Line],
    ) -> Output | None:
        leaf = Leaf(path=step.id, step=step, values=around.values, outputs=dict(around.outputs))
        context = self.situation.of(found, leaf, clock=FixedClock(around.at))
        try:
            later = options.reads_now and not around.reading
            would = Rehearsed(says=options.in_words()) if later else await kind.rehearse(options, context)
        except BosunError as error:
            would = Rehearsed(says=f"{options.in_words()}: it would fail. {error.message}")
        who = ""
        asked = would.asks or would.may_ask
        if asked:
            there = await availability.at_time(context.directory, asked, around.at, found.workflow.zone)
            who = there.in_words()
        lines.append(
            Line(
                depth=depth,
                number=number,
                at=around.at,
                says=would.says,
                text=would.text,
                who=who,
                step=step.id,
                roles=asked,
                asks=bool(would.asks),
                may_ask=bool(would.may_ask),
                refused=would.refused,
            )
        )
        around.at = would.until or around.at
        output: Output | None = would.output
        return output

    async def _block(  # noqa: PLR0917  where it stands
        self,
        found: LoadedRun,
        step: Step,
        kind: Kind,
        options: Any,
        around: _Around,
        depth: int,
        number: int,
        lines: list[Line],
    ) -> Output | None:
        passes = _passes(kind, options, around.values)
        sure = passes is not None
        more = "" if sure else " (which depends on what is not known yet)"
        lines.append(Line(step=step.id, depth=depth, number=number, at=around.at, says=options.in_words() + more))
        latest = around.at
        for title, block, values in passes if passes is not None else _all_ways(step, options):
            inside = _Around(
                values=ChainMap(dict(values), around.values),  # type: ignore[arg-type]  # it only reads the second
                outputs=dict(around.outputs),
                at=around.at,
                reading=around.reading,
            )
            here: list[Line] = []
            await self._sequence(found, step.blocks.get(block, ()), inside, depth + 1, here)
            if here and title:
                here[0] = here[0].model_copy(update={"says": f"({title}) {here[0].says}"})
            lines += here
            latest = max(latest, inside.at)
            around.ended = around.ended or (sure and inside.ended)
        around.at = latest
        return None


def _passes(kind: Kind, options: Any, values: Mapping[str, Json]) -> list[tuple[str, str, Json]] | None:
    """(title, block, values) of each pass; None where that depends on what is not known."""
    try:
        if not template.is_known(template.resolve(list(options.templates().values()), values)):
            return None
        plan = kind.plan(options, values)  # type: ignore[union-attr]  # a block has a plan
    except BosunError:
        return None
    return [(part.key, part.block, part.values) for part in plan.parts]


def _all_ways(step: Step, options: Any) -> list[tuple[str, str, Json]]:
    """Every block of the step once."""
    unknown = {name: template.Unknown(name) for name in options.names()}
    return [(block if len(step.blocks) > 1 else "each", block, unknown) for block in step.blocks]


def _defaults(workflow: Workflow) -> dict[str, Json]:
    """Something for each input that has to be given."""
    shapes: dict[str, Json] = {"number": 1, "flag": False, "date": "2026-01-01"}
    return {
        name: one.of[0] if one.of else shapes.get(one.type, template.Unknown(name))
        for name, one in workflow.inputs.items()
        if one.required
    }


def _as_if(session: Session, workflow: Workflow, place: Place, at: datetime, inputs: dict[str, Json]) -> LoadedRun:
    """The run as it would be loaded; it is in no table."""
    before = schedules.done_before(session, workflow.name, place, at, max(workflow.history, 1))
    person = f"workflow:{workflow.name}"
    run = runs.Run(
        id=f"rehearsal-{workflow.name}",
        ref=REF,
        agent="",
        requester=person,
        place=place.model_dump(mode="json"),
        request=f"run {workflow.name}",
        workflow=workflow.name,
        created_at=at,
        updated_at=at,
    )
    events = [trigger.kind for trigger in workflow.events]
    trigger: dict[str, Json] = {"kind": "cron", "text": "", "by": ""}
    if events and not workflow.timed:
        trigger = {"kind": events[0], "text": template.Unknown("what it says"), "by": template.Unknown("who")}
    request = Request(
        text=run.request,
        person=person,
        workflow=workflow,
        since=before[0].created_at if before else at - FIRST,
        inputs=inputs,
        trigger=trigger,
    )
    return LoadedRun(
        run=run,
        request=request,
        saved=NOTHING,
        earlier=tuple((one, history.result_of(session, one.id)) for one in before[: workflow.history]),
        corrections=tuple(workflows.corrections(session, workflow.name)),
        cost=0.0,
    )
