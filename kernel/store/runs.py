"""Conversations, runs, their segments and transcripts, and the tool calls in them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Index, UniqueConstraint, bindparam, func, insert, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import Float, JsonText, Moment, partial
from kernel.store.database import insert_new, wake
from kernel.store.prepared import Prepared
from kernel.types import Actor, Json, Place

if TYPE_CHECKING:
    from kernel.clock import Ids

READY = "segments"  # topic: a segment is ready to start
STOP = "stops"  # topic: somebody asked a run to stop
ENDED = "ended"  # topic: a conversation is free again
STATE = "run-state"  # topic: a run waits for people, goes on or has ended; key "run:state"

# Run states. A QUEUED run has a segment to run, or running; WAITING waits for people; the others are final.
QUEUED, WAITING, DONE, FAILED, STOPPED = "queued", "waiting", "done", "failed", "stopped"
FINAL = (DONE, FAILED, STOPPED)

BEGUN, OPENED = "bosun.begun", "bosun.opened"  # of a session's info: runs and conversations that it has made


class Conversation(SQLModel, table=True):
    """A thread, or a DM session: what was said in it belongs together, and one run at a time answers in it."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("platform", "tenant", "channel", "thread"),)

    id: str = Field(primary_key=True)
    platform: str
    tenant: str
    channel: str
    thread: str  # "" for a channel without threads
    place: Json = Field(sa_type=JsonText)
    agent: str | None = None  # the specialist that answers here
    active_run_id: str | None = None
    active_at: datetime = Field(sa_type=Moment)  # last time that Bosun took part
    created_at: datetime = Field(sa_type=Moment)

    @property
    def where(self) -> Place:
        """The place of the conversation."""
        return Place.model_validate(self.place)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewConversation:
    """A conversation that this transaction opened. Making a row of the session costs more than all of its statement."""

    id: str
    place: Json
    agent: str | None = None
    active_run_id: str | None = None

    @property
    def where(self) -> Place:
        """The place of the conversation."""
        return Place.model_validate(self.place)


class Run(SQLModel, table=True):
    """One piece of work for one request."""

    __tablename__ = "run"
    __table_args__ = (
        Index("run_state", "state", "id"),
        # the earlier runs of a workflow, and the runs that one waits for; cost a run that is neither nothing
        partial("run_workflow", "workflow", "created_at", where="workflow IS NOT NULL"),
        partial("run_parent", "parent_id", where="parent_id IS NOT NULL"),
    )

    id: str = Field(primary_key=True)
    ref: str = Field(unique=True)  # "R-7F3K"
    conversation_id: str | None = Field(default=None, index=True)
    agent: str
    requester: str  # Person.id; "workflow:NAME" for unattended runs
    requester_actor: Json = Field(default=None, sa_type=JsonText, nullable=True)
    place: Json = Field(sa_type=JsonText)
    request: str  # the text that started it
    state: str = QUEUED
    segment: int = 1  # the segment that is ready or running; state writes are fenced by it
    workflow: str | None = None
    parent_id: str | None = None  # the workflow run that waits for this one's answer
    charter: str = ""  # digest of the charter that it started under
    progress_id: str | None = None  # outbox row that shows its progress and becomes its answer
    stop_requested_by: str | None = None
    model_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = Field(default=0.0, sa_type=Float)
    error: str | None = None
    answer: str | None = None
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)
    retry_at: datetime | None = Field(default=None, sa_type=Moment)  # the segment starts no earlier

    @property
    def where(self) -> Place:
        """Where the answer goes."""
        return Place.model_validate(self.place)

    @property
    def actor(self) -> Actor | None:
        """The account that asked."""
        return Actor.model_validate(self.requester_actor) if self.requester_actor else None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun:
    """A run for a request as it begins; the columns mean what they mean in `Run`."""

    id: str
    ref: str
    conversation_id: str
    agent: str
    requester: str
    requester_actor: Json
    place: Json
    request: str
    created_at: datetime

    @property
    def where(self) -> Place:
        """Where the answer goes."""
        return Place.model_validate(self.place)

    def row(self) -> dict[str, object]:
        """The columns. Unlike `asdict` it copies no JSON: every mention comes by here."""
        return {name: getattr(self, name) for name in _NEW}


_NEW = tuple(each.name for each in fields(NewRun))


class Entry(SQLModel, table=True):
    """A line of a run's transcript, saved before anything is done with it. Never changed."""

    __tablename__ = "transcript"

    run_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)  # counts from 1
    kind: str  # "user", "assistant", "results", "note"
    content: Json = Field(sa_type=JsonText)
    created_at: datetime = Field(sa_type=Moment)


# Call states. STARTED without a result after a crash is an unknown outcome.
PROPOSED, ASKED, APPROVED, STARTED, CALL_DONE, REFUSED, UNKNOWN = (
    "proposed",
    "asked",
    "approved",
    "started",
    "done",
    "refused",
    "unknown",
)


class Call(SQLModel, table=True):
    """A tool call of a run, from proposal to result."""

    __tablename__ = "call"
    __table_args__ = (UniqueConstraint("run_id", "use_id"),)

    id: str = Field(primary_key=True)  # also the idempotency key given to services
    run_id: str = Field(index=True)
    use_id: str  # the model's id of the use; unique within the run
    entry: int  # number of the transcript entry that proposed it
    agent: str
    tool: str
    arguments: Json = Field(sa_type=JsonText)
    digest: str  # SHA-256 of tool and arguments, canonical
    origins: Json = Field(default=None, sa_type=JsonText, nullable=True)  # per argument: list of origins
    verdict: Json = Field(default=None, sa_type=JsonText, nullable=True)  # decision, rules, version, reason, context
    state: str = PROPOSED
    result: Json = Field(default=None, sa_type=JsonText, nullable=True)  # ToolResult
    created_at: datetime = Field(sa_type=Moment)
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    done_at: datetime | None = Field(default=None, sa_type=Moment)


_AT = select(Conversation).where(
    col(Conversation.platform) == bindparam("platform"),
    col(Conversation.tenant) == bindparam("tenant"),
    col(Conversation.channel) == bindparam("channel"),
    col(Conversation.thread) == bindparam("thread"),
)


_AT_LOCKED = _AT.with_for_update()


def conversation_at(session: Session, place: Place, *, lock: bool = False) -> Conversation | None:
    """The conversation in this thread; `lock` holds it until the transaction ends."""
    key = {
        "platform": place.platform,
        "tenant": place.tenant,
        "channel": place.channel,
        "thread": place.thread or "",
    }
    return session.execute(_AT_LOCKED if lock else _AT, key).scalars().first()


def active_at(session: Session, place: Place) -> Run | None:
    """The run that is in hand in this thread."""
    conversation = conversation_at(session, place)
    if conversation is None or conversation.active_run_id is None:
        return None
    return session.get(Run, conversation.active_run_id)


def open_conversation(session: Session, place: Place, conversation_id: str, now: datetime) -> NewConversation | None:
    """Begin the conversation in this thread; None if there is one."""
    values: dict[str, Json] = {
        "id": conversation_id,
        "platform": place.platform,
        "tenant": place.tenant,
        "channel": place.channel,
        "thread": place.thread or "",
        "place": place.model_dump(mode="json", exclude_defaults=True),
        "active_at": now,
        "created_at": now,
    }
    if not insert_new(session, Conversation, values):
        return None
    session.info.setdefault(OPENED, set()).add(conversation_id)
    return NewConversation(id=conversation_id, place=values["place"])


_ENGAGE = Prepared(
    update(Conversation)
    .where(col(Conversation.id) == bindparam("conversation"))
    .values(agent=bindparam("answers"), active_run_id=bindparam("run"), active_at=bindparam("now", type_=Moment))
)


def close_conversation(session: Session, conversation_id: str) -> None:
    """What is said in this place from now on is another conversation. Only for places without threads."""
    session.connection().execute(
        update(Conversation)
        .where(col(Conversation.id) == conversation_id, col(Conversation.thread) == "")
        .values(thread=f"closed-{conversation_id}")
    )


def engage(session: Session, conversation_id: str, agent: str, run_id: str, now: datetime) -> None:
    """From now on this run works in the conversation, and this agent answers there."""
    values = {"conversation": conversation_id, "answers": agent, "run": run_id, "now": now}
    _ENGAGE.count(session, values)


def by_ref(session: Session, ref: str) -> Run | None:
    """The run that people know as `ref` ("R-7F3K", any case)."""
    return session.exec(select(Run).where(col(Run.ref) == ref.upper())).first()


def transcript(session: Session, run_id: str) -> list[Entry]:
    """All entries of a run, in order."""
    return list(session.exec(select(Entry).where(col(Entry.run_id) == run_id).order_by(col(Entry.number))))


def first_entry(session: Session, run_id: str) -> Entry | None:
    """The request of a run."""
    return session.exec(select(Entry).where(col(Entry.run_id) == run_id, col(Entry.number) == 1)).first()


def last_entry(session: Session, run_id: str) -> Entry | None:
    """The newest entry of a run."""
    return session.exec(
        select(Entry).where(col(Entry.run_id) == run_id).order_by(col(Entry.number).desc()).limit(1)
    ).first()


def append(session: Session, run_id: str, number: int, kind: str, content: Json, now: datetime) -> bool:  # noqa: PLR0917  one column each
    """Save an entry; False, and nothing changed, if that number is already there (a re-run step)."""
    values = {"run_id": run_id, "number": number, "kind": kind, "content": content, "created_at": now}
    return insert_new(session, Entry, values)


def calls(session: Session, run_id: str) -> list[Call]:
    """The calls of a run in the order in which they were proposed."""
    return list(session.exec(select(Call).where(col(Call.run_id) == run_id).order_by(col(Call.entry), col(Call.id))))


def free_ref(session: Session, ids: Ids, prefix: str = "R") -> str:
    """A reference that no run has yet. Four characters, more once chance meets a taken one."""
    for length in (4, 4, 5, 6, 8):
        ref = f"{prefix}-{ids.short(length)}"
        if _TAKEN.run(session, {"wanted": ref}).first() is None:
            return ref
    return f"{prefix}-{ids.new()}"


def begin(session: Session, run: Run | NewRun, request: Json) -> None:
    """Start a run: its row, the first transcript entry, and its first segment ready."""
    values = {**_FRESH, **run.row(), "updated_at": run.created_at} if isinstance(run, NewRun) else run.model_dump()
    _BEGIN.count(session, values)
    session.info.setdefault(BEGUN, {})[run.id] = (values, request)
    append(session, run.id, 1, "user", request, run.created_at)
    wake(session, READY, f"{run.id}:{values['segment']}")


_TAKEN = Prepared(select(col(Run.id)).where(col(Run.ref) == bindparam("wanted")))
_BEGIN = Prepared(insert(Run))
_FRESH = {name: field.default for name, field in Run.model_fields.items() if not field.is_required()}


@cache
def _next_segment(from_states: tuple[str, ...]) -> Prepared:
    return Prepared(
        update(Run)
        .where(col(Run.id) == bindparam("run"), or_(*(col(Run.state) == state for state in from_states)))
        .values(
            state=QUEUED,
            segment=col(Run.segment) + 1,
            updated_at=bindparam("now", type_=Moment),
            retry_at=bindparam("not_before", type_=Moment),
        )
        .returning(col(Run.segment))
    )


def next_segment(
    session: Session,
    run_id: str,
    now: datetime,
    *,
    from_states: tuple[str, ...] = (WAITING,),
    retry_at: datetime | None = None,
) -> bool:
    """Make the run's next segment ready, at `retry_at` where given; False if the run is not in one of `from_states`."""
    session.flush()  # or what was changed and not written yet would be forgotten by the expiry below
    values = {"run": run_id, "now": now, "not_before": retry_at}
    segment = _next_segment(from_states).run(session, values).scalar()
    session.expire_all()
    if segment is not None and retry_at is None:
        wake(session, READY, f"{run_id}:{segment}")
        wake(session, STATE, f"{run_id}:{QUEUED}")
    return segment is not None


def children(session: Session, parent_id: str) -> list[Run]:
    """The runs that a workflow run has started, oldest first."""
    return list(session.exec(select(Run).where(col(Run.parent_id) == parent_id).order_by(col(Run.id))))


def ready(session: Session, now: datetime, idle_since: datetime, limit: int = 500) -> list[tuple[str, int]]:
    """(run, segment) of the runs that have a segment to run and were last written before `idle_since`."""
    rows = session.connection().execute(
        select(col(Run.id), col(Run.segment))
        .where(
            col(Run.state) == QUEUED,
            col(Run.updated_at) <= idle_since,
            col(Run.retry_at).is_(None) | (col(Run.retry_at) <= now),
        )
        .order_by(col(Run.id))
        .limit(limit)
    )
    return [(run_id, segment) for run_id, segment in rows]


def fence(session: Session, run_id: str, segment: int) -> Run | None:
    """The run, locked, if `segment` is still its current one; None tells a late writer to write nothing."""
    run = session.exec(select(Run).where(col(Run.id) == run_id).with_for_update()).first()
    return run if run is not None and run.segment == segment and run.state not in FINAL else None


def locked(session: Session, run_id: str) -> Run:
    """The run, held until the transaction ends."""
    return session.exec(select(Run).where(col(Run.id) == run_id).with_for_update()).one()


def occupy(session: Session, run_id: str) -> None:
    """The run is the one at work in its conversation again."""
    run = session.get_one(Run, run_id)
    session.connection().execute(
        update(Conversation)
        .where(col(Conversation.id) == run.conversation_id, col(Conversation.active_run_id).is_(None))
        .values(active_run_id=run_id)
    )


def listing(session: Session, states: tuple[str, ...] = (), limit: int = 50) -> list[Run]:
    """Runs, newest first."""
    statement = select(Run).order_by(col(Run.id).desc()).limit(limit)
    if states:
        statement = statement.where(col(Run.state).in_(states))
    return list(session.exec(statement))


def count(session: Session, state: str) -> int:
    """How many runs are in `state`."""
    return session.exec(select(func.count()).select_from(Run).where(col(Run.state) == state)).one()
