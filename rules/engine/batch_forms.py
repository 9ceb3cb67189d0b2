"""The dialogs of the one card of several calls: which of them, why not, for which one the own card is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Choice, Form, FormField
from rules.engine.batch_cards import headline, pending, revision, together
from rules.engine.cards import one_line
from rules.engine.record import preview_of
from rules.engine.wording import tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.store.approvals import ApprovalState
    from rules.engine.batch_cards import Items

KEEP, REJECT = "keep", "reject"  # what becomes of the items that nobody picked


def choose_form(items: Items) -> Form:
    """Asks which of them are approved, and what becomes of the others."""
    picked = FormField(
        id="approve", label="Approve these", choices=_choices(together(items)), many=True, required=False
    )
    others = FormField(
        id="others",
        label="The others",
        value=KEEP,
        choices=(Choice(value=KEEP, label="wait as they are"), Choice(value=REJECT, label="are rejected")),
    )
    reason = FormField(id="reason", label="Why not the others?", required=False, multiline=True, max_length=1000)
    return _form(items, "choose", "Choose", picked, others, reason, submit="Decide")


def reject_form(items: Items) -> Form:
    """Asks for the reason."""
    hint = "The agent and the requester read this."
    reason = FormField(id="reason", label="Why none of them?", multiline=True, max_length=1000, hint=hint)
    return _form(items, "reject", "Reject", reason, submit="Reject all")


def withdraw_form(items: Items) -> Form:
    """Asks whether it is meant, and why."""
    reason = FormField(id="reason", label="Why?", required=False, multiline=True, max_length=1000)
    return _form(items, "withdraw", "Withdraw", reason, submit="Withdraw all")


def one_form(items: Items) -> Form:
    """Asks for which of them the own card is wanted, with everything that can be done on it."""
    hint = "It comes as a direct message, to edit it, ask about it or decide it alone."
    which = FormField(id="which", label="Which one?", choices=_choices(pending(items)), hint=hint)
    return _form(items, "one", "One of", which, submit="Show")


def _form(items: Items, verb: str, word: str, *fields: FormField, submit: str) -> Form:
    batch, seen = items[0].batch, revision(items)
    title, note = f"{word} {batch}"[:24], headline(items)
    return Form(subject=batch, revision=seen, verb=verb, title=title, fields=fields, submit=submit, note=note)


def _choices(items: Iterable[ApprovalState]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            value=row.ref, label=one_line(f"{row.ref} {preview_of(row).headline}", 75), hint=one_line(tally(row), 75)
        )
        for row in items
    )
