"""The step `call`: a tool is used, through the door, by the rules of this team. Nobody attends: the rules know that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.errors import NotAllowed
from kernel.store import runs
from kernel.types import Json, RunFacts, ToolCall
from rules.engine.outcome import Finished, Held
from workflows.engine import template
from workflows.engine.people import owner
from workflows.engine.steps import Done, Options, Output, Parked, Reference, Rehearsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from rules.engine.outcome import Freeze
    from workflows.engine.steps import StepContext


class CallOptions(Options):
    """Which tool, as which agent, with what."""

    tool: str
    agent: str = "lead"  # the rules look at it; it has to have the tool
    with_: dict[str, Json] = Field(default={}, alias="with")  # arguments; a text that is one place becomes its value

    def references(self) -> tuple[Reference, ...]:
        tool = Reference(kind="tool", name=self.tool, option="tool")
        return (tool, Reference(kind="agent", name=self.agent, option="agent"))

    def templates(self) -> Mapping[str, Json]:
        return {"with": self.with_}

    def in_words(self) -> str:
        return f"use {self.tool} as {self.agent}, by the rules"


class Call:
    """Hands the call in; parks where people are asked, and is done again when they have decided."""

    name = "call"
    options = CallOptions

    async def perform(self, options: CallOptions, step: StepContext) -> Done | Parked:
        arguments = template.resolve(options.with_, step.values)
        use_id = f"{step.path}#{step.attempt}"
        call = ToolCall(id=use_id, tool=options.tool, arguments=arguments)
        outcome = await step.rights.act(call, facts_of(step, options.agent), 1)
        if isinstance(outcome, Held):
            freeze = outcome.freeze
            return Parked(start=lambda session: hold(session, step, freeze))
        if not isinstance(outcome, Finished):
            refs = outcome.refs
            return Parked(start=lambda session: step.rights.go_on_if_decided(session, step.run.id, refs))
        result = outcome.result
        if result.error:
            return Done(failed=result.content)
        return Done(output=Output(text=result.content, data=result.data, pieces=result.pieces, note=result.summary))

    async def rehearse(self, options: CallOptions, step: StepContext) -> Rehearsed:
        arguments = template.resolve(options.with_, step.values)
        call = ToolCall(id=step.path, tool=options.tool, arguments=arguments)
        shown = ", ".join(f"{name}={template.shown(value)[:80]}" for name, value in arguments.items())
        said = f"use {options.tool} as {options.agent}{f' with {shown}' if shown else ''}"
        try:
            found = await step.rights.foresee(call, facts_of(step, options.agent), step.clock.now())
        except NotAllowed as error:
            if template.is_known(arguments):
                return Rehearsed(says=f"{said}: refused, because it does not fit. {error.message}", refused=True)
            return Rehearsed(says=f"{said}; what the rules say depends on values that are not known yet")
        if found.decision == "deny":
            return Rehearsed(says=f"{said}: refused. {found.reason}", refused=True)
        if found.decision == "ask":
            return Rehearsed(says=f"{said}; {found.who} would be asked. {found.reason}", asks=found.roles)
        return Rehearsed(says=f"{said}, without asking. {found.reason}")

    def cancel(self, session: Session, options: CallOptions, step: StepContext) -> None:
        step.rights.withdraw(session, step.run.id, f"the step {step.path} is given up")


def hold(session: Session, step: StepContext, freeze: Freeze) -> None:
    """The call waits for a thaw; where that has come already, it is handed in again at once."""
    if not step.rights.hold(session, step.run.id, freeze):
        runs.next_segment(session, step.run.id, step.clock.now())


def facts_of(step: StepContext, agent: str) -> RunFacts:
    """What the rules look at: an unattended run that has read everything that its steps gave."""
    run = step.run
    return RunFacts(
        run_id=run.id,
        ref=run.ref,
        segment=run.segment,
        agent=agent,
        requester=owner(step.workflow.name),
        place=step.place,
        channel_name=step.channel,
        workflow=step.workflow.name,
        seen=step.origins,
    )


KIND = Call()
