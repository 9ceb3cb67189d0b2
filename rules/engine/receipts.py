"""Receipts: from the request to the result, each line with the ledger entry that bears it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from kernel.store import calls, runs
from kernel.store import ledger as ledger_rows
from kernel.types import Frozen, Json
from rules.engine.receipt_lines import Known, Line, line
from rules.engine.tooling import call_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.store.calls import CallState

# What a call's row says, and the entries of which one has to bear it.
BORNE = {
    runs.ASKED: ("approval.requested",),
    runs.STARTED: ("call.started",),
    runs.CALL_DONE: ("tool.done", "tool.failed"),
    runs.REFUSED: ("call.denied", "call.unfit", "call.refused"),
    runs.UNKNOWN: ("call.unknown",),
}

VOTES = ("approval.vote", "approval.break_glass")


class CallReceipt(Frozen):
    """What became of one call."""

    id: str
    tool: str
    agent: str
    state: str
    arguments: Json  # exactly those that were judged, or executed
    digest: str
    origins: Json  # per argument, of every value in it
    decision: str  # of the rules, before people were asked
    rules: tuple[str, ...]
    version: str  # of the rule set
    reason: str
    approvals: tuple[str, ...]  # references
    result: Json  # what came back; None where nothing has
    lines: tuple[Line, ...]


class Receipt(Frozen):
    """The chain from a request to its results."""

    ref: str  # what was asked for: "R-7F3K" or "AP-7F3K"
    run: str  # "R-7F3K"
    requester: str  # name
    request: str
    agent: str
    workflow: str
    place: Json
    begun: datetime
    state: str
    model_calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float  # of the models, so far
    calls: tuple[CallReceipt, ...]
    lines: tuple[Line, ...]  # about the run, and about decisions that are no call

    @property
    def every_line(self) -> tuple[Line, ...]:
        """Of the run and of its calls."""
        return (*self.lines, *(one for call in self.calls for one in call.lines))

    @property
    def problems(self) -> tuple[Line, ...]:
        """Lines that the ledger does not bear."""
        return tuple(one for one in self.every_line if one.problem)


def receipt(session: Session, ref: str, name: Callable[[str], str]) -> Receipt | None:
    """The receipt of a run, or of the one call that an approval is about; None if there is no such reference.

    `name` gives the name of a person by id.
    """
    ref = ref.upper()
    row = rows.by_ref(session, ref)
    run = runs.by_ref(session, ref) if row is None else session.get(runs.Run, row.run_id)
    if run is None:
        return None
    asked = rows.of_run(session, run.id)
    made = sorted(calls.of_run(session, run.id), key=lambda call: (call.entry, call.id))
    if row is not None:
        made = [call for call in made if call.id == row.call_id]
        asked = [each for each in asked if each.call_id == row.call_id]
    alone = [each for each in asked if each.call_id not in {call.id for call in made}]
    return Receipt(
        ref=ref,
        run=run.ref,
        requester=name(run.requester),
        request=run.request,
        agent=run.agent,
        workflow=run.workflow or "",
        place=run.place,
        begun=run.created_at,
        state=run.state,
        model_calls=run.model_calls,
        tokens_in=run.tokens_in,
        tokens_out=run.tokens_out,
        cost_usd=round(run.cost_usd, 6),
        calls=tuple(
            _call(session, run, call, [each for each in asked if each.call_id == call.id], name) for call in made
        ),
        lines=_of_run(session, run, alone, name),
    )


def _known(
    session: Session,
    run: runs.Run,
    call: CallState | None,
    asked: list[ApprovalState],
    name: Callable[[str], str],
) -> Known:
    approvals = {each.ref: each for each in asked}
    return Known(run=run, call=call, approvals=approvals, votes=_votes(session, asked), name=name)


def _of_run(
    session: Session, run: runs.Run, asked: list[ApprovalState], name: Callable[[str], str]
) -> tuple[Line, ...]:
    known = _known(session, run, None, asked, name)
    found = _entries(session, (*known.approvals, run.id))
    lines = [line(session, entry, known) for entry in found]
    told = {entry.kind for entry in found if entry.subject == run.id}
    if run.state in runs.FINAL and f"run.{run.state}" not in told:
        lines.append(Line(text=f"The run is {run.state}", problem="the ledger has no entry for it"))
    return tuple(lines)


def _call(
    session: Session, run: runs.Run, call: CallState, asked: list[ApprovalState], name: Callable[[str], str]
) -> CallReceipt:
    known = _known(session, run, call, asked, name)
    found = _entries(session, (call.id, *known.approvals))
    verdict = call.verdict or {}
    lines = [line(session, entry, known) for entry in found]
    lines += _missing(call, known, found)
    return CallReceipt(
        id=call.id,
        tool=call.tool,
        agent=call.agent,
        state=call.state,
        arguments=call.arguments,
        digest=call.digest,
        origins=call.origins,
        decision=verdict.get("decision", ""),
        rules=tuple(verdict.get("rules", ())),
        version=verdict.get("version", ""),
        reason=verdict.get("reason", ""),
        approvals=tuple(known.approvals),
        result=call.result,
        lines=tuple(lines),
    )


def _missing(call: CallState, known: Known, found: Iterable[ledger_rows.LedgerRow]) -> Iterator[Line]:
    """What the rows say and no entry bears."""
    entries = list(found)
    kinds = {entry.kind for entry in entries}
    wanted = BORNE.get(call.state, ())
    if wanted and not kinds.intersection(wanted):
        yield Line(text=f"The call is {call.state}", problem="the ledger has no entry for it")
    if call.digest and call_digest(call.tool, call.arguments) != call.digest:
        yield Line(text="Its arguments", problem="the arguments in the database do not have the digest beside them")
    told = {(entry.subject, entry.body["revision"], entry.body["person"]) for entry in entries if entry.kind in VOTES}
    for ref, revision, person in sorted(known.votes.keys() - told):
        yield Line(
            text=f"{known.name(person)} voted on revision {revision} of {ref}", problem="the ledger has no entry for it"
        )


def _votes(session: Session, asked: Iterable[ApprovalState]) -> dict[tuple[str, int, str], rows.Vote]:
    return {
        (row.ref, vote.revision, vote.principal): vote
        for row in asked
        for revision in range(1, row.revision + 1)
        for vote in rows.votes(session, row.id, revision)
    }


def _entries(session: Session, subjects: Iterable[str]) -> list[ledger_rows.LedgerRow]:
    found = [entry for subject in subjects for entry in ledger_rows.entries(session, subject)]
    return sorted(found, key=lambda entry: entry.number)
