"""The card of an approval, drawn from its committed state: every copy looks the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from kernel.types import Action, Card, Confirm, Fact, Payload
from rules.engine.policy import in_words
from rules.engine.record import outcome_of, policy_of, preview_of
from rules.engine.wording import clock, tally

if TYPE_CHECKING:
    from typing import Literal

    from kernel.store.approvals import ApprovalState
    from rules.engine.policy import Policy
    from rules.engine.record import Outcome, Preview

    Tone = Literal["neutral", "waiting", "good", "bad", "warn"]

IMPACT = {
    "read": "Only reads",
    "fetch": "Reads from outside; the address itself tells something",
    "write": "Changes something; it can be changed back",
    "send": "Leaves the team; it cannot be taken back",
    "destroy": "Cannot be undone",
    "spend": "Moves money",
}
RISKY = frozenset({"destroy", "spend"})


def card(row: ApprovalState) -> Card:
    """The card as it should be shown now."""
    preview, policy, outcome = preview_of(row), policy_of(row), outcome_of(row)
    waiting = row.state == rows.PENDING
    return Card(
        headline=preview.headline,
        state=_state(row, policy, outcome),
        tone=_tone(row, outcome),
        text=_claim(preview),
        facts=_facts(row, preview, outcome),
        payloads=tuple(_with_digest(payload, row.digest) for payload in preview.payloads),
        warning=preview.warning if waiting else "",
        actions=_actions(row, preview, policy) if waiting else (),
        footer=f"{row.ref} · revision {row.revision} · {clock(row.created_at)}",
        expires_at=row.expires_at if waiting else None,
    )


def _state(row: ApprovalState, policy: Policy, outcome: Outcome) -> str:
    if row.state == rows.PENDING:
        if row.kind == "unknown":
            return f"It may have happened · {_deciders(policy)} has to say what to do"
        return f"Waiting · {tally(row)} · {_deciders(policy)} decides"
    when = clock(row.decided_at)
    if row.state in {rows.APPROVED, rows.CONSUMED}:
        answer = {"done": "Confirmed as done", "repeat": "Repeated"}.get(outcome.answer, "Approved")
        return f"{answer} by {outcome.by} · {when}{_executed(row, outcome)}"
    if row.state == rows.REJECTED:
        if row.kind == "unknown":
            return f"Given up by {outcome.by} · {when}"
        return f"Rejected by {outcome.by} · {when} · {_one_line(outcome.reason, 300)}"
    if row.state == rows.EXPIRED:
        return f"Expired · {when} · nobody decided, nothing was done"
    return f"Withdrawn · {when} · {outcome.reason or 'no longer needed'}"


def _executed(row: ApprovalState, outcome: Outcome) -> str:
    if outcome.done_at is not None:
        return f" · {'failed' if outcome.failed else 'done'} {clock(outcome.done_at)}"
    return " · under way" if row.state == rows.CONSUMED and outcome.answer != "done" else ""


def _deciders(policy: Policy) -> str:
    return in_words(policy)


def _tone(row: ApprovalState, outcome: Outcome) -> Tone:
    if row.state == rows.PENDING:
        return "warn" if row.kind == "unknown" else "waiting"
    if row.state in {rows.APPROVED, rows.CONSUMED}:
        return "bad" if outcome.failed else "good"
    return "bad" if row.state == rows.REJECTED else "neutral"


def _claim(preview: Preview) -> str:
    """The agent's words, marked as such and without any markup of their own."""
    if not preview.claim:
        return ""
    words = re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~])", r"\\\1", _one_line(preview.claim, 300))
    return f"The agent says: “{words}”"


def _facts(row: ApprovalState, preview: Preview, outcome: Outcome) -> tuple[Fact, ...]:
    where = f" in {preview.channel}" if preview.channel else ""
    facts = [
        Fact(label="Requested by", value=f"{preview.requester} through {row.agent}{where}"),
        Fact(label="Impact", value=IMPACT.get(preview.effect, "Not known")),
        *preview.facts[:3],
    ]
    if preview.values:
        facts.append(Fact(label="Values", value=_one_line(preview.values, 400)))
    facts.append(Fact(label="Rule", value=_rule(row)))
    if outcome.edits:
        last = outcome.edits[-1]
        facts.append(Fact(label="Edited by", value=f"{last.by}: {', '.join(last.changed)}"))
    return tuple(facts[:8])


def _rule(row: ApprovalState) -> str:
    ids = ", ".join(row.rules["ids"]) or "no rule decides this"
    return _one_line(f"{ids}: {row.reason}", 400)


def _with_digest(payload: Payload, digest: str) -> Payload:
    return payload if payload.digest else payload.model_copy(update={"digest": digest})


def _actions(row: ApprovalState, preview: Preview, policy: Policy) -> tuple[Action, ...]:
    if row.kind == "unknown":
        return (
            _button(row, "done", "It was done", style="primary"),
            _button(row, "repeat", "Repeat it", style="danger", confirm=_sure(preview, "Repeat it")),
            _button(row, "give_up", "Give up"),
        )
    approve = (
        _button(row, "approve", "Approve…", style="primary", opens_form=True)
        if policy.confirm
        else _button(row, "approve", "Approve", style="primary", confirm=_risk(preview))
    )
    actions = [approve, _button(row, "reject", "Reject…", style="danger", opens_form=True)]
    if policy.edit:
        actions.append(_button(row, "edit", "Edit…", opens_form=True))
    return tuple(actions)


def _button(
    row: ApprovalState,
    verb: str,
    label: str,
    *,
    style: Literal["primary", "danger", "plain"] = "plain",
    confirm: Confirm | None = None,
    opens_form: bool = False,
) -> Action:
    return Action(
        subject=row.ref,
        revision=row.revision,
        verb=verb,
        label=label,
        style=style,
        confirm=confirm,
        opens_form=opens_form,
    )


def _risk(preview: Preview) -> Confirm | None:
    return _sure(preview, "Approve") if preview.effect in RISKY else None


def _sure(preview: Preview, label: str) -> Confirm:
    return Confirm(title="Are you sure?", text=preview.headline, label=label)


def _one_line(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
