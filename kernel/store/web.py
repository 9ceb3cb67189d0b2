"""The local web chat's own tables: what it shows, to whom, and how far each browser has seen it.

Every change takes the next number of one counter and holds that counter until it commits, so numbers appear in order
on every database and a browser can resume with "everything after N".
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sqlalchemy import Index, func, or_, update
from sqlmodel import Field, Session, SQLModel, select

from kernel.store.columns import BigInteger, JsonText, Moment
from kernel.store.database import insert_new, wake
from kernel.types import Json

if TYPE_CHECKING:
    from collections.abc import Collection

T = TypeVar("T", bound=SQLModel)
TOPIC = "web"
BOSUN = ""  # the author of Bosun's own messages
REPLIERS = 4  # authors that are remembered for a thread's summary


class WebHead(SQLModel, table=True):
    """The counter of changes. One row."""

    __tablename__ = "web_head"

    id: int = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)


class WebMessage(SQLModel, table=True):
    """A message in a channel or thread, as it is now."""

    __tablename__ = "web_message"
    __table_args__ = (Index("web_timeline", "channel", "thread", "number"),)

    id: str = Field(primary_key=True)  # outbox row id, or the uuid that the writer's browser made
    number: int = Field(sa_type=BigInteger)  # order of posting
    seq: int = Field(sa_type=BigInteger, index=True)  # last change
    channel: str
    thread: str = ""  # id of the thread's root; "" at the channel's top level
    author: str = BOSUN  # Person id
    body: Json = Field(sa_type=JsonText)  # {"type": "said" | "text" | "progress" | "card" | "file", ...}
    version: int = 1  # of the outbox row
    addressed: bool = False  # a person's message to Bosun
    handed: bool = Field(default=True, index=True)  # False: the desk may not have it yet
    reactions: Json = Field(default=None, sa_type=JsonText, nullable=True)  # names of Bosun's own
    marks: Json = Field(default=None, sa_type=JsonText, nullable=True)  # emoji -> Person ids, in order
    replies: int = 0
    replied_at: datetime | None = Field(default=None, sa_type=Moment)
    repliers: Json = Field(default=None, sa_type=JsonText, nullable=True)  # Person ids, newest last
    created_at: datetime = Field(sa_type=Moment)


class WebThread(SQLModel, table=True):
    """What Bosun is doing in a thread ("" for a channel without threads)."""

    __tablename__ = "web_thread"

    channel: str = Field(primary_key=True)
    thread: str = Field(primary_key=True)
    state: str  # "processing", "suspended", "active"
    seq: int = Field(sa_type=BigInteger, index=True)


class WebPush(SQLModel, table=True):
    """Something for one person, or for one browser tab of theirs: a notice or a dialog."""

    __tablename__ = "web_push"

    id: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger, index=True)
    person: str = Field(index=True)
    client: str = ""  # the tab; "": all of the person's
    kind: str  # "notice", "form"
    payload: Json = Field(sa_type=JsonText)
    seen: bool = False
    created_at: datetime = Field(sa_type=Moment)


class WebRead(SQLModel, table=True):
    """How far a person has read a channel."""

    __tablename__ = "web_read"

    person: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)


class WebFile(SQLModel, table=True):
    """An uploaded file; its bytes lie in the data folder under its id."""

    __tablename__ = "web_file"

    id: str = Field(primary_key=True)
    name: str
    media_type: str
    size: int = Field(sa_type=BigInteger)
    owner: str  # Person id
    message_id: str | None = Field(default=None, index=True)
    created_at: datetime = Field(sa_type=Moment)


class WebLogin(SQLModel, table=True):
    """A login link that was used."""

    __tablename__ = "web_login"

    nonce: str = Field(primary_key=True)
    used_at: datetime = Field(sa_type=Moment)


class Changes(NamedTuple):
    """What changed after a number, and how far that goes."""

    messages: list[WebMessage]
    threads: list[WebThread]
    pushes: list[WebPush]
    upto: int


def head(session: Session) -> int:
    """The number of the last change."""
    return session.exec(select(WebHead.seq).where(WebHead.id == 1)).first() or 0


def next_seq(session: Session, channel: str = "") -> int:
    """The next number, held until the transaction ends; wakes the browsers."""
    wake(session, TOPIC, channel)
    table = SQLModel.metadata.tables["web_head"].c
    step = update(WebHead).where(table.id == 1).values(seq=table.seq + 1).returning(table.seq)
    number = session.connection().execute(step).scalar()
    if number is None:
        insert_new(session, WebHead, {"id": 1, "seq": 0})
        number = session.connection().execute(step).scalar_one()
    return int(number)


# -- messages -----------------------------------------------------------------------------------------------


def add_message(session: Session, message: WebMessage) -> bool:
    """Show a message and count it in its thread's summary; False if it is there already. Sets number and seq."""
    if get(session, message.id) is not None:
        return False
    message.number = message.seq = next_seq(session, message.channel)
    if not insert_new(session, WebMessage, message.model_dump()):
        return False
    if message.thread:
        _count_reply(session, message)
    return True


def _count_reply(session: Session, reply: WebMessage) -> None:
    root = get(session, reply.thread)
    if root is None:
        return
    repliers = [*(name for name in root.repliers or () if name != reply.author), reply.author][-REPLIERS:]
    _change(
        session,
        root.id,
        replies=root.replies + 1,
        replied_at=reply.created_at,
        repliers=repliers,
        seq=reply.seq,
    )


def _change(session: Session, message_id: str, **values: object) -> None:
    session.connection().execute(update(WebMessage).where(WebMessage.id == message_id).values(**values))  # type: ignore[arg-type]
    session.expire_all()


def get(session: Session, message_id: str) -> WebMessage | None:
    """The message with this id."""
    return session.exec(select(WebMessage).where(WebMessage.id == message_id)).first()


def change_body(session: Session, message_id: str, body: Json, version: int) -> bool:
    """Show another body; a version that is older than the shown one changes nothing. False if there is no message."""
    row = get(session, message_id)
    if row is None:
        return False
    if version > row.version:
        _change(session, message_id, body=body, version=version, seq=next_seq(session, row.channel))
    return True


def react(session: Session, message_id: str, name: str, *, remove: bool = False) -> bool:
    """Put Bosun's reaction on a message or take it off; False if there is no message."""
    row = get(session, message_id)
    if row is None:
        return False
    names = [known for known in row.reactions or () if known != name] + ([] if remove else [name])
    if names != (row.reactions or []):
        _change(session, message_id, reactions=names, seq=next_seq(session, row.channel))
    return True


def mark(session: Session, message_id: str, emoji: str, person: str, *, remove: bool = False) -> bool:
    """Put a person's emoji on a message or take it off; False where nothing changes."""
    row = get(session, message_id)
    if row is None or (person in (row.marks or {}).get(emoji, ())) != remove:
        return False
    marks = {**(row.marks or {})}
    people = [one for one in marks.get(emoji, ()) if one != person] + ([] if remove else [person])
    marks[emoji] = people
    kept = {one: who for one, who in marks.items() if who}
    _change(session, message_id, marks=kept, seq=next_seq(session, row.channel))
    return True


def handed_over(session: Session, message_id: str) -> None:
    """The desk has the message."""
    statement = update(WebMessage).where(WebMessage.id == message_id).values(handed=True)  # type: ignore[arg-type]
    session.connection().execute(statement)


def not_handed_over(session: Session) -> list[WebMessage]:
    """Messages that were stored before a crash and may not have reached the desk, oldest first."""
    return list(session.exec(select(WebMessage).where(WebMessage.handed.is_(False)).order_by(WebMessage.number)))  # type: ignore[attr-defined,arg-type]


def timeline(session: Session, channel: str, before: int | None = None, limit: int = 50) -> list[WebMessage]:
    """The last top-level messages of a channel, oldest first; those before number `before` where it is given."""
    statement = select(WebMessage).where(WebMessage.channel == channel, WebMessage.thread == "")
    if before is not None:
        statement = statement.where(WebMessage.number < before)
    rows = session.exec(statement.order_by(WebMessage.number.desc()).limit(limit)).all()  # type: ignore[attr-defined]
    return list(reversed(rows))


def replies(session: Session, root: str, limit: int = 200) -> list[WebMessage]:
    """The last messages below a root, oldest first, without the root."""
    statement = select(WebMessage).where(WebMessage.thread == root)
    rows = session.exec(statement.order_by(WebMessage.number.desc()).limit(limit)).all()  # type: ignore[attr-defined]
    return list(reversed(rows))


def takes_part(session: Session, root: str) -> bool:
    """Whether Bosun has written in this thread or was addressed in it."""
    statement = select(WebMessage.id).where(
        or_(WebMessage.id == root, WebMessage.thread == root),  # type: ignore[arg-type]
        or_(WebMessage.author == BOSUN, WebMessage.addressed.is_(True)),  # type: ignore[attr-defined,arg-type]
    )
    return session.exec(statement.limit(1)).first() is not None


# -- what the browsers need to keep up --------------------------------------------------------------------------


def changes(session: Session, after: int, limit: int = 400) -> Changes:
    """What changed after number `after`, at most about `limit` of it; `upto` is the number to go on from."""

    def newer(table: type[T]) -> list[T]:
        seq = SQLModel.metadata.tables[str(table.__tablename__)].c.seq
        return list(session.exec(select(table).where(seq > after).order_by(seq).limit(limit)))

    messages, threads, pushes = newer(WebMessage), newer(WebThread), newer(WebPush)
    full = [rows[-1].seq for rows in (messages, threads, pushes) if len(rows) == limit]
    upto = min(full) if full else head(session)
    return Changes(
        [row for row in messages if row.seq <= upto],
        [row for row in threads if row.seq <= upto],
        [row for row in pushes if row.seq <= upto],
        upto,
    )


def set_thread_state(session: Session, channel: str, thread: str, state: str) -> None:
    """Show what Bosun is doing in a thread."""
    row = session.get(WebThread, (channel, thread))
    if row is not None and row.state == state:
        return
    seq = next_seq(session, channel)
    session.merge(WebThread(channel=channel, thread=thread, state=state, seq=seq))


def busy_threads(session: Session, channels: Collection[str]) -> list[WebThread]:
    """Threads of these channels in which Bosun works or waits."""
    statement = select(WebThread).where(WebThread.channel.in_(channels), WebThread.state != "active")  # type: ignore[attr-defined]
    return list(session.exec(statement))


def push(session: Session, row: WebPush) -> None:
    """Send a notice or a dialog; one that exists already is left as it is."""
    if session.get(WebPush, row.id) is None:
        row.seq = next_seq(session)
        session.add(row)


def notices(session: Session, person: str, limit: int = 30) -> list[WebPush]:
    """A person's last notices, newest first."""
    statement = select(WebPush).where(WebPush.person == person, WebPush.kind == "notice")
    return list(session.exec(statement.order_by(WebPush.seq.desc()).limit(limit)))  # type: ignore[attr-defined]


def notices_seen(session: Session, person: str, upto: int) -> None:
    """The person has seen the notices up to this number."""
    seen = update(WebPush).where(WebPush.person == person, WebPush.seq <= upto).values(seen=True)  # type: ignore[arg-type]
    session.connection().execute(seen)


def mark_read(session: Session, person: str, channel: str, number: int) -> None:
    """The person has read the channel up to message `number`; never goes back."""
    row = session.get(WebRead, (person, channel))
    if row is None:
        insert_new(session, WebRead, {"person": person, "channel": channel, "number": number})
    elif number > row.number:
        row.number = number
        session.add(row)


def unread(session: Session, person: str, channels: Collection[str]) -> set[str]:
    """Channels with messages of others that the person has not read."""
    read = select(WebRead.number).where(WebRead.person == person, WebRead.channel == WebMessage.channel)
    statement = (
        select(WebMessage.channel)
        .where(WebMessage.channel.in_(channels), WebMessage.author != person)  # type: ignore[attr-defined]
        .where(WebMessage.number > func.coalesce(read.scalar_subquery(), 0))
        .distinct()
    )
    return set(session.exec(statement))


# -- files and logins -------------------------------------------------------------------------------------------


def add_file(session: Session, row: WebFile) -> None:
    """Remember a file whose bytes are stored; one that exists already is left as it is."""
    insert_new(session, WebFile, row.model_dump())


def file(session: Session, file_id: str) -> WebFile | None:
    """The file with this id."""
    return session.get(WebFile, file_id)


def attach(session: Session, file_ids: Collection[str], owner: str, message_id: str) -> list[WebFile]:
    """Attach the owner's uploads to a message; returns them in the given order, without foreign or used ones."""
    rows = [session.get(WebFile, file_id) for file_id in file_ids]
    mine = [row for row in rows if row and row.owner == owner and row.message_id in (None, message_id)]
    for row in mine:
        row.message_id = message_id
        session.add(row)
    return mine


def use_login(session: Session, nonce: str, now: datetime) -> bool:
    """Use up a login link; False if it was used before."""
    return insert_new(session, WebLogin, {"nonce": nonce, "used_at": now})
