"""What Bosun shows on the platforms: each row is a message as it should be; the sender makes it so.

A row is posted once and then edited whenever `version` is ahead of `sent_version`: latest wins, so edits coalesce and
every copy of a card follows the state that was committed with it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields
from datetime import datetime

import orjson
from pydantic import TypeAdapter
from sqlalchemy import bindparam, case, func, or_, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment, partial
from kernel.store.database import insert_new, wake
from kernel.store.prepared import Prepared
from kernel.store.runs import Run
from kernel.types import Actor, Body, Card, Json, Place, Progress

TOPIC = "outbox"
QUEUED, SENDING, SENT, DEAD = "queued", "sending", "sent", "dead"
MESSAGE, NOTICE, FILE = "message", "notice", "file"
# Written out: SQLite uses an index of some rows only where the statement itself says that it is about those.
IS_QUEUED, IS_SENDING, OPEN = "state = 'queued'", "state = 'sending'", "state IN ('queued', 'sending')"

_BODY: TypeAdapter[Body] = TypeAdapter(Body)


class _Values:
    """The JSON of a row as values."""

    __slots__ = ()
    place: Json
    body: Json
    recipient: Json

    @property
    def where(self) -> Place:
        """The place to show it."""
        return Place.model_validate(self.place)

    @property
    def content(self) -> Body:
        """The body as a value."""
        return _BODY.validate_python(self.body)

    @property
    def to(self) -> Actor | None:
        """The account that it is for, where it is for one."""
        return Actor.model_validate(self.recipient) if self.recipient else None


class OutboxRow(_Values, SQLModel, table=True):
    """One thing to show.

    kind `message`: `body` is a Text, Progress or Card. `notice`: a Text that only `to` sees; `extra.answers` is the key
    of the event behind it. `file`: `extra.name`, `extra.content` (in base64 where `extra.base64` says so), `extra.alt`;
    `extra.below` is the row of the message in whose thread it belongs.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        # What has been shown is in the first three no more, and so costs nothing, however much it is.
        partial("outbox_open", "lane", "id", where=OPEN),
        partial("outbox_due", "retry_at", where=IS_QUEUED),
        partial("outbox_sending", "lane", where=IS_SENDING, unique=True),  # one sender in a lane, whatever two do
        partial("outbox_remote", "remote_id", where="remote_id IS NOT NULL"),
        partial("outbox_subject", "subject", where="subject IS NOT NULL"),
    )

    id: str = Field(primary_key=True)  # sorts by creation: the order within a lane
    platform: str
    lane: str
    kind: str = MESSAGE
    place: Json = Field(sa_type=JsonText)
    body: Json = Field(default=None, sa_type=JsonText, nullable=True)
    extra: Json = Field(default=None, sa_type=JsonText, nullable=True)
    recipient: Json = Field(default=None, sa_type=JsonText, nullable=True)  # an Actor: for notices and direct messages
    version: int = 1
    sent_version: int = 0
    state: str = QUEUED
    owner: str | None = None  # the process that is sending it
    remote_id: str | None = None  # the platform's id, once posted
    attempts: int = 0
    doubt: bool = False  # it may have been posted already: look before posting
    retry_at: datetime | None = Field(default=None, sa_type=Moment)
    error: str | None = None
    run_id: str | None = Field(default=None, index=True)
    subject: str | None = None  # "AP-7F3K" for the copies of a card
    created_at: datetime = Field(sa_type=Moment)


@dataclass(kw_only=True, slots=True)
class Claimed(_Values):
    """A row while this process sends it; the columns mean what they mean in `OutboxRow`.

    Every message comes by here, and loading a row of the session costs more than all statements about it.
    """

    id: str
    platform: str
    lane: str
    kind: str = MESSAGE
    place: Json
    body: Json = None
    extra: Json = None
    recipient: Json = None
    version: int = 1
    sent_version: int = 0
    remote_id: str | None = None
    attempts: int = 0
    doubt: bool = False
    run_id: str | None = None
    subject: str | None = None
    created_at: datetime


# Statements of the path that every message takes, built once: building one costs more than running it.
_FIRST = Prepared(
    select(col(OutboxRow.id), col(OutboxRow.state), col(OutboxRow.retry_at))
    .where(
        col(OutboxRow.lane) == bindparam("lane"),
        text(OPEN),
        or_(
            col(OutboxRow.remote_id).is_(None),
            col(OutboxRow.retry_at).is_(None),
            col(OutboxRow.retry_at) <= bindparam("now", type_=Moment),
        ),
    )
    .order_by(col(OutboxRow.state).desc(), col(OutboxRow.id))  # "sending" comes first
    .limit(1)
    .with_for_update()
)
_CLAIM = Prepared(
    update(OutboxRow)
    .where(col(OutboxRow.id) == bindparam("row_id"))
    .values(state=SENDING, owner=bindparam("by"), attempts=col(OutboxRow.attempts) + 1)
    .returning(*(getattr(OutboxRow, field.name) for field in fields(Claimed)))
)
_NOW_SHOWS = {  # one statement: a revision and a delivery in the same instant both count
    "body": bindparam("now_shows", type_=JsonText),
    "version": col(OutboxRow.version) + 1,
    "retry_at": None,
    "state": case(
        (or_(col(OutboxRow.state) == SENT, col(OutboxRow.state) == DEAD), QUEUED), else_=col(OutboxRow.state)
    ),
}
_REVISE = Prepared(
    update(OutboxRow)
    .where(col(OutboxRow.id) == bindparam("row_id"))
    .values(**_NOW_SHOWS)
    .returning(col(OutboxRow.lane))
)
_REVISE_COPIES = Prepared(
    update(OutboxRow)
    .where(col(OutboxRow.subject) == bindparam("about"))
    .values(**_NOW_SHOWS)
    .returning(col(OutboxRow.lane))
)
_DELIVERED = Prepared(
    update(OutboxRow)
    .where(col(OutboxRow.id) == bindparam("row_id"))
    .values(
        sent_version=bindparam("shown"),
        remote_id=func.coalesce(bindparam("remote"), col(OutboxRow.remote_id)),
        owner=None,
        error=None,
        retry_at=None,
        attempts=0,
        doubt=False,
        state=case((col(OutboxRow.version) == bindparam("shown"), SENT), else_=QUEUED),
    )
    .returning(col(OutboxRow.state), col(OutboxRow.lane))
)


def put(
    session: Session,
    row_id: str,
    place: Place,
    body: Body | None,
    now: datetime,
    *,
    kind: str = MESSAGE,
    to: Actor | None = None,
    extra: Json = None,
    run_id: str | None = None,
    subject: str | None = None,
) -> bool:
    """Queue something to show, in this transaction. False, and nothing changed, if a row with this id exists.

    A place without a channel means the direct messages of `to`.
    """
    lane = place.lane if place.channel or to is None else f"{place.lane}@{to.user}"
    values = {
        "id": row_id,
        "platform": place.platform,
        "lane": lane,
        "kind": kind,
        "place": place.model_dump(mode="json", exclude_defaults=True),
        "body": None if body is None else body.model_dump(mode="json"),
        "extra": extra,
        "recipient": to.model_dump(mode="json", exclude_defaults=True) if to else None,
        "version": 1,
        "sent_version": 0,
        "state": QUEUED,
        "attempts": 0,
        "doubt": False,
        "run_id": run_id,
        "subject": subject,
        "created_at": now,
    }
    fresh = insert_new(session, OutboxRow, values)
    if fresh:
        wake(session, TOPIC, lane)
    return fresh


def file_content(extra: Json) -> bytes:
    """The content of a file row: bytes, a text, or a JSON value."""
    content = extra.get("content", "")
    if extra.get("base64"):
        return base64.b64decode(content)
    return content.encode("utf-8", "replace") if isinstance(content, str) else orjson.dumps(content)


def put_file(  # noqa: PLR0917  what a file consists of
    session: Session,
    row_id: str,
    place: Place,
    name: str,
    content: bytes,
    alt: str,
    now: datetime,
    below: str = "",
    run_id: str | None = None,
    to: Actor | None = None,
) -> bool:
    """Queue a file, for the thread of the message of the row `below` if given. `alt` says what a picture shows."""
    extra = {"name": name, "content": base64.b64encode(content).decode(), "base64": True, "alt": alt, "below": below}
    return put(session, row_id, place, None, now, kind=FILE, to=to, extra=extra, run_id=run_id)


def revise(session: Session, row_id: str, body: Body, subject: str | None = None) -> bool:
    """Replace what a row shows, and what it is about if given; the sender edits the message if it was posted.

    False if there is no such row.
    """
    if subject is not None:
        session.connection().execute(update(OutboxRow).where(col(OutboxRow.id) == row_id).values(subject=subject))
    lane = _REVISE.run(session, {"row_id": row_id, "now_shows": body.model_dump(mode="json")}).scalar()
    if lane is not None:
        wake(session, TOPIC, lane)
    return lane is not None


def revise_copies(session: Session, subject: str, body: Body) -> int:
    """Have every row that shows `subject` show this; returns how many there are."""
    values = {"about": subject, "now_shows": body.model_dump(mode="json")}
    lanes = _REVISE_COPIES.run(session, values).scalars().all()
    for lane in lanes:
        wake(session, TOPIC, lane)
    return len(lanes)


def copies(session: Session, subject: str) -> list[OutboxRow]:
    """All rows that show `subject`, oldest first."""
    return list(session.exec(select(OutboxRow).where(col(OutboxRow.subject) == subject).order_by(col(OutboxRow.id))))


def open_cards(session: Session, subject: str) -> list[tuple[str, Card]]:
    """Cards about `subject` that still have buttons, with the ids of their rows."""
    shown = [(row.id, row.content) for row in copies(session, subject)]
    return [(row_id, body) for row_id, body in shown if isinstance(body, Card) and body.actions]


def progress_of(session: Session, run_id: str, *, but: str) -> list[tuple[str, Progress]]:
    """Messages of a run that still show it at work, but for this row."""
    rows = session.exec(select(OutboxRow).where(col(OutboxRow.run_id) == run_id, col(OutboxRow.id) != but))
    bodies = [(row.id, row.content) for row in rows if row.kind == MESSAGE]
    return [(row_id, body) for row_id, body in bodies if isinstance(body, Progress)]


def partial_of(session: Session, row_id: str) -> str:
    """What a message that shows work has of the answer so far."""
    row = session.get(OutboxRow, row_id)
    shown = row.content if row is not None else None
    return shown.partial if isinstance(shown, Progress) else ""


def due_lanes(session: Session, now: datetime) -> list[str]:
    """Lanes with something to send now."""
    due = or_(col(OutboxRow.retry_at).is_(None), col(OutboxRow.retry_at) <= now)
    return list(session.exec(select(OutboxRow.lane).where(text(IS_QUEUED), due).distinct()))


def claim(session: Session, lane: str, owner: str, now: datetime) -> Claimed | None:
    """Take the lane's next row for sending.

    None if there is none, or if another process is sending in this lane. A first post that waits for its retry holds up
    what comes after it; an edit that waits does not.
    """
    first = _first(session, lane, now)
    if first is None:
        return None
    values = {"row_id": first, "by": owner}
    if session.get_bind().dialect.name == "sqlite":  # one process, one writer
        return _claimed(session, values)
    try:
        with session.begin_nested():
            return _claimed(session, values)
    except IntegrityError:  # another process claimed a row of this lane in the same instant
        return None


def _claimed(session: Session, values: dict[str, str]) -> Claimed:
    return Claimed(**_CLAIM.run(session, values).mappings().one())


def is_due(session: Session, lane: str, now: datetime) -> bool:
    """Whether the lane has a row to send now, and nobody is sending in it."""
    return _first(session, lane, now) is not None


def _first(session: Session, lane: str, now: datetime) -> str | None:
    first = _FIRST.run(session, {"lane": lane, "now": now}).first()
    if first is None or first.state == SENDING or (first.retry_at is not None and first.retry_at > now):
        return None
    return str(first.id)


def release(session: Session, live: set[str]) -> int:
    """Queue again what dead processes were sending. Whether it arrived is in doubt: look before posting."""
    changed = session.connection().execute(
        update(OutboxRow)
        .where(text(IS_SENDING), col(OutboxRow.owner).not_in(live))
        .values(state=QUEUED, owner=None, doubt=True, retry_at=None)
    )
    return changed.rowcount


def delivered(session: Session, row_id: str, version: int, remote_id: str | None) -> None:
    """The platform shows `version` of the row. If it was revised meanwhile it goes back into the queue."""
    values = {"row_id": row_id, "shown": version, "remote": remote_id}
    row = _DELIVERED.run(session, values).first()
    if row is not None and row.state == QUEUED:
        wake(session, TOPIC, row.lane)


def put_back(
    session: Session, row_id: str, error: str, retry_at: datetime | None, *, doubt: bool = False, repost: bool = False
) -> None:
    """Sending failed: try again at `retry_at`, or never where it is None.

    `doubt`: it may have arrived all the same; that stays so until it is found or posted. `repost`: the message is
    gone; post it anew.
    """
    values: dict[str, object] = {
        "state": DEAD if retry_at is None else QUEUED,
        "owner": None,
        "error": error,
        "retry_at": retry_at,
    }
    if doubt:
        values["doubt"] = True
    if repost:
        values |= {"remote_id": None, "doubt": False}
    session.connection().execute(update(OutboxRow).where(col(OutboxRow.id) == row_id).values(**values))


def by_remote(session: Session, platform: str, channel_lane: str, remote_id: str) -> OutboxRow | None:
    """The row behind a message that the platform names."""
    return session.exec(
        select(OutboxRow).where(
            col(OutboxRow.remote_id) == remote_id,
            col(OutboxRow.platform) == platform,
            col(OutboxRow.lane) == channel_lane,
        )
    ).first()


def known_remote(session: Session, lane: str, remote_ids: list[str]) -> frozenset[str]:
    """Those of the platform's ids that rows of the lane are known by."""
    rows = session.exec(
        select(OutboxRow.remote_id).where(col(OutboxRow.lane) == lane, col(OutboxRow.remote_id).in_(remote_ids))
    )
    return frozenset(str(remote_id) for remote_id in rows)


def owner_of(session: Session, row: Claimed) -> Actor | None:
    """The account to tell when the row cannot be shown: who it is for, else who asked for the run."""
    if row.to is not None or row.run_id is None:
        return row.to
    run = session.get(Run, row.run_id)
    return None if run is None else run.actor
