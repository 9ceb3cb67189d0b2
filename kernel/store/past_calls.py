"""Calls that were decided about, as the rules saw them: read to decide about them again. Results are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlmodel import Session, col

from kernel.store.runs import Call, Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kernel.types import Json

MOST = 100_000  # calls that are read at once; the newest


@dataclass(frozen=True, kw_only=True, slots=True)
class PastCall:
    """What is needed to decide about a call again; the columns mean what they mean in `runs.Call`."""

    id: str
    run: str  # reference of the run, "R-7F3K"
    agent: str
    tool: str
    arguments: Json
    origins: Json
    verdict: Json
    state: str
    created_at: datetime


_COLUMNS: tuple[Any, ...] = (
    col(Call.id).label("id"),
    col(Run.ref).label("run"),
    col(Call.agent).label("agent"),
    col(Call.tool).label("tool"),
    col(Call.arguments).label("arguments"),
    col(Call.origins).label("origins"),
    col(Call.verdict).label("verdict"),
    col(Call.state).label("state"),
    col(Call.created_at).label("created_at"),
)


def since(
    session: Session, begin: datetime, limit: int = MOST, *, agent: str = "", tool: str = ""
) -> Iterator[PastCall]:
    """The calls that were decided about from then on, oldest first; of more than `limit`, the newest.

    `agent` and `tool` leave the others out.
    """
    mine = [col(Call.agent) == agent] if agent else []
    mine += [col(Call.tool) == tool] if tool else []
    newest = (
        select(*_COLUMNS)
        .join(Run, col(Run.id) == col(Call.run_id))
        .where(col(Call.created_at) >= begin, *mine)
        .order_by(col(Call.created_at).desc(), col(Call.id).desc())
        .limit(limit)
        .subquery()
    )
    rows = session.connection().execute(select(newest).order_by(newest.c.created_at, newest.c.id))
    for row in rows:
        if row.verdict:  # not a call that could not be judged
            yield PastCall(**row._mapping)
