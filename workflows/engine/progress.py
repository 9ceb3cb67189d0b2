"""How far a run of a workflow has come: a pure function of its definition and of what is saved of it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernel.errors import BosunError
from workflows.engine.steps import BlockKind, Output, Plan

if TYPE_CHECKING:
    from kernel.types import Json
    from workflows.engine.definition import Step
    from workflows.engine.history import Saved
    from workflows.engine.steps import Kinds, Part


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A step that is to be done now."""

    path: str
    step: Step
    values: Mapping[str, Json]  # what its templates may use
    outputs: Mapping[str, Output]  # of earlier steps that it can name, by id


@dataclass(frozen=True, kw_only=True)
class Under:
    """Steps are to be done."""

    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, kw_only=True)
class Over:
    """All steps are done."""

    output: Output  # of the last one


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A step has failed for good, and the file does not say what to do instead."""

    path: str
    reason: str


Standing = Under | Over | Broken


@dataclass(frozen=True, kw_only=True)
class _Around:
    """What is known at one point."""

    prefix: str
    values: Mapping[str, Json]
    outputs: Mapping[str, Output] = field(default_factory=dict)

    def inside(self, step: Step, part: Part) -> _Around:
        values = ChainMap(dict(part.values), self.values)  # type: ignore[arg-type]  # ChainMap only reads the second
        return _Around(prefix=f"{self.prefix}{step.id}/{part.key}/", values=values, outputs=self.outputs)


class Walk:
    """Goes through the steps of one run as far as what is saved leads."""

    def __init__(self, kinds: Kinds, saved: Saved) -> None:
        self.kinds = kinds
        self.saved = saved
        self.done: list[tuple[str, Step, _Around]] = []  # steps with an undo, in the order of the file

    def standing(self, steps: Sequence[Step], values: Mapping[str, Json]) -> Standing:
        """What is to be done next; the undoing of a broken run is part of it."""
        found = self._sequence(steps, _Around(prefix="", values=values))
        if not isinstance(found, Broken):
            return found
        for path, step, around in reversed(self.done):
            at = f"undo/{path}"
            over = at in self.saved.outputs or self.saved.failure(at, None) is not None
            if step.undo is not None and not over:
                return Under(leaves=(self._leaf(at, step.undo, around),))
        return found

    def _sequence(self, steps: Sequence[Step], around: _Around) -> Standing:
        outputs = dict(around.outputs)
        last = Output()
        for step in steps:
            here = _Around(prefix=around.prefix, values=_with_steps(around.values, outputs), outputs=outputs)
            found = self._one(step, here)
            if not isinstance(found, Over):
                return found
            last = outputs[step.id] = found.output
            if last.ends:
                break
        return Over(output=last)

    def _one(self, step: Step, around: _Around) -> Standing:
        path = around.prefix + step.id
        kind = self.kinds.get(step.kind)
        found = self._block(step, kind, around) if isinstance(kind, BlockKind) else self._single(path, step, around)
        if isinstance(found, Broken):
            return self._instead(path, step, found, around)
        if isinstance(found, Over) and step.undo is not None:
            after = {**around.outputs, step.id: found.output}
            values = _with_steps(around.values, after)
            self.done.append((path, step, _Around(prefix=around.prefix, values=values, outputs=after)))
        return found

    def _single(self, path: str, step: Step, around: _Around) -> Standing:
        output = self.saved.outputs.get(path)
        if output is not None:
            return Over(output=output)
        failure = self.saved.failure(path, step.retry)
        if failure is not None:
            return Broken(path=path, reason=failure)
        return Under(leaves=(self._leaf(path, step, around),))

    def _leaf(self, path: str, step: Step, around: _Around) -> Leaf:
        return Leaf(path=path, step=step, values=around.values, outputs=around.outputs)

    def _block(self, step: Step, kind: BlockKind, around: _Around) -> Standing:
        path = around.prefix + step.id
        options = kind.options.model_validate(step.options)
        try:
            plan = kind.plan(options, around.values)
        except BosunError as error:
            return Broken(path=path, reason=error.message)
        results, under, broken = self._parts(step, plan, around)
        if broken is not None:
            return broken
        if under:
            return Under(leaves=tuple(under))
        ended = next((one for one in results if one.ends), None)
        return Over(output=ended or kind.gather(options, results))

    def _parts(self, step: Step, plan: Plan, around: _Around) -> tuple[list[Output], list[Leaf], Broken | None]:
        """Where the passes stand: the outputs of those that are over, and what is to be done in those under way.

        A pass that is broken lets the others that are under way come to their end, but no new one begins.
        """
        results: list[Output] = []
        under: list[Leaf] = []
        broken: Broken | None = None
        open_ = 0
        for part in plan.parts:
            inside = around.inside(step, part)
            if (broken is not None or open_ >= plan.parallel) and not self.saved.touched(inside.prefix):
                continue
            found = self._sequence(step.blocks.get(part.block, ()), inside)
            if isinstance(found, Under):
                under += found.leaves
                open_ += 1
            elif isinstance(found, Broken):
                broken = broken or found
            else:
                results.append(found.output)
        return results, under, broken if not under else None

    def _instead(self, path: str, step: Step, broken: Broken, around: _Around) -> Standing:
        """What the file says is to be done when the step fails."""
        if step.on_failure == "stop":
            return broken
        note = Output(note=broken.reason, failed=True)
        if step.on_failure == "go_on":
            return Over(output=note)
        outputs = {**around.outputs, step.id: note}
        inside = _Around(prefix=f"{path}/failed/", values=_with_steps(around.values, outputs), outputs=outputs)
        return self._sequence(step.on_failure, inside)


def _with_steps(values: Mapping[str, Json], outputs: Mapping[str, Output]) -> Mapping[str, Json]:
    """The values with what the steps so far have given."""
    return ChainMap({"steps": {name: output.value() for name, output in outputs.items()}}, values)  # type: ignore[arg-type]  # as above
