"""The step `ask`: an agent answers a prompt in a run of its own, through the same door as every other run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import runs
from kernel.store.runs import Run
from workflows.engine.steps import Done, Options, Output, Parked, Reference, derived_id

if TYPE_CHECKING:
    from kernel.store import Session
    from workflows.engine.steps import StepContext


class AskOptions(Options):
    """Who is asked, what, and what they read."""

    agent: str
    prompt: str = Field(min_length=1)  # as it stands in the file: what others wrote is never made part of it
    reads: tuple[str, ...] = ()  # earlier steps whose text the agent is shown as quoted context
    optional: bool = False  # without a model, or if the agent fails, the step's text is empty and the next one goes on

    def references(self) -> tuple[Reference, ...]:
        steps = tuple(Reference(kind="step", name=name, option="reads") for name in self.reads)
        return (Reference(kind="agent", name=self.agent, option="agent"), *steps)


class Ask:
    """Starts the agent's run and parks; called again when that run has ended."""

    name = "ask"
    options = AskOptions

    async def perform(self, options: AskOptions, step: StepContext) -> Done | Parked:
        if options.optional and not step.has_model:
            return Done(output=Output(note="Left out: no language model is configured."))
        child_id = derived_id(step.run.created_at, step.run.id, step.step)
        child = await step.store.read(lambda session: session.get(Run, child_id))
        again = child is not None and child.state == runs.FAILED and step.run.error is not None
        if child is None or child.state not in runs.FINAL or again:
            return Parked(start=lambda session: _start(session, child_id, options, step))
        if child.state == runs.DONE:
            return Done(output=Output(text=child.answer or "", note=f"{options.agent} answered in {child.ref}."))
        reason = f"{options.agent} did not answer ({child.ref}): {child.error or child.state}"
        return Done(output=Output(note=reason)) if options.optional else Done(failed=reason)


def _start(session: Session, child_id: str, options: AskOptions, step: StepContext) -> None:
    now = step.clock.now()
    known = session.get(Run, child_id)
    if known is not None:
        if known.state == runs.FAILED and step.run.error is not None:  # somebody retries the workflow's run
            runs.next_segment(session, child_id, now, from_states=(runs.FAILED,))
        elif known.state in runs.FINAL:  # it ended before this one was parked
            runs.next_segment(session, step.run.id, now)
        return
    child = Run(
        id=child_id,
        ref=runs.free_ref(session, step.ids),
        agent=options.agent,
        requester=step.run.requester,
        place=step.run.place,
        request=options.prompt,
        workflow=step.workflow,
        parent_id=step.run.id,
        charter=step.run.charter,
        created_at=now,
        updated_at=now,
    )
    context = [
        {"name": f"{step.workflow}: {name}", "text": step.outputs[name].text, "mine": True} for name in options.reads
    ]
    request = {"text": options.prompt, "actor": None, "person": step.run.requester, "files": [], "context": context}
    runs.begin(session, child, request)


KIND = Ask()
