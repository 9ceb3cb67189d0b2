"""A ledger entry as a line of a receipt: what it says in words, and whether the rows that it tells of agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.canonical import digest
from kernel.types import Frozen
from rules.engine.policy import Policy, in_words
from rules.engine.recording import facts_digest
from rules.engine.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState, Vote
    from kernel.store.calls import CallState
    from kernel.store.ledger import LedgerRow
    from kernel.store.runs import Run
    from kernel.types import Json

SHORT = 12  # characters of a rule set's version that people are shown
RESULT = 300  # characters of a result


class Line(Frozen):
    """One fact of a receipt."""

    text: str
    at: datetime | None = None
    entry: int | None = None  # number of the ledger entry that bears it
    hash: str = ""  # of that entry
    problem: str = ""  # why the ledger does not bear it; empty: it does


@dataclass(frozen=True, kw_only=True)
class Known:
    """The rows that the entries tell of."""

    run: Run
    call: CallState | None
    approvals: Mapping[str, ApprovalState]  # by reference
    votes: Mapping[tuple[str, int, str], Vote]  # by reference, revision and person
    name: Callable[[str], str]  # of a person, by id


def line(session: Session, entry: LedgerRow, known: Known) -> Line:
    """The entry in words. `problem` says where the chain is broken here, or where a row says something else."""
    problem = ledger.fault(session, entry) or _difference(entry, known)
    words = WORDS.get(entry.kind, _plainly)(entry, known)
    return Line(text=words, at=entry.at, entry=entry.number, hash=entry.hash, problem=problem)


# -- what the rows say of it ------------------------------------------------------------------------------------------


def _difference(entry: LedgerRow, known: Known) -> str:
    body, call, row = entry.body, known.call, known.approvals.get(entry.subject)
    if entry.kind == "approval.vote":
        vote = known.votes.get((entry.subject, body["revision"], body["person"]))
        return "" if vote is not None and vote.verb == body["verb"] else "the vote in the database is another one"
    if row is not None:
        return _other_request(body, row)
    if call is not None and entry.subject == call.id:
        return _other_call(body, call)
    if entry.subject == known.run.id:
        return _other_run(body, known.run)
    return ""


def _other_request(body: Json, row: ApprovalState) -> str:
    if body.get("revision") == row.revision and body.get("digest") != row.digest:
        return "the arguments in the database are not those that were asked about"
    if body.get("revision") == row.revision and "policy" in body and body["policy"] != row.policy:
        return "the database names other people who had to decide"
    return ""


def _other_call(body: Json, call: CallState) -> str:
    verdict = call.verdict or {}
    if "result" in body and call.result is not None and body["result"] != digest(call.result["content"]):
        return "the result in the database is another one"
    if "digest" in body and body["digest"] != call.digest and body.get("decision") != "ask":
        return "the arguments in the database are other ones"
    if body.get("decision") in {"allow", "deny"}:
        same = all(body.get(name) == verdict.get(name) for name in ("decision", "rules", "version", "reason"))
        if not same:
            return "the database names another decision"
    if "facts" in body and body["facts"] != facts_digest(call.origins, verdict.get("context")):
        return "what the decision looked at is not what the database says"
    return ""


def _other_run(body: Json, run: Run) -> str:
    if "request" in body and body["request"] != digest(run.request):
        return "the request in the database is another one"
    if "cost_usd" in body and "tokens_in" in body and body["tokens_in"] != run.tokens_in:
        return "the database counts other costs"
    return ""


# -- words ------------------------------------------------------------------------------------------------------------


def _rules(body: Json) -> str:
    ids = ", ".join(body.get("rules", ())) or "no rule of its own"
    return f"{ids} (version {body['version'][:SHORT]})"


def _started(entry: LedgerRow, known: Known) -> str:
    body = entry.body
    if body["decision"] == "approved":
        by = listed(known.name(one) for one in body["by"])
        return f"Begun with revision {body['revision']} of {body['approval']}, as approved by {by}"
    return f"Allowed by {_rules(body)}: {body['reason']} Begun"


def _denied(entry: LedgerRow, _known: Known) -> str:
    return f"Refused by {_rules(entry.body)}: {entry.body['reason']}"


def _finished(entry: LedgerRow, known: Known) -> str:
    body, call = entry.body, known.call
    if "confirmed_by" in body:
        return f"{body['confirmed_by']} looked and says that it was done"
    allowed = f"Allowed by {_rules(body)}: {body['reason']} " if "decision" in body else ""
    what = "Failed" if entry.kind == "tool.failed" else "Done"
    result = call.result if call is not None else None
    if not result:
        return f"{allowed}{what}"
    text = " ".join((result.get("summary") or result["content"]).split())
    return f"{allowed}{what}. What came back: {text if len(text) <= RESULT else text[: RESULT - 1] + '…'}"


def _requested(entry: LedgerRow, _known: Known) -> str:
    body = entry.body
    who = in_words(Policy.model_validate(body["policy"]))
    return f"{entry.subject}: people were asked by {_rules(body)}; it needs {who}"


def _vote(entry: LedgerRow, known: Known) -> str:
    body = entry.body
    vote = known.votes.get((entry.subject, body["revision"], body["person"]))
    reason = f": {vote.reason}" if vote is not None and vote.reason else ""
    seat = f" for {known.name(body['for'])}" if body.get("for") else ""
    said = f"{known.name(body['person'])} says {body['verb']} to revision {body['revision']}{seat}"
    return f"{said} ({body['account']}){reason}"


def _emergency(entry: LedgerRow, known: Known) -> str:
    body = entry.body
    return f"Emergency: {known.name(body['person'])} decided alone as {body['role']}: {body['reason']}"


def _spoke(entry: LedgerRow, known: Known) -> str:
    what = "asked" if entry.kind == "approval.question" else "answered"
    return f"{known.name(entry.body['person'])} {what}: {entry.body['text']}"


def _escalated(entry: LedgerRow, _known: Known) -> str:
    return f"Escalated to {listed(entry.body['roles'])}"


def _reminded(entry: LedgerRow, known: Known) -> str:
    return f"Reminded: {listed(known.name(one) for one in entry.body['people'])}"


def _edited(entry: LedgerRow, known: Known) -> str:
    body = entry.body
    return f"{known.name(body['person'])} changed {listed(body['changed'])}: revision {body['revision']}"


def _turned_away(entry: LedgerRow, known: Known) -> str:
    return f"{known.name(entry.body['person'])} may not decide and was turned away"


def _closed(entry: LedgerRow, known: Known) -> str:
    body = entry.body
    state = entry.kind.removeprefix("approval.")
    by = f" by {listed(known.name(one) for one in body['by'])}" if body.get("by") else ""
    reason = f": {body['reason']}" if body.get("reason") else ""
    return f"{entry.subject}: {state}{by}{reason}"


def _ended(entry: LedgerRow, known: Known) -> str:
    body = entry.body
    state = entry.kind.removeprefix("run.")
    by = f" by {known.name(body['by'])}" if body.get("by") else ""
    cost = ""
    if body.get("model_calls"):
        tokens = f"{body['tokens_in']:,} + {body['tokens_out']:,} tokens"
        cost = f"; {body['model_calls']} model calls, {tokens}, {body['cost_usd']:.4f} USD"
    why = f": {str(body['error']).rstrip('.')}" if state == "failed" and body.get("error") else ""
    return f"The run {'has' if state == 'failed' else 'is'} {state}{by}{why}{cost}"


def _by_somebody(entry: LedgerRow, known: Known) -> str:
    step = f" {entry.body['step']}" if entry.body.get("step") else ""
    return f"{known.name(entry.body['by'])}: {_plainly(entry, known)}{step}"


def _held(entry: LedgerRow, _known: Known) -> str:
    return f"Held: {entry.body['scope']} was frozen"


def _plainly(entry: LedgerRow, _known: Known) -> str:
    return entry.kind.replace(".", " ").replace("_", " ")


WORDS: Mapping[str, Callable[[LedgerRow, Known], str]] = {
    "call.started": _started,
    "call.denied": _denied,
    "tool.done": _finished,
    "tool.failed": _finished,
    "approval.requested": _requested,
    "approval.vote": _vote,
    "approval.edited": _edited,
    "approval.turned_away": _turned_away,
    "approval.break_glass": _emergency,
    "approval.question": _spoke,
    "approval.answer": _spoke,
    "approval.escalated": _escalated,
    "approval.reminded": _reminded,
    **{f"approval.{state}": _closed for state in ("approved", "rejected", "expired", "withdrawn", "consumed")},
    **{f"run.{state}": _ended for state in ("done", "failed", "stopped")},
    "run.stop": _by_somebody,
    "run.retry": _by_somebody,
    "run.skip": _by_somebody,
    "run.held": _held,
}
