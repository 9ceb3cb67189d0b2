"""The step `ask`: an agent answers a prompt in a run of its own, through the same door as every other run."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from pydantic import Field, field_validator

from kernel.store import runs, wake
from kernel.store.runs import Run
from kernel.types import Json
from workflows.call import facts_of
from workflows.engine import template
from workflows.engine.steps import Done, Options, Output, Parked, Reference, Rehearsed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from workflows.engine.steps import StepContext

FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)
SHOWN = 8  # tools that are named
TRIES = 2  # answers that may miss the shape before the step fails


class AskOptions(Options):
    """Who is asked, what, and what they read."""

    agent: str
    prompt: str = Field(min_length=1)  # may name inputs and loop entries; what others wrote is shown through `reads`
    reads: tuple[str, ...] = ()  # earlier steps whose text the agent is shown as quoted context
    result: Json = None  # JSON schema of the answer; without it the answer is text
    optional: bool = False  # without a model, or if the agent fails, the step's text is empty and the next one goes on

    @field_validator("result")
    @classmethod
    def _is_a_schema(cls, schema: Json) -> Json:
        if schema is not None:
            try:
                Draft202012Validator.check_schema(schema)
            except SchemaError as error:
                raise ValueError(f"not a JSON schema: {error.message}") from error
        return schema

    def references(self) -> tuple[Reference, ...]:
        steps = tuple(Reference(kind="step", name=name, option="reads") for name in self.reads)
        return (Reference(kind="agent", name=self.agent, option="agent"), *steps)

    def templates(self) -> Mapping[str, Json]:
        return {"prompt": self.prompt}

    def data_schema(self) -> Json:
        return self.result

    def in_words(self) -> str:
        return f"ask the agent {self.agent}: {quoted(self.prompt)}"


class Ask:
    """Starts the agent's run and parks; called again when that run has ended."""

    name = "ask"
    options = AskOptions

    async def perform(self, options: AskOptions, step: StepContext) -> Done | Parked:
        if options.optional and not step.has_model:
            return Done(output=Output(note="Left out: no language model is configured."))
        said = await step.store.read(lambda session: _children(session, options, step))
        missed = ""
        for child_id, child in said:
            if child is None or child.state not in runs.FINAL or _tried_again(child, step):
                return Parked(start=partial(_start, child_id, options, step, _prompt(options, step, missed)))
            if child.state != runs.DONE:
                reason = f"{options.agent} did not answer ({child.ref}): {child.error or child.state}"
                return Done(output=Output(note=reason)) if options.optional else Done(failed=reason)
            note = f"{options.agent} answered in {child.ref}."
            if options.result is None:
                return Done(output=Output(text=child.answer or "", note=note))
            data, missed = _parsed(child.answer or "", options.result)
            if not missed:
                return Done(output=Output(text=child.answer or "", data=data, note=note))
        failed = f"{options.agent} did not answer in the form that was asked for: {missed}"
        return Done(output=Output(note=failed)) if options.optional else Done(failed=failed)

    async def rehearse(self, options: AskOptions, step: StepContext) -> Rehearsed:
        if options.optional and not step.has_model:
            return Rehearsed(says="left out: no language model is configured", output=Output())
        prompt = template.fill(options.prompt, step.values)
        tools, roles = _tools(options.agent, step)
        told = f", with {len(step.corrections)} corrections" if step.corrections else ""
        return Rehearsed(says=f"ask the agent {options.agent}{told}: {quoted(prompt)}{tools}", may_ask=roles)

    def cancel(self, session: Session, options: AskOptions, step: StepContext) -> None:
        for _, child in _children(session, options, step):
            if child is not None and child.state not in runs.FINAL:
                stop_run(session, child, step)


def _tools(agent: str, step: StepContext) -> tuple[str, tuple[str, ...]]:
    """What the rules of that hour say to the tools of the agent, and of those to whom it can hand on; who is asked."""
    team, now = step.channels.team(), step.clock.now()
    alone: list[str] = []
    asking: dict[str, list[str]] = {}
    roles: list[str] = []
    for name in (agent, *(team.hands_on if agent == team.lead else ())):
        for one in step.rights.reachable(facts_of(step, name), now):
            shown = one.tool if name == agent else f"{one.tool} as {name}"
            if one.how == "alone":
                alone.append(shown)
            elif one.how != "never" and one.who:
                asking.setdefault(one.who, []).append(shown if one.how == "asks" else f"{shown} (by what it says)")
                roles += one.roles
    parts = [f"It may use {_listed(alone)} without asking"] if alone else []
    parts += [f"{who} would be asked before {_listed(tools)}" for who, tools in asking.items()]
    return "".join(f". {part}" for part in parts), tuple(dict.fromkeys(roles))


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def stop_run(session: Session, run: Run, step: StepContext) -> None:
    """Have a run stop that this step has begun."""
    run.stop_requested_by = step.run.stop_requested_by or step.run.requester
    session.add(run)
    session.flush()
    runs.next_segment(session, run.id, step.clock.now())
    wake(session, runs.STOP, run.id)


def _children(session: Session, options: AskOptions, step: StepContext) -> list[tuple[str, Run | None]]:
    """The agent's runs for this attempt: a second one where the first answer missed the shape."""
    ids = [step.own_id(), *(step.own_id("again", str(n)) for n in range(1, TRIES))]
    return [(each, session.get(Run, each)) for each in (ids if options.result is not None else ids[:1])]


def _tried_again(child: Run, step: StepContext) -> bool:
    """It failed before somebody had the workflow's run tried again: it goes on where it stood."""
    return child.state == runs.FAILED and step.retried_at is not None and child.updated_at <= step.retried_at


def _prompt(options: AskOptions, step: StepContext, missed: str) -> str:
    parts = [template.fill(options.prompt, step.values)]
    if step.corrections:
        parts.append("People have corrected earlier results of this workflow. Keep to what they said:")
        parts.append("\n".join(f"- {line}" for line in step.corrections))
    if options.result is not None:
        parts.append("Answer with JSON alone that fits this schema, and nothing else:")
        parts.append(json.dumps(options.result, ensure_ascii=False))
    if missed:
        parts.append(f"Your last answer did not fit: {missed}")
    return "\n\n".join(parts)


def _parsed(answer: str, schema: Json) -> tuple[Json, str]:
    """The data in an answer, and what is wrong with it; empty where it fits."""
    fenced = FENCE.search(answer)
    try:
        data = json.loads(fenced[1] if fenced else answer)
    except ValueError as error:
        return None, f"it is not JSON ({error})"
    fault = best_match(Draft202012Validator(schema).iter_errors(data))
    if fault is None:
        return data, ""
    where = ".".join(str(part) for part in fault.absolute_path)
    return None, f"{where}: {fault.message}"[:400] if where else fault.message[:400]


def _start(child_id: str, options: AskOptions, step: StepContext, prompt: str, session: Session) -> None:
    now = step.clock.now()
    known = session.get(Run, child_id)
    if known is not None:
        if _tried_again(known, step):
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
        request=prompt,
        workflow=step.workflow.name,
        parent_id=step.run.id,
        charter=step.run.charter,
        created_at=now,
        updated_at=now,
    )
    context = [
        {"name": f"{step.workflow.name}: {name}", "text": _shown(step.outputs[name]), "mine": True}
        for name in options.reads
    ]
    request = {"text": prompt, "actor": None, "person": step.run.requester, "files": [], "context": context}
    runs.begin(session, child, request)


def _shown(output: Output) -> str:
    return output.text or (template.shown(output.data) if output.data is not None else output.note)


KIND = Ask()
