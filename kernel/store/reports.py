"""What reports look at across many rows: how calls were decided, what models cost, which documents are old. Queries."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from kernel.store.activity import of_runs
from kernel.store.knowledge import DocumentReader, DocumentRow
from kernel.store.runs import FAILED, Call, Run

if TYPE_CHECKING:
    from kernel.types import Json, Place


class Spent(NamedTuple):
    """What the runs of one agent, workflow or person took."""

    name: str
    runs: int
    failed: int
    cost: float  # USD


class OldDocument(NamedTuple):
    """A document that has not changed for long."""

    id: str
    title: str
    source: str
    url: str
    at: datetime  # when it was written, or was last read in another form


def verdicts(session: Session, place: Place, since: datetime, until: datetime, limit: int = 5000) -> list[Json]:
    """(agent, tool, decision) of the calls of the channel's runs, workflows among them, judged in (since, until]."""
    when = (col(Call.created_at) > since, col(Call.created_at) <= until)
    rows = columns(col(Call.agent), col(Call.tool), col(Call.verdict)).join(Run, col(Call.run_id) == col(Run.id))
    found = of_runs(session, rows.where(*when).order_by(col(Call.id)), place, limit)[:limit]
    return [(agent, tool, (verdict or {}).get("decision", "")) for agent, tool, verdict in found]


def spent_by(session: Session, column: str, since: datetime, until: datetime) -> list[Spent]:
    """What runs that ended or went on in (since, until] took, by "agent", "workflow" or "requester"; dearest first."""
    of = {"agent": col(Run.agent), "workflow": col(Run.workflow), "requester": col(Run.requester)}[column]
    cost = func.sum(col(Run.cost_usd))
    rows = session.exec(
        select(of, func.count(), func.sum(case((col(Run.state) == FAILED, 1), else_=0)), cost)
        .where(col(Run.updated_at) > since, col(Run.updated_at) <= until, of.is_not(None), of != "")
        .group_by(of)
        .order_by(cost.desc(), of)
    )
    return [Spent(str(name), int(count), int(failed or 0), float(spent or 0.0)) for name, count, failed, spent in rows]


def old_documents(session: Session, grants: list[str], before: datetime, limit: int = 50) -> list[OldDocument]:
    """Documents that one of the readers may read and that are older than `before`, oldest first."""
    at = func.coalesce(col(DocumentRow.written_at), col(DocumentRow.updated_at))
    readable = select(DocumentReader.document_id).where(col(DocumentReader.reader).in_(grants))
    rows = session.exec(
        select(DocumentRow)
        .where(at < before, col(DocumentRow.id).in_(readable), col(DocumentRow.kind) != "memory")
        .order_by(at, col(DocumentRow.id))
        .limit(limit)
    )
    return [OldDocument(row.id, row.title, row.source, row.url, row.written_at or row.updated_at) for row in rows]
