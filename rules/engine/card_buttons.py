"""The buttons of an approval's card: what can be done about it in its state."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from kernel.types import Action, Confirm
from rules.engine import giving
from rules.engine.record import outcome_of, policy_of, preview_of

if TYPE_CHECKING:
    from kernel.store.approvals import ApprovalState
    from rules.engine.record import Preview

RISKY = frozenset({"destroy", "spend"})


def buttons(row: ApprovalState) -> tuple[Action, ...]:
    """What can be pressed. Who may press it is looked at when it is pressed."""
    if row.state == rows.PENDING:
        return _unknown(row) if row.kind == "unknown" else _pending(row)
    return ()


def stub_buttons(row: ApprovalState) -> tuple[Action, ...]:
    """For a copy that shows nothing of the content: whoever decides is sent the whole card."""
    return (
        (about(row.ref, row.revision)(verb="review", label="Show me", style="primary"),)
        if row.state == rows.PENDING
        else ()
    )


def _unknown(row: ApprovalState) -> tuple[Action, ...]:
    button = about(row.ref, row.revision)
    return (
        button(verb="done", label="It was done…", style="primary", opens_form=True),
        button(verb="repeat", label="Repeat it", style="danger", confirm=_sure(preview_of(row), "Repeat it")),
        button(verb="give_up", label="Give up"),
        button(verb="details", label="Details", more=True),
    )


def _pending(row: ApprovalState) -> tuple[Action, ...]:
    preview, policy, outcome, button = preview_of(row), policy_of(row), outcome_of(row), about(row.ref, row.revision)
    approve = (
        button(verb="approve", label="Approve…", style="primary", opens_form=True)
        if policy.confirm
        else button(verb="approve", label="Approve", style="primary", confirm=_risk(preview))
    )
    actions = [approve, button(verb="reject", label="Reject…", style="danger", opens_form=True)]
    if policy.edit:
        actions.append(button(verb="edit", label="Edit…", opens_form=True))
    if any(not question.answered_by for question in outcome.questions):
        actions.append(button(verb="answer", label="Answer…", opens_form=True))
    actions.append(button(verb="ask", label="Ask…", opens_form=True, more=True))
    if giving.terms_of(row) is not None and outcome.offer is None:
        actions.append(button(verb="grant", label="Allow for…", opens_form=True, more=True))
    if outcome.offer is not None:
        actions.append(button(verb="once", label="Only this once", more=True))
    actions.append(button(verb="details", label="Details", more=True))
    if row.kind != "question":  # that of a workflow ends with its run
        actions.append(button(verb="withdraw", label="Withdraw…", opens_form=True, more=True))
    if policy.break_glass is not None:
        actions.append(button(verb="break_glass", label="Break glass…", style="danger", opens_form=True, more=True))
    return tuple(actions)


def about(subject: str, revision: int) -> partial[Action]:
    """Makes buttons about this revision of the subject."""
    return partial(Action, subject=subject, revision=revision)


def _risk(preview: Preview) -> Confirm | None:
    return _sure(preview, "Approve") if preview.effect in RISKY else None


def _sure(preview: Preview, label: str) -> Confirm:
    return Confirm(title="Are you sure?", text=preview.headline, label=label)
