"""The step `start`: another workflow begins, and this one goes on with what it gave, or without waiting for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import runs
from kernel.store.runs import Run
from kernel.types import Json
from workflows.ask import stop_run
from workflows.engine import history, template
from workflows.engine.steps import Done, Options, Output, Parked, Reference, Rehearsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from workflows.engine.steps import StepContext


class StartOptions(Options):
    """Which workflow, with what."""

    workflow: str
    inputs: dict[str, Json] = Field(default_factory=dict)
    wait: bool = True  # false: this one goes on at once, whatever becomes of the other

    def references(self) -> tuple[Reference, ...]:
        return (Reference(kind="workflow", name=self.workflow, option="workflow"),)

    def templates(self) -> Mapping[str, Json]:
        return {"inputs": self.inputs}

    def in_words(self) -> str:
        return f"run the workflow {self.workflow}{' and wait for it' if self.wait else ''}"


class StartWorkflow:
    """Begins the run once; its id is kept under the key of this step."""

    name = "start"
    options = StartOptions

    async def perform(self, options: StartOptions, step: StepContext) -> Done | Parked:
        inputs = template.resolve(options.inputs, step.values)
        key = f"{step.run.id}/{step.path}#{step.attempt}"
        if not options.wait:
            return Done(
                output=Output(note=f"Started {options.workflow}."),
                save=lambda session: self._begin(session, options, step, inputs, key),
            )
        child = await step.store.read(lambda session: step.begin.known(session, options.workflow, key))
        if child is None or child.state not in runs.FINAL:
            return Parked(start=lambda session: self._begin(session, options, step, inputs, key))
        if child.state != runs.DONE:
            return Done(failed=f"{options.workflow} did not finish ({child.ref}): {child.error or child.state}")
        given = await step.store.read(lambda session: history.result_of(session, child.id))
        return Done(output=Output(text=given.text, data=given.data, pieces=given.pieces, note=f"{child.ref} is done."))

    def _begin(
        self, session: Session, options: StartOptions, step: StepContext, inputs: Mapping[str, Json], key: str
    ) -> None:
        known = step.begin.known(session, options.workflow, key)
        if known is None:
            step.begin(session, step.run if options.wait else None, options.workflow, inputs, key)
        elif known.state in runs.FINAL:  # it ended before this one was parked
            runs.next_segment(session, step.run.id, step.clock.now())

    async def rehearse(self, options: StartOptions, step: StepContext) -> Rehearsed:
        inputs = template.resolve(options.inputs, step.values)
        shown = ", ".join(f"{name}={template.shown(value)[:80]}" for name, value in inputs.items())
        return Rehearsed(says=f"{options.in_words()}{f' with {shown}' if shown else ''}")

    def cancel(self, session: Session, options: StartOptions, step: StepContext) -> None:
        key = f"{step.run.id}/{step.path}#{step.attempt}"
        child: Run | None = step.begin.known(session, options.workflow, key)
        if child is not None and child.state not in runs.FINAL:
            stop_run(session, child, step)


KIND = StartWorkflow()
