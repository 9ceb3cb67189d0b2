"""The card of an approval, drawn from its committed state: every copy looks the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from kernel.types import Card, Fact
from rules.engine import wording
from rules.engine.card_buttons import buttons, stub_buttons
from rules.engine.policy import in_words
from rules.engine.preview import ARGUMENTS
from rules.engine.record import outcome_of, policy_of, preview_of
from rules.engine.wording import clock, tally

if TYPE_CHECKING:
    from typing import Literal

    from kernel.store.approvals import ApprovalState
    from kernel.types import Payload
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
QUESTIONS = 3  # that the card shows, the latest
FACTS = 8  # that fit on a card of every platform


def card(row: ApprovalState) -> Card:
    """The card as it should be shown now."""
    preview, outcome = preview_of(row), outcome_of(row)
    waiting = row.state == rows.PENDING
    return Card(
        headline=preview.headline,
        state=_state(row, outcome),
        tone=_tone(row, outcome),
        text=_text(preview, outcome),
        facts=_facts(row, preview, outcome),
        payloads=tuple(_with_digest(payload, row.digest) for payload in preview.payloads),
        warning=preview.warning if waiting else "",
        actions=buttons(row),
        footer=_footer(row),
        expires_at=row.expires_at if waiting else None,
    )


def stub(row: ApprovalState) -> Card:
    """The card where more people read than where it was asked: that something waits, and for whom, not what."""
    preview, outcome = preview_of(row), outcome_of(row)
    waiting = row.state == rows.PENDING
    hidden = outcome.model_copy(update={"reason": "", "result": ""})
    return Card(
        headline=f"{preview.requester} asks in private for a decision on {row.tool}",
        state=_state(row, hidden),
        tone=_tone(row, outcome),
        text="What exactly is asked stands in the direct messages of those who decide." if waiting else "",
        actions=stub_buttons(row),
        footer=_footer(row),
        expires_at=row.expires_at if waiting else None,
    )


def _footer(row: ApprovalState) -> str:
    return f"{row.ref} · revision {row.revision} · digest {row.digest[:8]} · {clock(row.created_at)}"


def _state(row: ApprovalState, outcome: Outcome) -> str:
    if row.state == rows.PENDING:
        return _waiting(row, outcome)
    when = clock(row.decided_at)
    if row.state in {rows.APPROVED, rows.CONSUMED}:
        return f"{_approved(outcome)} · {when}{_executed(row, outcome)}"
    if row.state == rows.REJECTED:
        if row.kind == "unknown":
            return f"Given up by {outcome.by} · {when}"
        return f"Rejected by {outcome.by} · {when}{_reason(outcome)}"
    if row.state == rows.EXPIRED:
        if row.kind == "unknown":
            return f"Expired · {when} · nobody said what became of it; it may have happened"
        again = f" · requested again as {outcome.again}" if outcome.again else ""
        return f"Expired · {when} · nobody decided, nothing was done{again}"
    open_still = "; it may have happened" if row.kind == "unknown" else ""
    return f"Withdrawn · {when} · {outcome.reason or 'no longer needed'}{open_still}"


def _waiting(row: ApprovalState, outcome: Outcome) -> str:
    who = in_words(policy_of(row))
    if row.kind == "unknown":
        return f"It may have happened · {who} has to say what to do"
    late = f" · asked {wording.listed(outcome.escalated)} as well" if outcome.escalated else ""
    return f"Waiting · {tally(row)} · decided by {who}{late}"


def _approved(outcome: Outcome) -> str:
    if outcome.broke_glass:
        return f"Approved in an emergency by {outcome.by} ({outcome.broke_glass}) alone{_reason(outcome)}"
    answer = {"done": "Confirmed as done", "repeat": "Repeated"}.get(outcome.answer, "Approved")
    return f"{answer} by {outcome.by}"


def _reason(outcome: Outcome) -> str:
    return f" · {one_line(outcome.reason, 300)}" if outcome.reason else ""


def _executed(row: ApprovalState, outcome: Outcome) -> str:
    if outcome.answer == "done":
        return ""
    if outcome.done_at is not None:
        when = clock(outcome.done_at)
        later = f" {when}" if when != clock(row.decided_at) else ""  # most calls are done within the minute
        return f" · {'failed' if outcome.failed else 'done'}{later}"
    return " · under way" if row.state == rows.CONSUMED else ""


def _tone(row: ApprovalState, outcome: Outcome) -> Tone:
    if row.state == rows.PENDING:
        return "warn" if row.kind == "unknown" else "waiting"
    if row.state in {rows.APPROVED, rows.CONSUMED}:
        return "bad" if outcome.failed else "good"
    return "bad" if row.state == rows.REJECTED else "neutral"


def _text(preview: Preview, outcome: Outcome) -> str:
    """What people and the agent said about it, marked as theirs and without any markup of their own."""
    parts = [f"The agent says: “{quoted(preview.claim)}”"] if preview.claim else []
    for question in outcome.questions[-QUESTIONS:]:
        reply = f"{question.answered_by}: “{quoted(question.answer)}”" if question.answered_by else "not answered yet"
        parts.append(f"**{wording.plain_markdown(question.by)} asks:** “{quoted(question.text)}” — {reply}")
    if outcome.offer is not None:
        terms, by = (wording.plain_markdown(text) for text in (wording.offered(outcome.offer), outcome.offer.by))
        said = f"{by} proposes: whoever approves this also allows it"
        if outcome.offer.ref:
            said = f"Given with it as {outcome.offer.ref}"
        parts.append(f"**{said}** without asking: {terms}.")
    if outcome.result:
        parts.append(f"{wording.plain_markdown(outcome.by)} found: “{quoted(outcome.result)}”")
    return "\n\n".join(parts)


def quoted(text: str) -> str:
    """What somebody said, on one line and without any markup of its own."""
    return wording.plain_markdown(one_line(text, 300))


def _where(preview: Preview) -> str:
    """Where it was asked for, without the ids that platforms give."""
    if preview.place.kind == "dm":
        return " in a direct message"
    return f" in {preview.channel}" if preview.channel.startswith("#") else ""


def _facts(row: ApprovalState, preview: Preview, outcome: Outcome) -> tuple[Fact, ...]:
    first = [Fact(label="Requested by", value=f"{preview.requester} through {row.agent}{_where(preview)}")]
    last = [Fact(label="Values", value=one_line(preview.values, 400))] if preview.values else []
    if row.kind != "question":  # no tool is called, so nothing has an effect
        first.append(Fact(label="Impact", value=IMPACT.get(preview.effect, "Not known")))
    of_rules = row.kind not in {"question", "unknown"}
    last.append(
        Fact(label="Rule", value=rule_of(row)) if of_rules else Fact(label="Why", value=one_line(row.reason, 400))
    )
    if outcome.edits:
        edit = outcome.edits[-1]
        last.append(Fact(label="Edited by", value=f"{edit.by}: {', '.join(edit.changed)}"))
    return (*first, *preview.facts[: FACTS - len(first) - len(last)], *last)


def rule_of(row: ApprovalState) -> str:
    """The rules that decided, and why it is asked."""
    ids = ", ".join(row.rules["ids"]) or "no rule decides this"
    return one_line(f"{ids}: {row.reason}", 400)


def _with_digest(payload: Payload, digest: str) -> Payload:
    """All arguments are named by the digest of the call, any other content by its own."""
    if payload.digest:
        return payload
    own = (
        digest if payload.title == ARGUMENTS else hashlib.sha256(payload.content.encode("utf-8", "replace")).hexdigest()
    )
    return payload.model_copy(update={"digest": own})


def one_line(text: str, limit: int) -> str:
    """The text on one line, cut at `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
