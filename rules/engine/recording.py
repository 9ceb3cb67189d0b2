"""What the door writes of a call: its row and its ledger entries, in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.canonical import digest
from kernel.ledger import Record
from kernel.store import calls, runs
from rules.engine.facts import origins_to_json
from rules.engine.outcome import SegmentOvertaken

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Json, RunFacts, ToolCall, ToolResult
    from rules.engine.judging import Judged

BEGUN = "begun"  # in a stored verdict: what the rules said when an approved call began


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A use of a tool as the model proposed it, in its run."""

    id: str  # of the call's row
    call: ToolCall
    run: RunFacts
    entry: int  # number of the transcript entry


def fence(session: Session, run: RunFacts) -> None:
    """SegmentOvertaken unless the segment is still the run's current one."""
    if not calls.is_current(session, run.run_id, run.segment):
        raise SegmentOvertaken


def claim(session: Session, made: Proposed) -> str:
    """What the agent said as it proposed the call."""
    content = calls.said(session, made.run.run_id, made.entry)
    text = content.get("text", "") if isinstance(content, dict) else ""
    return " ".join(str(text).split())[:300]


def add(
    session: Session, made: Proposed, judged: Judged, now: datetime, *, state: str, result: ToolResult | None = None
) -> bool:
    """Write the row of a judged call; False if the use has one already."""
    started = now if state in {runs.STARTED, runs.CALL_DONE} else None
    return calls.add(
        session,
        id=made.id,
        run_id=made.run.run_id,
        use_id=made.call.id,
        entry=made.entry,
        agent=made.run.agent,
        tool=judged.tool.name,
        arguments=judged.arguments,
        digest=judged.digest,
        origins=origins_to_json(judged.facts.origins),
        verdict={**judged.verdict.record(), "context": judged.facts.context()},
        state=state,
        result=None if result is None else result.model_dump(mode="json"),
        created_at=now,
        started_at=started,
        done_at=None if result is None else now,
    )


def add_unfit(session: Session, made: Proposed, result: ToolResult, now: datetime) -> bool:
    """Write the row of a call that could not be judged. Its arguments are not kept: they may be of any kind."""
    fresh = calls.add(
        session,
        id=made.id,
        run_id=made.run.run_id,
        use_id=made.call.id,
        entry=made.entry,
        agent=made.run.agent,
        tool=printable(made.call.tool),
        arguments={},
        digest="",
        state=runs.REFUSED,
        result=result.model_dump(mode="json"),
        created_at=now,
        done_at=now,
    )
    if fresh:
        body = {"run": made.run.run_id, "agent": made.run.agent, "tool": printable(made.call.tool)}
        ledger.append(session, now, "call.unfit", made.id, body)
    return fresh


def judged_entry(session: Session, made: Proposed, judged: Judged, now: datetime, *, kind: str, **told: Json) -> None:
    """A ledger entry that says which rules decided about exactly this call."""
    body = {
        "run": made.run.run_id,
        "agent": made.run.agent,
        "requester": made.run.requester.id,
        "tool": judged.tool.name,
        "digest": judged.digest,
        "facts": facts_digest(origins_to_json(judged.facts.origins), judged.facts.context()),
        **judged.verdict.record(),
        **told,
    }
    ledger.append(session, now, kind, made.id, body)


def facts_digest(origins: Json, context: Json) -> str:
    """Stands in the ledger for everything that a decision looked at beside the arguments."""
    return digest([origins, context])


def approved_entry(row: ApprovalState, by: list[str], version: str) -> Record:
    """A ledger entry that says which people allowed exactly this call, under which rules it begins."""
    body = {
        "run": row.run_id,
        "agent": row.agent,
        "requester": row.requester,
        "tool": row.tool,
        "digest": row.digest,
        "decision": "approved",
        "approval": row.ref,
        "revision": row.revision,
        "by": by,
        "rules": row.rules["ids"],
        "version": version,
    }
    return Record(kind="call.started", subject=row.call_id, body=body)


def result_told(result: ToolResult) -> dict[str, Json]:
    """What the ledger keeps of a result: its digest and its summary, not its content."""
    return {"result": digest(result.content), "error": result.error}


def kind_of(result: ToolResult) -> str:
    """The kind of the entry for a result."""
    return "tool.failed" if result.error else "tool.done"


def printable(name: str) -> str:
    """A name that a model made up, as it can be stored and shown."""
    return "".join(c if c.isprintable() else "?" for c in name[:80])
