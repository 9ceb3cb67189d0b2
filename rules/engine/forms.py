"""The dialogs of an approval: why not, what instead, which target, what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kernel.types import Form, FormField
from rules.engine import schema
from rules.engine.record import outcome_of, preview_of
from rules.engine.words import in_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store.approvals import ApprovalState
    from kernel.types import Json
    from rules.engine.policy import GrantTerms
    from rules.engine.tooling import GovernedTool

EDITABLE = 4  # arguments in one dialog
LONGEST = 3000  # characters of a field, on the strictest platform
PREFIX = "arg_"  # of the fields that hold arguments


def reject_form(row: ApprovalState) -> Form:
    """Asks for the reason."""
    reason = FormField(
        id="reason", label="Why not?", multiline=True, max_length=1000, hint="The agent and the requester read this."
    )
    return Form(
        subject=row.ref,
        revision=row.revision,
        verb="reject",
        title=f"Reject {row.ref}",
        fields=(reason,),
        submit="Reject",
        note=preview_of(row).headline,
    )


def target_form(row: ApprovalState) -> Form:
    """Asks the approver to type the target."""
    target = FormField(id="target", label="Type the target", hint="Exactly as it is, from a source that you trust.")
    return Form(
        subject=row.ref,
        revision=row.revision,
        verb="approve",
        title=f"Approve {row.ref}",
        fields=(target,),
        submit="Approve",
        note="The target stands in text that somebody outside the team wrote, so a button does not suffice.",
    )


def ask_form(row: ApprovalState) -> Form:
    """Asks what somebody who decides wants to know."""
    hint = f"{preview_of(row).requester} is asked in the thread; the answer stands on the card."
    question = FormField(id="text", label="Question", multiline=True, max_length=1000, hint=hint)
    return _form(row, "ask", f"Ask about {row.ref}", question, submit="Ask", note=preview_of(row).headline)


def answer_form(row: ApprovalState) -> Form:
    """Asks the requester for the answer to the oldest open question."""
    waiting = (question for question in outcome_of(row).questions if not question.answered_by)
    first = next(waiting, None)
    note = f"{first.by} asks: {first.text}" if first else ""
    answer = FormField(id="text", label="Answer", multiline=True, max_length=1000, hint="It stands on the card.")
    return _form(row, "answer", f"Answer {row.ref}", answer, submit="Answer", note=note)


def withdraw_form(row: ApprovalState) -> Form:
    """Asks whether it is meant, and why."""
    reason = FormField(id="reason", label="Why?", required=False, multiline=True, max_length=1000)
    note = f"{preview_of(row).headline}\n\nNobody can decide about it any more; the agent is told."
    return _form(row, "withdraw", f"Withdraw {row.ref}", reason, submit="Withdraw", note=note)


def glass_form(row: ApprovalState) -> Form:
    """Asks for the reason of a decision that one person takes alone."""
    reason = FormField(
        id="reason", label="Why can it not wait?", multiline=True, max_length=1000, hint="The whole team reads this."
    )
    note = f"{preview_of(row).headline}\n\nYou decide alone, without those whom the rule asks. It is posted publicly."
    return _form(row, "break_glass", f"Break glass {row.ref}", reason, submit="Approve alone", note=note)


def done_form(row: ApprovalState) -> Form:
    """Asks what came of a call that was cut off."""
    result = FormField(
        id="reason",
        label="What came of it?",
        required=False,
        multiline=True,
        max_length=1000,
        hint="For the agent: a number, a name, where you looked.",
    )
    note = f"{preview_of(row).headline}\n\nYou have looked, and it was done."
    return _form(row, "done", f"{row.ref} was done", result, submit="It was done", note=note)


def grant_form(row: ApprovalState, terms: GrantTerms, scope: str) -> Form:
    """Asks how often and how long it is allowed without asking."""
    calls = FormField(
        id="calls",
        label="How often",
        value=str(min(5, terms.calls)),
        max_length=4,
        hint=f"At most {terms.calls} times.",
    )
    lasts = FormField(
        id="lasts",
        label="For how long",
        value=in_time(terms.lasts),
        max_length=6,
        hint=f"At most {in_time(terms.lasts)}; write 12h or 7d.",
    )
    note = f"Approves this call, and allows without asking: {scope}. Whoever else has to agree agrees to both."
    return _form(row, "grant", f"Allow for: {row.ref}", calls, lasts, submit="Propose and approve", note=note)


def _form(row: ApprovalState, verb: str, title: str, *fields: FormField, submit: str, note: str) -> Form:
    return Form(
        subject=row.ref, revision=row.revision, verb=verb, title=title[:24], fields=fields, submit=submit, note=note
    )


def edit_form(row: ApprovalState, tool: GovernedTool) -> Form | None:
    """Offers the arguments for editing; None where none fits into a dialog."""
    fields = [field for name in row.arguments if (field := _field(row, tool, name)) is not None]
    if not fields:
        return None
    more = len(row.arguments) - len(fields[:EDITABLE])
    return Form(
        subject=row.ref,
        revision=row.revision,
        verb="edit",
        title=f"Edit {row.ref}",
        fields=tuple(fields[:EDITABLE]),
        submit="Save as new revision",
        note="Votes so far do not count for the new revision."
        + (f" {more} further argument{'s stay as they are' if more > 1 else ' stays as it is'}." if more else ""),
    )


def _field(row: ApprovalState, tool: GovernedTool, name: str) -> FormField | None:
    text = shown(row.arguments[name])
    if len(text) > LONGEST:
        return None
    described = tool.schema.arguments.get("properties", {}).get(name, {}).get("description", "")
    return FormField(
        id=f"{PREFIX}{name}",
        label=name.replace("_", " ").capitalize(),
        value=text,
        multiline=len(text) > 80 or "\n" in text or isinstance(row.arguments[name], list | dict),
        required=bool(text) and name in tool.schema.arguments.get("required", ()),
        max_length=LONGEST,
        hint=str(described)[:150],
    )


def shown(value: Json) -> str:
    """A value as it is edited: text as it is, a list of texts one per line, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(entry, str) and "\n" not in entry for entry in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False)


def typed_arguments(tool: GovernedTool, before: Mapping[str, Json], fields: Mapping[str, str]) -> dict[str, Json]:
    """The arguments after an edit. A field that was not touched keeps its value; ValueError names an unknown field."""
    after = dict(before)
    for key, text in fields.items():
        name = key.removeprefix(PREFIX)
        if name not in before:
            raise ValueError(f"{tool.name} has no argument “{name[:40]}”.")
        clean = text.replace("\r\n", "\n")
        if clean != shown(before[name]):
            after[name] = _read(tool, name, clean)
    return after


def _read(tool: GovernedTool, name: str, text: str) -> Json:
    kinds = schema.types(tool.schema.arguments, name)
    if schema.is_list(tool.schema.arguments, name):
        if text.lstrip().startswith("["):
            return _json(text)
        return [_scalar(kinds, line.strip()) for line in text.splitlines() if line.strip()]
    if not text and "null" in kinds:
        return None
    return _scalar(kinds, text)


def _scalar(kinds: frozenset[str], text: str) -> Json:
    return text if "string" in kinds else _json(text)


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text  # the tool's own model says what it expects
