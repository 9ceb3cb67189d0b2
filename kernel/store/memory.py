"""What Bosun was told to remember: facts with author, date, source and readers; and which fact replaced which.

Each current fact is also a document of the knowledge base, with the same id: that is what searches find. A fact that
was replaced is no document any more, only the history of the one that replaced it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment, SqlText
from kernel.store.knowledge import run


class Memory(SQLModel, table=True):
    """A fact."""

    __tablename__ = "memory"
    __table_args__ = (
        UniqueConstraint("ref"),
        Index("memory_subject", "subject"),
        Index("memory_lane", "lane", "thread"),
    )

    id: str = Field(primary_key=True)  # of its document
    ref: str  # "M-7F3K"
    kind: str  # fact, preference, decision, correction
    about: str = Field(sa_type=SqlText)  # what it is about, in a few words
    subject: str = Field(sa_type=SqlText)  # `about` in its plainest form: two facts with the same one contradict
    text: str = Field(sa_type=SqlText)
    readers: Any = Field(sa_type=JsonText)  # sorted
    origin: str
    author: str = Field(sa_type=SqlText)  # for people
    author_id: str  # Person id
    source: str = Field(default="", sa_type=SqlText)  # the run or message that it comes from, for people
    url: str = Field(default="", sa_type=SqlText)  # opens that
    lane: str = ""  # where it was said
    thread: str = ""
    created_at: datetime = Field(sa_type=Moment)
    replaced_by: str | None = None  # id of the newer fact


def get(session: Session, memory_id: str) -> Memory | None:
    """The memory with this id."""
    return session.get(Memory, memory_id)


def by_ref(session: Session, ref: str) -> Memory | None:
    """The memory with this reference."""
    return session.exec(select(Memory).where(Memory.ref == ref)).first()


def current(session: Session, subject: str, readers: list[str]) -> list[Memory]:
    """The current facts about a subject with exactly these readers: never another's."""
    found = session.exec(select(Memory).where(Memory.subject == subject, col(Memory.replaced_by).is_(None)))
    return [memory for memory in found if memory.readers == readers]


def newest(session: Session, readers: list[str], limit: int) -> list[Memory]:
    """The current facts with exactly these readers, the newest first."""
    found = session.exec(
        select(Memory)
        .where(Memory.readers == readers, col(Memory.replaced_by).is_(None))
        .order_by(col(Memory.created_at).desc(), col(Memory.id).desc())
        .limit(limit)
    )
    return list(found)


_READABLE = (
    "SELECT m.id FROM memory m WHERE m.replaced_by IS NULL /* chosen */"
    " AND EXISTS (SELECT 1 FROM document_reader r WHERE r.document_id = m.id AND r.reader IN :grants)"
    " ORDER BY m.created_at DESC, m.id DESC LIMIT :limit"
)


def readable(session: Session, grants: list[str], limit: int) -> list[Memory]:
    """The current facts that an audience with `grants` may read, newest first."""
    return _readable(session, "", grants=grants, limit=limit)


def preferences(session: Session, author_id: str, grants: list[str], limit: int) -> list[Memory]:
    """The current preferences of one person that an audience with `grants` may read, newest first."""
    mine = " AND m.kind = 'preference' AND m.author_id = :author"
    return _readable(session, mine, author=author_id, grants=grants, limit=limit)


def _readable(session: Session, chosen: str, **values: object) -> list[Memory]:
    """The current facts for which `chosen`, a constant piece of SQL, holds as well."""
    found = run(session, _READABLE.replace("/* chosen */", chosen), **values).all()
    return [session.get_one(Memory, row[0]) for row in found]


def of_thread(session: Session, lane: str, thread: str) -> list[Memory]:
    """The current facts that were said in a thread, newest first."""
    return list(
        session.exec(
            select(Memory)
            .where(Memory.lane == lane, Memory.thread == thread, col(Memory.replaced_by).is_(None))
            .order_by(col(Memory.created_at).desc(), col(Memory.id).desc())
        )
    )


def history(session: Session, memory_id: str) -> list[Memory]:
    """What this fact has replaced, newest first."""
    found: list[Memory] = []
    wanted = [memory_id]
    while wanted:
        older = list(session.exec(select(Memory).where(col(Memory.replaced_by).in_(wanted))))
        found += older
        wanted = [memory.id for memory in older]
    return sorted(found, key=lambda memory: memory.created_at, reverse=True)


def delete(session: Session, memory_id: str) -> None:
    """Remove a fact with everything that it has replaced."""
    for memory in history(session, memory_id):
        session.delete(memory)
    found = session.get(Memory, memory_id)
    if found is not None:
        session.delete(found)


class Use(SQLModel, table=True):
    """How often passages of a kind were put before a model, and how often its answer cited them."""

    __tablename__ = "knowledge_use"

    kind: str = Field(primary_key=True)
    offered: int = 0
    cited: int = 0


def uses(session: Session) -> dict[str, tuple[int, int]]:
    """Kind -> (offered, cited)."""
    found = run(session, "SELECT kind, offered, cited FROM knowledge_use")
    return {kind: (offered, cited) for kind, offered, cited in found}


def count_use(session: Session, kind: str, offered: int, cited: int) -> None:
    """Add to the counts of a kind."""
    sql = (
        "INSERT INTO knowledge_use (kind, offered, cited) VALUES (:kind, :offered, :cited)"
        " ON CONFLICT (kind) DO UPDATE SET offered = knowledge_use.offered + :offered,"
        " cited = knowledge_use.cited + :cited"
    )
    run(session, sql, kind=kind, offered=offered, cited=cited)
