"""The buttons of an approval's card: what can be done about it in its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from kernel.types import Action, Confirm
from rules.engine.record import outcome_of, policy_of, preview_of

if TYPE_CHECKING:
    from typing import Literal

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
    return (button(row, "review", "Show me", style="primary"),) if row.state == rows.PENDING else ()


def _unknown(row: ApprovalState) -> tuple[Action, ...]:
    return (
        button(row, "done", "It was done…", style="primary", opens_form=True),
        button(row, "repeat", "Repeat it", style="danger", confirm=_sure(preview_of(row), "Repeat it")),
        button(row, "give_up", "Give up"),
        button(row, "details", "Details", more=True),
    )


def _pending(row: ApprovalState) -> tuple[Action, ...]:
    preview, policy, outcome = preview_of(row), policy_of(row), outcome_of(row)
    approve = (
        button(row, "approve", "Approve…", style="primary", opens_form=True)
        if policy.confirm
        else button(row, "approve", "Approve", style="primary", confirm=_risk(preview))
    )
    actions = [approve, button(row, "reject", "Reject…", style="danger", opens_form=True)]
    if policy.edit:
        actions.append(button(row, "edit", "Edit…", opens_form=True))
    if any(not question.answered_by for question in outcome.questions):
        actions.append(button(row, "answer", "Answer…", opens_form=True))
    actions.append(button(row, "ask", "Ask…", opens_form=True, more=True))
    if row.kind == "call" and policy.grant is not None and not policy.confirm and outcome.offer is None:
        actions.append(button(row, "grant", "Allow for…", opens_form=True, more=True))
    if outcome.offer is not None:
        actions.append(button(row, "once", "Only this once", more=True))
    actions.append(button(row, "details", "Details", more=True))
    if row.kind != "question":  # that of a workflow ends with its run
        actions.append(button(row, "withdraw", "Withdraw…", opens_form=True, more=True))
    if policy.break_glass is not None:
        actions.append(button(row, "break_glass", "Break glass…", style="danger", opens_form=True, more=True))
    return tuple(actions)


def button(
    row: ApprovalState,
    verb: str,
    label: str,
    *,
    style: Literal["primary", "danger", "plain"] = "plain",
    confirm: Confirm | None = None,
    opens_form: bool = False,
    more: bool = False,
) -> Action:
    """A button about this revision."""
    return Action(
        subject=row.ref,
        revision=row.revision,
        verb=verb,
        label=label,
        style=style,
        confirm=confirm,
        opens_form=opens_form,
        more=more,
    )


def _risk(preview: Preview) -> Confirm | None:
    return _sure(preview, "Approve") if preview.effect in RISKY else None


def _sure(preview: Preview, label: str) -> Confirm:
    return Confirm(title="Are you sure?", text=preview.headline, label=label)
