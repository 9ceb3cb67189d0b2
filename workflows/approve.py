"""The step `approve`: people decide whether the workflow goes on, with the same cards and votes as for a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel.types import Json, Labelled
from rules.engine.policy import Group, Policy
from rules.engine.words import Duration, Names, parse_duration
from workflows.call import facts_of
from workflows.engine import template
from workflows.engine.rights import Question
from workflows.engine.steps import Done, Options, Output, Parked, Reference, Rehearsed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from workflows.engine.rights import Decided
    from workflows.engine.steps import StepContext

SCHEMA: Json = {"properties": {"approved": {}, "by": {}, "reason": {}}}


class ApproveOptions(Options):
    """What is decided, and by whom."""

    headline: str = Field(min_length=1, max_length=300)  # may hold places; cut to 120 characters
    text: str = ""  # what people have to know for it; may hold places
    who: Names  # roles; a person needs one of them
    need: int = Field(default=1, ge=1, le=20)
    where: Names | tuple[()] = ()  # channels that get a card beside the workflow's own
    expires: Duration = "24h"
    if_not: Literal["fail", "go_on"] = "fail"  # rejected, or nobody decided; go_on: the next steps look at `approved`

    def references(self) -> tuple[Reference, ...]:
        roles = tuple(Reference(kind="role", name=name, option="who") for name in self.who)
        return (*roles, *(Reference(kind="channel", name=name, option="where") for name in self.where))

    def templates(self) -> Mapping[str, Json]:
        return {"headline": self.headline, "text": self.text}

    def data_schema(self) -> Json:
        return SCHEMA

    def in_words(self) -> str:
        return f"{self.need} of {' or '.join(self.who)} approve: {quoted(self.headline)}"

    def decided_by(self) -> tuple[str, ...]:
        return self.who


class Approve:
    """Asks, parks, and goes on with what was decided."""

    name = "approve"
    options = ApproveOptions

    async def perform(self, options: ApproveOptions, step: StepContext) -> Done | Parked:
        question_id = step.own_id()
        decided = await step.store.read(lambda session: step.rights.decided(session, question_id))
        if decided is None or decided.state == "pending":
            question = _question(question_id, options, step)
            return Parked(start=lambda session: _ask(session, question, step))
        return _done(options, decided)

    async def rehearse(self, options: ApproveOptions, step: StepContext) -> Rehearsed:
        headline = template.fill(options.headline, step.values)
        said = (
            f"ask {options.need} of {' or '.join(options.who)} to approve {quoted(headline)}, within {options.expires}"
        )
        return Rehearsed(says=said, asks=options.who)

    def cancel(self, session: Session, options: ApproveOptions, step: StepContext) -> None:
        step.rights.withdraw(session, step.run.id, f"the step {step.path} is given up")


def _question(question_id: str, options: ApproveOptions, step: StepContext) -> Question:
    headline = " ".join(template.fill(options.headline, step.values).split())
    return Question(
        id=question_id,
        headline=headline if len(headline) <= 120 else f"{headline[:119]}…",
        text=template.fill(options.text, step.values),
        policy=Policy(
            groups=(Group(who=options.who, need=options.need, not_requester=False),),
            where=options.where,
            expires=int(parse_duration(options.expires).total_seconds()),
        ),
        why=f"The step {step.step} of the workflow {step.workflow.name} asks for it.",
    )


def _ask(session: Session, question: Question, step: StepContext) -> None:
    decided = step.rights.decided(session, question.id)
    if decided is None:
        step.rights.ask(session, question, facts_of(step, "lead"))
    else:
        step.rights.go_on_if_decided(session, step.run.id, (decided.ref,))


def _done(options: ApproveOptions, decided: Decided) -> Done:
    approved = decided.state in ("approved", "consumed")
    said = {"rejected": f"{decided.by} rejected it: {decided.reason}", "expired": "Nobody decided in time."}
    text = f"{decided.by} approved it." if approved else said.get(decided.state, f"It was withdrawn: {decided.reason}")
    if not approved and options.if_not == "fail":
        return Done(failed=f"{text} ({decided.ref})")
    data = {"approved": approved, "by": decided.by, "reason": decided.reason}
    piece = Labelled(text=decided.reason or text, origin="member_text", source=decided.ref)
    return Done(output=Output(text=text, data=data, note=decided.ref, pieces=(piece,)))


KIND = Approve()
