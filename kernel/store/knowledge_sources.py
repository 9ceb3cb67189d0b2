"""The sources of knowledge: how each stands, which pieces of it could not be read, and what is cut off.

A source that is cut off keeps its documents, but nobody is a reader of them: no path can find them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import orjson
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import Moment, SqlText
from kernel.store.database import insert_new
from kernel.store.knowledge import change, run

if TYPE_CHECKING:
    from collections.abc import Sequence

WAITING, READING, READY, AWAY, CUT_OFF = "waiting", "reading", "ready", "away", "cut off"
OFF = "off:"  # in front of a reader: nobody is one


class SourceRow(SQLModel, table=True):
    """A source that was set up."""

    __tablename__ = "knowledge_source"

    name: str = Field(primary_key=True)
    kind: str
    title: str = Field(sa_type=SqlText)
    state: str = WAITING
    problem: str = Field(default="", sa_type=SqlText)
    done: int = 0  # pieces of the current or last reading
    total: int = 0
    cursor: str = Field(default="", sa_type=SqlText)  # how far a source that is read in parts has come
    checked_at: datetime | None = Field(default=None, sa_type=Moment)
    fresh_at: datetime | None = Field(default=None, sa_type=Moment)  # something in it was new then
    due_at: datetime | None = Field(default=None, sa_type=Moment)  # when it is looked at again


class Failure(SQLModel, table=True):
    """A piece of a source that could not be read, and the version of it that could not."""

    __tablename__ = "knowledge_failure"

    source: str = Field(primary_key=True)
    key: str = Field(primary_key=True, sa_type=SqlText)
    version: str = Field(default="", sa_type=SqlText)
    reason: str = Field(sa_type=SqlText)
    hint: str = Field(default="", sa_type=SqlText)
    failed_at: datetime = Field(sa_type=Moment)


class Held(NamedTuple):
    """A document of a source."""

    id: str
    version: str


def register(session: Session, name: str, kind: str, title: str, due_at: datetime | None) -> SourceRow:
    """The row of a source, made where it is new."""
    values = {"name": name, "kind": kind, "title": title, "state": WAITING, "problem": "", "done": 0, "total": 0}
    insert_new(session, SourceRow, {**values, "cursor": "", "due_at": due_at})
    row = session.get_one(SourceRow, name)
    row.kind, row.title = kind, title
    session.add(row)
    return row


def is_due(session: Session, name: str, now: datetime) -> bool:
    """Whether a source is to be read now, as one that is new is."""
    found = session.get(SourceRow, name)
    return found is None or found.due_at is None or found.due_at <= now


def claim(session: Session, name: str, now: datetime, until: datetime) -> bool:
    """Take a source that is due; False where it is not, or another process was first. It is due again at `until`."""
    sql = "UPDATE knowledge_source SET due_at = :until WHERE name = :name AND (due_at IS NULL OR due_at <= :now)"
    return change(session, sql, name=name, **_moments(session, now=now, until=until)) == 1


def postpone(session: Session, name: str, now: datetime, until: datetime) -> None:
    """A source that is being read, or was, is due at `until`; where somebody asked for it meanwhile, it stays due."""
    sql = "UPDATE knowledge_source SET due_at = :until WHERE name = :name AND due_at > :now"
    run(session, sql, name=name, **_moments(session, now=now, until=until))


def _moments(session: Session, **times: datetime) -> dict[str, object]:
    moment, dialect = Moment(), session.get_bind().dialect
    return {name: moment.process_bind_param(value, dialect) for name, value in times.items()}


def move_cursor(session: Session, name: str, cursor: str) -> None:
    """Remember how far a source was read."""
    run(session, "UPDATE knowledge_source SET cursor = :cursor WHERE name = :name", cursor=cursor, name=name)


def make_due(session: Session, name: str, now: datetime) -> None:
    """Have a source looked at as soon as possible."""
    row = session.get(SourceRow, name)
    if row is not None:
        row.due_at = now
        session.add(row)


def progress(session: Session, name: str, done: int, total: int) -> None:
    """How far the reading of a source has come."""
    sql = "UPDATE knowledge_source SET state = :state, done = :done, total = :total WHERE name = :name"
    run(session, sql, state=READING, done=done, total=total, name=name)


def finish(session: Session, name: str, *, state: str, problem: str, now: datetime, fresh: bool) -> None:
    """The end of a reading."""
    row = session.get(SourceRow, name)
    if row is None:
        return
    was_off = row.state == CUT_OFF
    row.state, row.problem, row.checked_at = state, problem, now
    if fresh:
        row.fresh_at = now
    session.add(row)
    if state == CUT_OFF and not was_off:
        suspend(session, name)
    elif state == READY:
        resume(session, name)


def suspend(session: Session, source: str) -> None:
    """From now on nobody reads the documents of the source."""
    sql = (
        "UPDATE document_reader SET reader = :off || reader WHERE reader NOT LIKE :like"
        " AND document_id IN (SELECT id FROM document WHERE source = :source)"
    )
    run(session, sql, off=OFF, like=f"{OFF}%", source=source)


def resume(session: Session, source: str) -> None:
    """Its readers read them again."""
    sql = (
        "UPDATE document_reader SET reader = substr(reader, :after) WHERE reader LIKE :like"
        " AND document_id IN (SELECT id FROM document WHERE source = :source)"
    )
    run(session, sql, after=len(OFF) + 1, like=f"{OFF}%", source=source)


def row(session: Session, name: str) -> SourceRow | None:
    """One source."""
    return session.get(SourceRow, name)


def every(session: Session) -> list[SourceRow]:
    """All sources, by name."""
    return list(session.exec(select(SourceRow).order_by(col(SourceRow.name))))


def drop(session: Session, name: str) -> None:
    """Forget a source; its documents are forgotten one by one before."""
    run(session, "DELETE FROM knowledge_failure WHERE source = :name", name=name)
    run(session, "DELETE FROM knowledge_source WHERE name = :name", name=name)


def held(session: Session, source: str) -> dict[str, Held]:
    """Key -> what is known of each document of a source."""
    sql = "SELECT key, id, version FROM document WHERE source = :source"
    return {found[0]: Held(found[1], found[2]) for found in run(session, sql, source=source)}


def version_of(session: Session, source: str, key: str) -> str:
    """The version of a document that is known; empty where there is none."""
    sql = "SELECT version FROM document WHERE source = :source AND key = :key"
    return run(session, sql, source=source, key=key).scalar() or ""


def forget_version(session: Session, document_id: str) -> None:
    """Have a document read again."""
    run(session, "UPDATE document SET version = '' WHERE id = :id", id=document_id)


def readers_of(session: Session, source: str) -> dict[str, frozenset[str]]:
    """Document -> its readers, also where they are suspended, of all documents of a source."""
    sql = (
        "SELECT r.document_id, r.reader FROM document_reader r JOIN document d ON d.id = r.document_id"
        " WHERE d.source = :source"
    )
    found: dict[str, frozenset[str]] = {}
    for document, reader in run(session, sql, source=source):
        found[document] = found.get(document, frozenset()) | {reader.removeprefix(OFF)}
    return found


def holding(session: Session, prefix: str, message: str) -> list[tuple[str, str]]:
    """(source, key) of the conversations of sources whose name begins with `prefix` that hold a message."""
    find = "instr" if session.get_bind().dialect.name == "sqlite" else "strpos"
    sql = (
        "SELECT source, key FROM document WHERE kind = 'chat' AND substr(source, 1, :length) = :prefix"  # noqa: S608  constants
        f" AND {find}(text, :needle) > 0 ORDER BY source, key"
    )
    needle = f'"id":{orjson.dumps(message).decode()}'
    return [(found[0], found[1]) for found in run(session, sql, length=len(prefix), prefix=prefix, needle=needle)]


def documents(session: Session, prefix: str) -> list[str]:
    """Ids of the documents of all sources whose name begins with `prefix`."""
    sql = "SELECT id FROM document WHERE substr(source, 1, :length) = :prefix"
    return [found[0] for found in run(session, sql, length=len(prefix), prefix=prefix)]


def counts(session: Session) -> dict[str, int]:
    """Source -> how many documents it has."""
    return {found[0]: found[1] for found in run(session, "SELECT source, count(*) FROM document GROUP BY source")}


def readable_counts(session: Session, grants: list[str]) -> dict[str, int]:
    """Source -> how many of its documents an audience with `grants` may read."""
    sql = (
        "SELECT d.source, count(*) FROM document d WHERE EXISTS (SELECT 1 FROM document_reader r"
        " WHERE r.document_id = d.id AND r.reader IN :grants) GROUP BY d.source"
    )
    return {found[0]: found[1] for found in run(session, sql, grants=grants)}


def readable_titles(session: Session, grants: list[str], kinds: list[str], most: int) -> list[tuple[str, str]]:
    """Id and title of documents of these kinds that an audience with `grants` may read, those changed last first."""
    sql = (
        "SELECT d.id, d.title FROM document d WHERE d.kind IN :kinds AND EXISTS (SELECT 1 FROM document_reader r"
        " WHERE r.document_id = d.id AND r.reader IN :grants) ORDER BY d.updated_at DESC, d.title LIMIT :most"
    )
    return [(found[0], found[1]) for found in run(session, sql, grants=grants, kinds=kinds, most=most)]


def failures(session: Session, source: str = "") -> list[Failure]:
    """What could not be read, of one source or of all."""
    statement = select(Failure).order_by(col(Failure.source), col(Failure.key))
    return list(session.exec(statement.where(Failure.source == source) if source else statement))


def readable_failures(session: Session, grants: list[str]) -> list[Failure]:
    """What could not be read, without what is known in an older version that an audience with `grants` may not read."""
    sql = (
        "SELECT f.source, f.key FROM knowledge_failure f JOIN document d ON d.source = f.source AND d.key = f.key"
        " WHERE NOT EXISTS (SELECT 1 FROM document_reader r WHERE r.document_id = d.id AND r.reader IN :grants)"
    )
    hidden = {(found[0], found[1]) for found in run(session, sql, grants=grants)}
    return [failure for failure in failures(session) if (failure.source, failure.key) not in hidden]


def settle_failures(session: Session, source: str, failed: Sequence[Failure], gone: list[str]) -> None:
    """Record what could not be read, and forget the failures of what could, or is no longer there."""
    run(session, "DELETE FROM knowledge_failure WHERE source = :source AND key IN :gone", source=source, gone=gone)
    for failure in failed:
        session.merge(failure)
