"""The sentences that people and agents read about approvals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kernel import moments
from kernel.store import approvals as rows
from kernel.types import Frozen, Labelled, ToolResult
from rules.engine import stages
from rules.engine.policy import in_words
from rules.engine.record import outcome_of, policy_of, preview_of
from rules.engine.words import in_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Json, Person
    from rules.engine.policy import Policy
    from rules.engine.record import Offer

AGAIN = "Press the button again."
NO_SUCH = "There is no approval with this reference."


class Reply(Frozen):
    """The private answer to whoever clicked."""

    text: str
    ok: bool
    then: str = ""  # the part of `text` that says what happens next


def refused(text: str) -> Reply:
    """Nothing was recorded, and why."""
    return Reply(text=text, ok=False)


def unknown(ref: str) -> str:
    return f"There is no approval {ref}." if ref.isascii() and ref.isprintable() else NO_SUCH


def clock(moment: datetime | None) -> str:
    return moments.written(moment) if moment else "an unknown time"


def closed(row: ApprovalState) -> str:
    """Why nothing can be decided any more."""
    outcome = outcome_of(row)
    when = clock(row.decided_at)
    if row.state in {rows.APPROVED, rows.CONSUMED}:
        if row.kind == "unknown":
            return f"{row.ref} was answered by {outcome.by} on {when}. Your click changed nothing."
        return f"{row.ref} was approved by {outcome.by} on {when}. Your click changed nothing."
    if row.state == rows.REJECTED:
        return f"{row.ref} was rejected by {outcome.by} on {when}. Your click changed nothing."
    if row.state == rows.EXPIRED:
        return f"{row.ref} expired on {when}: nobody decided in time. Nothing was done; it has to be requested again."
    return f"{row.ref} was withdrawn on {when}: {outcome.reason or 'it is no longer needed'}. Nothing was done."


def old_revision(row: ApprovalState, revision: int) -> str:
    return (
        f"This card is out of date: it shows revision {revision}, and {row.ref} is at revision {row.revision} "
        f"since it was edited. Nothing was recorded; the current card is in the thread."
    )


def not_shown(row: ApprovalState) -> str:
    """Nobody can have read all that they would approve."""
    return (
        f"{row.ref} could not be shown in full anywhere yet, so it cannot be approved. Try again once its card says "
        f"all; until then it can only be rejected. Nothing was recorded."
    )


def not_yours(row: ApprovalState, person: Person, actor: Actor | None, *, excluded: bool) -> str:
    """Why this person does not count."""
    who = in_words(policy_of(row))
    if actor is not None and actor.is_bot:
        return "Bots cannot decide."
    if actor is not None and not actor.is_known:
        return f"I could not find out who you are just now, so nothing was recorded on {row.ref}. {AGAIN}"
    if actor is not None and (actor.is_guest or actor.is_external):
        return f"Guests and people from outside the team cannot decide. {row.ref} needs {who}."
    if not person.can_decide:
        return f"This account cannot decide. {row.ref} needs {who}."
    if excluded:
        return f"You asked for this yourself, so somebody else has to decide. {row.ref} needs {who}."
    return f"You cannot decide this one: {row.ref} needs {who}. Nothing was recorded."


def not_yet(row: ApprovalState) -> str:
    """It is the turn of other people."""
    now = f"It is not your turn yet: {row.ref} is at {tally(row)}."
    return f"{now} You are asked once they have agreed. Nothing was recorded."


def no_emergency(row: ApprovalState) -> str:
    """This person may not decide alone."""
    glass = policy_of(row).break_glass
    if glass is None:
        return f"Nobody may decide {row.ref} alone: its rule names no role for an emergency. Nothing was recorded."
    who = " or ".join(glass.who)
    return f"Only {who} may decide {row.ref} alone, and never who asked for it. Nothing was recorded."


def broke_glass(row: ApprovalState) -> str:
    """What the team reads when one person has decided alone; Markdown."""
    preview, outcome = preview_of(row), outcome_of(row)
    what = f"a call of `{row.tool}`" if preview.private else f"“{plain_markdown(preview.headline)}”"
    reason = plain_markdown(outcome.reason)
    return (
        f"**Emergency:** {outcome.by} ({outcome.broke_glass}) approved {what} alone, "
        f"without {in_words(policy_of(row))}. "
        f"Asked by {preview.requester} through {row.agent}; {row.ref}.\n\nTheir reason: {reason}"
    )


def offered(offer: Offer) -> str:
    """What a standing permission lets through, in words."""
    times = f"{offer.calls} times" if offer.calls != 1 else "once"
    return f"{times} within {in_time(offer.lasts)}, {scope_in_words(offer.scope)}"


def scope_in_words(scope: Mapping[str, Mapping[str, Json]]) -> str:
    """ "payee ACME, amount at most 420"."""
    parts = []
    for name, bound in scope.items():
        word, value = next(iter(bound.items()))
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        parts.append(f"{name.replace('_', ' ')} {'at most ' if word == 'at_most' else ''}{shown[:120]}")
    return ", ".join(parts) or "whatever the arguments"


def given(offer: Offer) -> str:
    """That the standing permission is in force."""
    return f"From now on it is allowed without asking as {offer.ref}: {offered(offer)}. `revoke {offer.ref}` ends it."


def plain_markdown(text: str) -> str:
    """Text that a model or a person wrote, as plain text on one line of Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+!|~" else c for c in " ".join(text.split()))


def already_voted(row: ApprovalState) -> str:
    return f"You have voted on {row.ref} already. {tally(row)}"


def cannot_verify() -> str:
    return "Bosun cannot verify your role now, so nothing was recorded. Try again in a minute."


def cannot_verify_others() -> str:
    return "Bosun cannot verify the role of somebody who voted before you, so nothing was recorded. Try again."


def tally(row: ApprovalState) -> str:
    """ "1 of 2 approvals (Ann)"; with several groups each of them, with several stages the one that is asked."""
    policy, votes = policy_of(row), outcome_of(row).votes
    approving = [vote for vote in votes if vote.verb not in {"reject", "break_glass"} and vote.groups]
    rejecting = [vote.shown for vote in votes if vote.verb == "reject" and vote.groups]
    names = f" ({listed(vote.shown for vote in approving)})" if approving else ""
    against = f", {len(rejecting)} of {policy.reject} rejections ({listed(rejecting)})" if rejecting else ""
    if len(policy.groups) == 1:
        return f"{len(approving)} of {policy.groups[0].need} approvals{names}{against}"
    stage = stages.current(policy, votes)
    asked = stages.groups_of(policy, policy.stages[-1] if stage is None else stage)
    parts = [
        f"{min(stages.agreed(number, approving), group.need)} of {group.need} from {' or '.join(group.who)}"
        for number, group in enumerate(policy.groups)
        if number in asked
    ]
    return f"{_step(policy, stage)}{', '.join(parts)}{names}{against}"


def _step(policy: Policy, stage: int | None) -> str:
    if stage is None or len(policy.stages) == 1:
        return ""
    return f"step {policy.stages.index(stage) + 1} of {len(policy.stages)}: "


def listed(names: Iterable[str]) -> str:
    """ "Ann, Bo and Cy"."""
    known = list(names)
    return known[0] if len(known) == 1 else f"{', '.join(known[:-1])} and {known[-1]}" if known else "nobody"


def told(sentence: str, *, quoted: str = "") -> ToolResult:
    """A refusal for the agent. Our own words give no value any authority; what a person wrote is text of the team."""
    pieces = [Labelled(text=sentence, origin="nowhere")]
    content = sentence
    if quoted:
        pieces.append(Labelled(text=quoted, origin="member_text"))
        content = f"{sentence} {quoted}"
    return ToolResult(content=content, pieces=tuple(pieces), error=True, summary=sentence[:200])


def told_of(row: ApprovalState) -> ToolResult:
    """What the agent reads of a call that people did not let through."""
    outcome = outcome_of(row)
    if row.state == rows.REJECTED:
        if row.kind == "unknown":
            return told(
                f"The call was cut off, so it may have happened. {outcome.by} gave it up: do not repeat it, and say "
                f"that its outcome is not known."
            )
        return told(f"Rejected by {outcome.by}. It was not done. Their reason:", quoted=outcome.reason)
    if row.state == rows.EXPIRED:
        if row.kind == "unknown":
            return told("The call was cut off, so it may have happened, and nobody answered whether it did.")
        return told("Nobody decided in time, so it was not done. Nobody rejected it either: say that it expired.")
    return told(f"The request was withdrawn ({outcome.reason or 'it is no longer needed'}). It was not done.")
