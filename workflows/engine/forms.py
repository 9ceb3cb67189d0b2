"""Forms of workflows as people meet them: the card, the dialog, and the answer, checked and kept."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.errors import NotAllowed, NotFound, OutOfDate
from kernel.people import RoleUnknownError
from kernel.store import outbox, runs, workflows
from kernel.types import Action, Card, Fact, Form, FormField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.clock import Clock
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.store.workflows import FormRequest
    from kernel.types import Actor, Json, Person, Press

PREFIX = "F-"  # of the reference
HEADLINE = 120  # characters
YES, NO = frozenset({"yes", "true", "y"}), frozenset({"no", "false", "n"})
HINTS = {"number": "a number", "date": "a date: 2026-12-01", "flag": "yes or no"}


def card(row: FormRequest) -> Card:
    """The card of a form as it stands."""
    first, _, rest = row.question.strip().partition("\n")
    long = len(first) > HEADLINE
    answered = [Fact(label=str(name), value=str(value)[:300]) for name, value in (row.answer or {}).items()]
    return Card(
        headline=first if not long else f"{first[: HEADLINE - 1]}…",
        state=_state(row),
        tone={workflows.OPEN: "waiting", workflows.ANSWERED: "good"}.get(row.state, "neutral"),
        text=row.question if long else rest.strip(),
        facts=(Fact(label="Workflow", value=row.workflow), *answered[:6]),
        actions=_actions(row),
        footer=f"{row.ref} · for {' or '.join(row.who)}",
        expires_at=row.expires_at if row.state == workflows.OPEN else None,
    )


def _state(row: FormRequest) -> str:
    if row.state == workflows.OPEN:
        return f"Waiting for an answer · {' or '.join(row.who)} answers"
    if row.state == workflows.ANSWERED:
        return f"Answered by {row.by_name}"
    return "Nobody answered in time" if row.state == workflows.EXPIRED else "No longer needed"


def _actions(row: FormRequest) -> tuple[Action, ...]:
    if row.state != workflows.OPEN:
        return ()
    return (Action(subject=row.ref, verb="answer", label="Answer…", style="primary", opens_form=True),)


def dialog(row: FormRequest) -> Form:
    """The dialog in which the form is filled in."""
    fields = tuple(
        FormField(
            id=field["id"],
            label=field["label"],
            value=field["value"],
            multiline=field["type"] == "paragraph",
            required=field["required"],
            hint=f"one of: {', '.join(field['of'])}" if field["of"] else HINTS.get(field["type"], ""),
        )
        for field in row.fields
    )
    return Form(subject=row.ref, verb="answer", title="Answer", fields=fields, note=row.question[:600])


class Forms:
    """Takes the answers. Every refusal is an error whose sentence is for the person alone."""

    def __init__(self, store: Store, clock: Clock, directory: Directory) -> None:
        self.store = store
        self.clock = clock
        self.directory = directory

    async def answer(self, press: Press, person: Person, actor: Actor) -> Form | str:
        """The dialog of a form, or, once it is sent, what to tell the person privately."""
        row = await self._open(press.subject, person, actor)
        return await self.fill_in(press.subject, press.fields, person, actor) if press.fields else dialog(row)

    async def fill_in(self, ref: str, said: Mapping[str, str], person: Person, actor: Actor) -> str:
        """Keep the answer; the run goes on in the same transaction. NotAllowed says what does not fit."""
        row = await self._open(ref, person, actor)
        answer = {field["id"]: _checked(field, said.get(field["id"], "")) for field in row.fields}

        def write(session: Session) -> str:
            now = self.clock.now()
            values = {"answer": answer, "by": person.id, "by_name": person.name}
            if not workflows.close_form(session, row.id, workflows.ANSWERED, now, **values):
                raise OutOfDate(f"Somebody else has answered {row.ref}, or it is no longer needed.")
            fresh = workflows.form(session, row.id)
            if fresh is not None:
                outbox.revise_copies(session, row.ref, card(fresh))
            told = {"run": row.run_id, "workflow": row.workflow, "by": person.id, "account": actor.account}
            ledger.append(session, now, "form.answered", row.ref, told)
            runs.next_segment(session, row.run_id, now)
            return f"Your answer to {row.ref} is recorded. The workflow goes on."

        return await self.store.write(write)

    async def _open(self, ref: str, person: Person, actor: Actor) -> FormRequest:
        row = await self.store.read(lambda session: workflows.form_by_ref(session, ref))
        if row is None:
            raise NotFound(f"There is no form {ref[:20]}.")
        if row.state != workflows.OPEN or (row.expires_at is not None and row.expires_at <= self.clock.now()):
            raise OutOfDate(f"{row.ref} is closed: {_state(row)}.")
        await self._may_answer(row, person, actor)
        return row

    async def _may_answer(self, row: FormRequest, person: Person, actor: Actor) -> None:
        if person.can_decide:
            try:
                for role in row.who:
                    if await self.directory.holds(person, role, actor):
                        return
            except RoleUnknownError as error:
                raise NotAllowed("I cannot look up your role right now, so nothing was recorded. Try again.") from error
        raise NotAllowed(f"{row.ref} is for {' or '.join(row.who)}. Nothing was recorded.")


def _checked(field: Mapping[str, Json], said: str) -> Json:
    """The value of a field. NotAllowed says what does not fit."""
    text, label = said.strip(), field["label"]
    if not text:
        if field["required"]:
            raise NotAllowed(f"{label} is missing, so nothing was recorded.")
        return None
    try:
        return _typed(field, text)
    except ValueError:
        hint = f"one of {', '.join(field['of'])}" if field["of"] else HINTS.get(field["type"], "text")
        raise NotAllowed(f"{label} should be {hint}, so nothing was recorded.") from None


def _typed(field: Mapping[str, Json], text: str) -> Json:
    kind = field["type"]
    if kind == "number":
        number = float(text.replace("\u2019", "").replace("'", ""))
        if number - number != 0:  # infinite, or not a number
            raise ValueError
        return int(number) if number.is_integer() else number
    if kind == "choice":
        return next((one for one in field["of"] if one.casefold() == text.casefold()), None) or _refuse()
    if kind == "flag":
        word = text.casefold()
        return (word in YES) if word in YES | NO else _refuse()
    return date.fromisoformat(text).isoformat() if kind == "date" else text


def _refuse() -> Json:
    raise ValueError
