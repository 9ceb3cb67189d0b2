"""The step `form`: a person answers a question with the fields that the file names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel.store import outbox, runs, workflows
from kernel.store.workflows import FormRequest
from kernel.types import Frozen, Json, Labelled
from rules.engine.words import Duration, Names, parse_duration
from workflows.engine import template
from workflows.engine.forms import card
from workflows.engine.steps import Done, Options, Output, Parked, Reference, Rehearsed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from workflows.engine.steps import StepContext

ID = r"^[a-z][a-z0-9_]*$"


class Field_(Frozen):  # noqa: N801  `Field` is pydantic's
    """Something that the person fills in."""

    id: str = Field(pattern=ID)
    label: str = Field(min_length=1, max_length=45)  # the shortest limit of the platforms (Discord)
    type: Literal["text", "paragraph", "number", "choice", "flag", "date"] = "text"
    of: tuple[str, ...] = ()  # of a choice
    value: str = ""  # what stands there already; may hold places
    required: bool = True


class FormOptions(Options):
    """Who is asked what."""

    question: str = Field(min_length=1)  # may hold places
    who: Names  # roles; one person of one of them answers
    fields: tuple[Field_, ...] = Field(min_length=1, max_length=5)
    expires: Duration = "24h"
    if_nobody_answers: Literal["fail", "go_on"] = "fail"  # go_on: the step's data is empty

    def references(self) -> tuple[Reference, ...]:
        return tuple(Reference(kind="role", name=name, option="who") for name in self.who)

    def templates(self) -> Mapping[str, Json]:
        return {"question": self.question, "fields": [field.value for field in self.fields]}

    def data_schema(self) -> Json:
        return {"properties": {**{field.id: {} for field in self.fields}, "by": {}}}

    def in_words(self) -> str:
        return f"somebody of {' or '.join(self.who)} fills in a form: {quoted(self.question)}"

    def decided_by(self) -> tuple[str, ...]:
        return self.who


class Form:
    """Shows a card, parks, and goes on with what was filled in."""

    name = "form"
    options = FormOptions

    async def perform(self, options: FormOptions, step: StepContext) -> Done | Parked:
        form_id = step.own_id()
        row = await step.store.read(lambda session: workflows.form(session, form_id))
        now = step.clock.now()
        if row is not None and row.state == workflows.ANSWERED:
            data = {**(row.answer or {}), "by": row.by_name or ""}
            text = "\n".join(f"{name}: {template.shown(value)}" for name, value in (row.answer or {}).items())
            piece = Labelled(text=text, origin="member_text", source=row.ref)
            return Done(output=Output(text=text, data=data, pieces=(piece,), note=f"{row.by_name} answered {row.ref}."))
        if row is not None and (row.state != workflows.OPEN or (row.expires_at and row.expires_at <= now)):
            reason = f"Nobody answered {row.ref} in time."
            if options.if_nobody_answers == "fail":
                return Done(failed=reason, save=lambda session: _close(session, form_id, step))
            return Done(output=Output(note=reason), save=lambda session: _close(session, form_id, step))
        expires = (step.begun or now) + parse_duration(options.expires)
        shown = _shown(options, step)
        return Parked(start=lambda session: _open(session, form_id, shown, step), until=expires)

    async def rehearse(self, options: FormOptions, step: StepContext) -> Rehearsed:
        question = template.fill(options.question, step.values)
        names = ", ".join(field.label for field in options.fields)
        said = f"ask {' or '.join(options.who)} to fill in {names}: {quoted(question)}, within {options.expires}"
        return Rehearsed(says=said, asks=options.who)

    def cancel(self, session: Session, options: FormOptions, step: StepContext) -> None:
        _close(session, step.own_id(), step)


def _shown(options: FormOptions, step: StepContext) -> FormRequest:
    now = step.clock.now()
    return FormRequest(
        id=step.own_id(),
        ref="",
        run_id=step.run.id,
        workflow=step.workflow.name,
        question=template.fill(options.question, step.values),
        who=list(options.who),
        fields=[
            field.model_copy(update={"value": template.fill(field.value, step.values)}).model_dump(mode="json")
            for field in options.fields
        ],
        created_at=now,
        expires_at=(step.begun or now) + parse_duration(options.expires),
    )


def _open(session: Session, form_id: str, form: FormRequest, step: StepContext) -> None:
    known = workflows.form(session, form_id)
    if known is None:
        row = workflows.open_form(session, form, step.ids)
        body = card(row)
        outbox.put(session, f"{row.id}-card", step.place, body, step.clock.now(), run_id=step.run.id, subject=row.ref)
    elif known.state != workflows.OPEN:  # it was answered before this one was parked
        runs.next_segment(session, step.run.id, step.clock.now())


def _close(session: Session, form_id: str, step: StepContext) -> None:
    state = workflows.CANCELLED if step.run.stop_requested_by else workflows.EXPIRED
    if workflows.close_form(session, form_id, state, step.clock.now()):
        row = workflows.form(session, form_id)
        if row is not None:
            outbox.revise_copies(session, row.ref, card(row))


KIND = Form()
