"""The statements of a run's steps: what a segment reads when it starts, and what it writes. The hot path, so in Core.

A run comes out as a plain value, not as a row of the session: loading and flushing one costs half a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, exists, select, update
from sqlmodel import col

from kernel.store.personal import PersonalMark
from kernel.store.prepared import Prepared
from kernel.store.runs import BEGUN, FINAL, OPENED, QUEUED, Conversation, Entry, Run
from kernel.types import Actor, Place

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from kernel.types import Json


@dataclass(kw_only=True, slots=True)
class RunState:
    """A run while a segment works on it; the columns mean what they mean in `runs.Run`."""

    id: str
    ref: str
    conversation_id: str | None
    agent: str
    requester: str
    requester_actor: Json
    place: Json
    request: str
    state: str
    segment: int
    workflow: str | None
    parent_id: str | None
    progress_id: str | None
    stop_requested_by: str | None
    model_calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float
    error: str | None
    answer: str | None
    created_at: datetime
    updated_at: datetime
    retry_at: datetime | None

    @property
    def where(self) -> Place:
        """Where the answer goes."""
        return Place.model_validate(self.place)

    @property
    def actor(self) -> Actor | None:
        """The account that asked."""
        return Actor.model_validate(self.requester_actor) if self.requester_actor else None


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRun:
    """What a later run of the same thread has to know of an earlier one."""

    ref: str
    requester: str
    requester_actor: Json
    request: str
    answer: str | None
    state: str
    personal: bool = False  # it had read personal data, and so has whoever reads its answer

    @property
    def actor(self) -> Actor | None:
        """The account that asked."""
        return Actor.model_validate(self.requester_actor) if self.requester_actor else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """An entry of a transcript."""

    number: int
    kind: str
    content: dict[str, Json]


NAMES = tuple(field.name for field in fields(RunState))
PAST = tuple(field.name for field in fields(PastRun) if field.name != "personal")
_STOP_ASKED = Prepared(select(col(Run.stop_requested_by)).where(col(Run.id) == bindparam("run_id")))
_PERSONAL = exists(select(col(PersonalMark.subject)).where(col(PersonalMark.subject) == "run:" + col(Run.ref)))


@cache
def _run(*, locked: bool) -> Prepared:
    statement = select(*(getattr(Run, name) for name in NAMES)).where(col(Run.id) == bindparam("run_id"))
    return Prepared(statement.with_for_update() if locked else statement)


@cache
def _lines() -> Prepared:
    columns = (col(Entry.number), col(Entry.kind), col(Entry.content))
    return Prepared(select(*columns).where(col(Entry.run_id) == bindparam("of_run")).order_by(col(Entry.number)))


@cache
def _past() -> Prepared:
    return Prepared(
        select(*(getattr(Run, name) for name in PAST), _PERSONAL.label("personal"))
        .where(
            col(Run.conversation_id) == bindparam("conversation"),
            col(Run.id) < bindparam("before"),
            col(Run.state).in_(FINAL),
        )
        .order_by(col(Run.id).desc())
        .limit(bindparam("most"))
    )


@cache
def _change(names: tuple[str, ...]) -> Prepared:
    values = {name: bindparam(f"new_{name}", type_=Run.__table__.c[name].type) for name in names}  # type: ignore[attr-defined]  # sqlmodel does not declare it
    return Prepared(update(Run).where(col(Run.id) == bindparam("run_id")).values(**values))


@cache
def _free() -> Prepared:
    still = col(Conversation.active_run_id) == bindparam("run_id")
    values: dict[Any, Any] = {
        "active_at": bindparam("now", type_=Conversation.__table__.c.active_at.type),  # type: ignore[attr-defined]  # as above
        "active_run_id": case((still, None), else_=col(Conversation.active_run_id)),
    }
    return Prepared(update(Conversation).where(col(Conversation.id) == bindparam("conversation")).values(**values))


def load(session: Session, run_id: str, *, locked: bool = False) -> RunState | None:
    """The run as it is; `locked` holds its row until the transaction ends."""
    row = _run(locked=locked).run(session, {"run_id": run_id}).first()
    return None if row is None else RunState(**row._mapping)


def begun(session: Session, run_id: str) -> tuple[RunState, list[Row], list[PastRun]] | None:
    """What `load`, `lines` and `past` would say of a run that this very transaction has begun; None for any other."""
    known = session.info.get(BEGUN, {}).get(run_id)
    if known is None:
        return None
    values, request = known
    run = RunState(**{name: values[name] for name in NAMES})
    new = run.conversation_id is None or run.conversation_id in session.info.get(OPENED, ())
    earlier = [] if new else past(session, str(run.conversation_id), run_id)
    return run, [Row(number=1, kind="user", content=request)], earlier


def stop_asked(session: Session, run_id: str) -> bool:
    """Whether somebody wants the run stopped."""
    return _STOP_ASKED.run(session, {"run_id": run_id}).scalar() is not None


def take(session: Session, run_id: str, segment: int) -> RunState | None:
    """The run, locked, if `segment` is its current one and still runs; None tells a late writer to write nothing."""
    run = load(session, run_id, locked=True)
    return run if run is not None and run.segment == segment and run.state == QUEUED else None


def keep(session: Session, run: RunState, known: RunState) -> None:
    """Write what differs between `run` and what was `known` of it."""
    changed = tuple(name for name in NAMES if getattr(run, name) != getattr(known, name))
    if changed:
        values = {f"new_{name}": getattr(run, name) for name in changed}
        _change(changed).count(session, {"run_id": run.id, **values})


def copy(run: RunState) -> RunState:
    """Another value with the same content."""
    return replace(run)


def lines(session: Session, run_id: str) -> list[Row]:
    """The transcript, in order."""
    rows = _lines().run(session, {"of_run": run_id})
    return [Row(number=number, kind=kind, content=content) for number, kind, content in rows]


def is_workflow(run: Run | RunState) -> bool:
    """Whether this is the run of a workflow itself. An agent's run within a workflow has a parent and is not."""
    return run.workflow is not None and run.parent_id is None


def past(session: Session, conversation_id: str, before: str, most: int = 20) -> list[PastRun]:
    """Finished runs of the same thread before run `before`, oldest first."""
    values = {"conversation": conversation_id, "before": before, "most": most}
    rows = _past().run(session, values).mappings().all()
    return [PastRun(**row) for row in reversed(rows)]


def free(session: Session, conversation_id: str, run_id: str, now: datetime) -> None:
    """The run no longer occupies its thread."""
    _free().count(session, {"conversation": conversation_id, "run_id": run_id, "now": now})
