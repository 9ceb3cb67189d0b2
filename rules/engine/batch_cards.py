"""The one card of several calls that may be decided together: every item in full, drawn from committed state."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from kernel.types import Action, Card, Confirm, Fact, Payload
from rules.engine import wording
from rules.engine.card_buttons import RISKY, about, buttons
from rules.engine.cards import IMPACT, card, one_line, quoted, rule_of
from rules.engine.cards import stub as stub_of
from rules.engine.policy import in_words
from rules.engine.preview import ARGUMENTS
from rules.engine.record import outcome_of, policy_of, preview_of
from rules.engine.wording import clock, tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from kernel.store.approvals import ApprovalState

    Items = Sequence[ApprovalState]  # of one batch, in the order of its card, at least one

MOST = 10  # items: more choices fit into no dialog
UNITS = ("currency", "unit")  # arguments that say what an amount is an amount of


def shown(items: Items) -> Card:
    """The card as it should be shown now. A batch of one looks like any other approval."""
    if len(items) == 1:
        return card(items[0])
    first, open_items = items[0], pending(items)
    expiries = [row.expires_at for row in open_items if row.expires_at is not None]
    return Card(
        headline=headline(items),
        state=_state(items),
        tone=_tone(items),
        text=_text(items),
        facts=_facts(items),
        payloads=tuple(map(_item, items)),
        warning=" ".join(dict.fromkeys(filter(None, (preview_of(row).warning for row in open_items)))),
        actions=_actions(items),
        footer=f"{first.batch} · revision {revision(items)} · {len(items)} calls · {clock(first.created_at)}",
        expires_at=min(expiries, default=None),
    )


def stub(items: Items) -> Card:
    """The card where more people read than where it was asked."""
    hidden = stub_of(items[0])
    if len(items) == 1:
        return hidden
    first = items[0]
    review = about(first.batch, revision(items))(verb="review", label="Show me", style="primary")
    return hidden.model_copy(
        update={
            "headline": f"{preview_of(first).requester} asks in private for {len(items)} decisions on {first.tool}",
            "state": _state(items),
            "tone": _tone(items),
            "text": hidden.text if pending(items) else "",
            "actions": (review,) if pending(items) else (),
            "footer": f"{first.batch} · revision {revision(items)} · {clock(first.created_at)}",
        }
    )


def revision(items: Items) -> int:
    """Rises whenever what would be approved changes: an item joins, or an item is edited. No item ever leaves."""
    return sum(row.revision for row in items)


def pending(items: Items) -> list[ApprovalState]:
    """The items that can still be decided."""
    return [row for row in items if row.state == rows.PENDING]


def together(items: Items) -> list[ApprovalState]:
    """Those of them that the card decides. An edit may have made one of a kind that is decided on its own card."""
    return [row for row in pending(items) if may_join(row)]


def may_join(row: ApprovalState) -> bool:
    """Whether it may be decided together with others at all."""
    policy = policy_of(row)
    return policy.batchable and not policy.confirm and row.kind == "call" and outcome_of(row).offer is None


def name_of(items: Items) -> str:
    """ "BA-7F3K (3 calls)", or the reference of the only one."""
    return items[0].ref if len(items) == 1 else f"{items[0].batch} ({len(items)} calls)"


# -- parts of the card ----------------------------------------------------------------------------


def headline(items: Items) -> str:
    """ "Queue payment, 3 times: amount 1260 EUR in all"."""
    verb = items[0].tool.replace("_", " ").capitalize()
    amounts = in_all(items)
    return one_line(f"{verb}, {len(items)} times{f': {amounts}' if amounts else ''}", 120)


def in_all(items: Items) -> str:
    """ "amount 1260 EUR and 40 USD in all": what the numbers of the calls come to, each unit by itself."""
    sums: dict[str, dict[str, Decimal]] = {}
    for row in items:
        unit = next((str(row.arguments[name]) for name in UNITS if row.arguments.get(name)), "")
        for name, value in row.arguments.items():
            if isinstance(value, float):  # a whole number may be an id
                by_unit = sums.setdefault(name, {})
                by_unit[unit] = by_unit.get(unit, Decimal(0)) + Decimal(str(value))
    told = [f"{name} {wording.listed(_amount(sums[name][unit], unit) for unit in sums[name])}" for name in sums]
    return f"{', '.join(told)} in all" if told else ""


def _amount(value: Decimal, unit: str) -> str:
    return f"{value.normalize():f} {unit}".strip()


def _state(items: Items) -> str:
    open_items = pending(items)
    if not open_items:
        ends = [_became(row) for row in items]
        return f"Decided · {', '.join(f'{ends.count(end)} {end}' for end in dict.fromkeys(ends))}"
    late = outcome_of(open_items[0]).escalated
    asked = f" · asked {wording.listed(late)} as well" if late else ""
    return f"Waiting · {len(open_items)} of {len(items)} · each decided by {in_words(policy_of(open_items[0]))}{asked}"


def _became(row: ApprovalState) -> str:
    outcome = outcome_of(row)
    if row.state in {rows.APPROVED, rows.CONSUMED}:
        if outcome.done_at is None:
            return "approved"
        return "failed" if outcome.failed else "done"
    return row.state


def _tone(items: Items) -> Literal["neutral", "waiting", "good", "bad", "warn"]:
    if pending(items):
        return "waiting"
    ends = {_became(row) for row in items}
    if ends <= {"approved", "done"}:
        return "good"
    return "bad" if ends & {"failed", rows.REJECTED} else "neutral"


def _text(items: Items) -> str:
    claims = {preview_of(row).claim for row in items}
    claim = claims.pop() if len(claims) == 1 else ""
    parts = [f"The agent says: “{quoted(claim)}”"] if claim else []
    for row in items:
        outcome = outcome_of(row)
        if row.state != rows.PENDING and outcome.reason:
            parts.append(f"**{row.ref}**: “{quoted(outcome.reason)}”")
        parts += [f"**{row.ref}**: {len(outcome.questions)} questions; its own card has them."] * bool(
            outcome.questions
        )
    alone = [row.ref for row in pending(items) if row not in together(items)]
    if alone:
        parts.append(f"Decided on its own card, because it was changed: {wording.listed(alone)}.")
    return "\n\n".join(parts)


def _facts(items: Items) -> tuple[Fact, ...]:
    first = items[0]
    preview = preview_of(first)
    where = f" in {preview.channel}" if preview.channel else ""
    facts = [
        Fact(label="Requested by", value=f"{preview.requester} through {first.agent}{where}"),
        Fact(label="Impact", value=IMPACT.get(preview.effect, "Not known")),
    ]
    amounts = in_all(items)
    facts += [Fact(label="In all", value=amounts.removesuffix(" in all"))] if amounts else []
    facts += [Fact(label="Values", value=one_line(preview.values, 400))] if preview.values else []
    return (*facts, Fact(label="Rule", value=rule_of(first)))


def _item(row: ApprovalState) -> Payload:
    """One call: where it stands, and everything that its own card shows verbatim; named by the digest of the call."""
    preview = preview_of(row)
    what = f"{row.ref} · {_where_it_stands(row)} · {preview.headline}"
    only = preview.payloads[0] if len(preview.payloads) == 1 else None
    if only is not None and only.title == ARGUMENTS:
        return Payload(title=what, content=only.content, language=only.language, digest=row.digest)
    content = "\n\n".join(f"{payload.title}:\n{payload.content}" for payload in preview.payloads)
    return Payload(title=what, content=content, language="text", digest=row.digest)


def _where_it_stands(row: ApprovalState) -> str:
    if row.state == rows.PENDING:
        edits = outcome_of(row).edits
        edited = f", edited by {edits[-1].by}" if edits else ""
        return f"{tally(row)}{edited}"
    by = outcome_of(row).by
    return f"{_became(row)}{f', by {by}' if by else ''}"


def _actions(items: Items) -> tuple[Action, ...]:
    open_items, ready = pending(items), together(items)
    if not open_items:
        return ()
    if len(open_items) == 1:
        return buttons(open_items[0])
    button = about(items[0].batch, revision(items))
    deciding = [
        button(verb="approve", label=f"Approve all {len(ready)}", style="primary", confirm=_sure(items)),
        button(verb="choose", label="Choose…", opens_form=True),
        button(verb="reject", label="Reject all…", style="danger", opens_form=True),
    ]
    return (
        *(deciding if ready else ()),
        button(verb="one", label="One of them…", opens_form=True, more=True),
        button(verb="withdraw", label="Withdraw all…", opens_form=True, more=True),
    )


def _sure(items: Items) -> Confirm | None:
    risky = preview_of(items[0]).effect in RISKY
    return Confirm(title="Are you sure?", text=headline(items), label="Approve all") if risky else None
