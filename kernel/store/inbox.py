"""Events from the platforms: stored before they are acknowledged, one row per event."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from sqlalchemy import Index, UniqueConstraint, bindparam, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment, partial
from kernel.store.database import insert_new
from kernel.store.prepared import Prepared
from kernel.store.runs import Conversation
from kernel.types import Inbound, Json, Place

NEW, WAITING, HELD, DONE, FAILED = "new", "waiting", "held", "done", "failed"


class InboxRow(SQLModel, table=True):
    """One event.

    `waiting`: it belongs to a thread that is busy and is taken up when the run there ends. `held`: it is old and waits
    for somebody to say that it is still wanted.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("platform", "key"),
        Index("inbox_open", "state", "id"),
        partial("inbox_conversation", "conversation_id", where="conversation_id IS NOT NULL"),
    )

    id: str = Field(primary_key=True)
    platform: str
    key: str
    kind: str
    lane: str
    message: str | None = Field(default=None, index=True)  # the platform's id of the message
    event: Json = Field(sa_type=JsonText)
    state: str = NEW
    conversation_id: str | None = None
    run_id: str | None = None
    error: str | None = None
    received_at: datetime = Field(sa_type=Moment)

    @property
    def inbound(self) -> Inbound:
        """The event as it came."""
        return Inbound.model_validate(self.event)


def accept(session: Session, inbound: Inbound, row_id: str, now: datetime) -> bool:
    """Store the event; False if it was stored before (the same key)."""
    return insert_new(
        session,
        InboxRow,
        {
            "id": row_id,
            "platform": inbound.place.platform,
            "key": inbound.key,
            "kind": inbound.kind,
            "lane": inbound.place.lane,
            "message": inbound.message,
            "event": inbound.model_dump(mode="json", exclude_defaults=True),
            "state": NEW,
            "received_at": now,
        },
    )


def get(session: Session, row_id: str) -> InboxRow | None:
    """The row with this id."""
    return session.get(InboxRow, row_id)


def by_key(session: Session, platform: str, key: str) -> InboxRow | None:
    """The event with this key."""
    return session.exec(select(InboxRow).where(col(InboxRow.platform) == platform, col(InboxRow.key) == key)).first()


def unprocessed(session: Session, before: datetime, limit: int = 500) -> list[InboxRow]:
    """The events stored before `before` that nobody has dealt with yet, oldest first."""
    return list(
        session.exec(
            select(InboxRow)
            .where(col(InboxRow.state) == NEW, col(InboxRow.received_at) <= before)
            .order_by(col(InboxRow.id))
            .limit(limit)
        )
    )


def received(session: Session, since: datetime, limit: int = 5000) -> list[InboxRow]:
    """The last events that came after `since`, oldest first; at most `limit` are looked at."""
    newest = session.exec(select(InboxRow).order_by(col(InboxRow.id).desc()).limit(limit))
    return list(takewhile(lambda row: row.received_at > since, newest))[::-1]


def of_kind(session: Session, kind: str, since: datetime, limit: int = 5000) -> list[InboxRow]:
    """Those of this kind among the last events that came after `since`, oldest first; at most `limit` are looked at."""
    newest = select(InboxRow.id).order_by(col(InboxRow.id).desc()).limit(limit)
    wanted = select(InboxRow).where(col(InboxRow.id).in_(newest), col(InboxRow.kind) == kind)
    return list(session.exec(wanted.where(col(InboxRow.received_at) > since).order_by(col(InboxRow.id))))


def held(session: Session, lane: str) -> list[InboxRow]:
    """The old requests of a channel that are held back, oldest first."""
    return list(
        session.exec(
            select(InboxRow).where(col(InboxRow.lane) == lane, col(InboxRow.state) == HELD).order_by(col(InboxRow.id))
        )
    )


def unhold(session: Session, row_ids: list[str], state: str) -> list[str]:
    """Move held events on; returns the conversations of those that somebody else had not moved before."""
    rows = session.connection().execute(
        update(InboxRow)
        .where(col(InboxRow.id).in_(row_ids), col(InboxRow.state) == HELD)
        .values(state=state)
        .returning(col(InboxRow.conversation_id))
    )
    return list(dict.fromkeys(str(row.conversation_id) for row in rows))


def by_message(session: Session, place: Place, message: str | None) -> InboxRow | None:
    """The event that brought this message."""
    if message is None:
        return None
    return session.exec(
        select(InboxRow)
        .where(col(InboxRow.platform) == place.platform, col(InboxRow.message) == message)
        .where(col(InboxRow.lane) == place.lane, col(InboxRow.kind).in_(("mention", "message")))
        .order_by(col(InboxRow.id))
    ).first()


def of_message(session: Session, platform: str, message: str) -> InboxRow | None:
    """The event that brought this message, for platforms whose ids of messages are unique everywhere."""
    return session.exec(
        select(InboxRow)
        .where(col(InboxRow.platform) == platform, col(InboxRow.message) == message)
        .where(col(InboxRow.kind).in_(("mention", "message")))
        .order_by(col(InboxRow.id))
    ).first()


def was_edited(session: Session, place: Place, message: str | None) -> bool:
    """Whether somebody changed this message while we listened."""
    edits = select(InboxRow.id).where(
        col(InboxRow.platform) == place.platform, col(InboxRow.message) == message, col(InboxRow.lane) == place.lane
    )
    return session.exec(edits.where(col(InboxRow.kind) == "edit").limit(1)).first() is not None


def conversations_waiting(session: Session) -> list[str]:
    """Ids of the conversations in which messages wait though no run is busy there."""
    return [
        str(conversation_id)
        for conversation_id in session.exec(
            select(InboxRow.conversation_id)
            .join(Conversation, col(Conversation.id) == col(InboxRow.conversation_id))
            .where(col(InboxRow.state) == WAITING, col(Conversation.active_run_id).is_(None))
            .distinct()
        )
    ]


def reword(session: Session, row: InboxRow, text: str) -> None:
    """The person edited a message that waits: the new text counts."""
    row.event = {**row.event, "text": text}
    session.add(row)


def replace(session: Session, row_id: str, inbound: Inbound) -> None:
    """The event means this: whoever takes it up later has nothing else to go by."""
    event = inbound.model_dump(mode="json", exclude_defaults=True)
    session.connection().execute(update(InboxRow).where(col(InboxRow.id) == row_id).values(event=event))


def waiting(session: Session, conversation_id: str) -> list[InboxRow]:
    """The messages that wait for the run of this conversation to end, in the order in which they were said.

    That is the platform's order: it may deliver a later message first.
    """
    rows = session.exec(
        select(InboxRow).where(col(InboxRow.conversation_id) == conversation_id, col(InboxRow.state) == WAITING)
    )
    return sorted(rows, key=lambda row: (row.inbound.sent_at or row.received_at, row.id))


_WAITS = Prepared(
    select(col(InboxRow.id))
    .where(col(InboxRow.conversation_id) == bindparam("conversation"), col(InboxRow.state) == WAITING)
    .limit(1)
)


def waits(session: Session, conversation_id: str) -> bool:
    """Whether a message waits for the run of this conversation to end."""
    return _WAITS.run(session, {"conversation": conversation_id}).first() is not None


def settle(
    session: Session,
    row_id: str,
    state: str = DONE,
    *,
    conversation_id: str | None = None,
    run_id: str | None = None,
    error: str | None = None,
) -> bool:
    """Move an unsettled event to `state`; False if another worker did it first."""
    values = {"row_id": row_id, "to": state, "conversation": conversation_id, "run": run_id, "problem": error}
    return _SETTLE.count(session, values) == 1


# Built once: building a statement costs more than running it.
_SETTLE = Prepared(
    update(InboxRow)
    .where(col(InboxRow.id) == bindparam("row_id"), col(InboxRow.state).in_((NEW, WAITING)))
    .values(
        state=bindparam("to"),
        conversation_id=bindparam("conversation"),
        run_id=bindparam("run"),
        error=bindparam("problem"),
    )
)
