"""What was said in channels, as far as an audience may read it: every statement here asks for readers.

A message is a chunk of a document of the kind "chat" (`kernel.store.knowledge`): of its day's, its thread's, or both.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from kernel.store.columns import Moment
from kernel.store.knowledge import ChunkText, run, texts
from kernel.store.knowledge_words import matches_among

if TYPE_CHECKING:
    from sqlmodel import Session

_READABLE = (
    "d.kind = 'chat' AND EXISTS (SELECT 1 FROM document_reader r WHERE r.document_id = d.id AND r.reader IN :grants)"
)


class Said(NamedTuple):
    """Which messages are meant."""

    source: str = ""  # of one channel; empty: of all
    by: str = ""  # display name of who said it, as it begins the message; empty: anybody
    since: datetime | None = None  # from then on
    until: datetime | None = None  # before then


class Conversation(NamedTuple):
    """A day of a channel, or a thread."""

    id: str
    source: str
    key: str  # lane and day, or lane and thread
    origin: str
    text: str  # the messages, as knowledge.engine.conversation reads them


def search(session: Session, terms: list[str], grants: list[str], said: Said, limit: int) -> list[ChunkText]:
    """The messages that an audience with `grants` may read and that fit the terms best; without terms the last ones."""
    condition, values = _condition(session, said)
    chunks = f"SELECT c.id FROM chunk c JOIN document d ON d.id = c.document_id WHERE c.number > 0 AND {condition}"  # noqa: S608  constants
    if terms:
        hits = matches_among(session, terms, limit, f"IN ({chunks})", grants=grants, **values)
        ids = [hit.id for hit in hits]
    else:
        sql = f"{chunks} ORDER BY c.written_at DESC, c.id DESC LIMIT :limit"
        ids = [row[0] for row in run(session, sql, grants=grants, limit=limit, **values)]
    found = texts(session, ids, grants)
    return [found[each] for each in ids if each in found]


def conversations(session: Session, grants: list[str], said: Said) -> list[Conversation]:
    """The conversations with such messages that an audience with `grants` may read."""
    condition, values = _condition(session, said)
    return _conversations(session, condition, grants=grants, **values)


def around(session: Session, grants: list[str], link: str) -> list[Conversation]:
    """The conversations with the message of this permalink that an audience with `grants` may read."""
    return _conversations(session, f"{_READABLE} AND c.url = :link", grants=grants, link=link)


def of_key(session: Session, grants: list[str], key: str) -> list[Conversation]:
    """The conversation of this key, if an audience with `grants` may read it."""
    return _conversations(session, f"{_READABLE} AND d.key = :key", grants=grants, key=key)


def _conversations(session: Session, condition: str, **values: object) -> list[Conversation]:
    sql = (
        "SELECT DISTINCT d.id, d.source, d.key, d.origin, d.text FROM document d"  # noqa: S608  constants
        f" JOIN chunk c ON c.document_id = d.id WHERE {condition} ORDER BY d.key"
    )
    return [Conversation(*row) for row in run(session, sql, **values)]


def channels(session: Session, grants: list[str]) -> list[str]:
    """The sources with something that was said and that an audience with `grants` may read."""
    sql = f"SELECT DISTINCT d.source FROM document d WHERE {_READABLE} ORDER BY d.source"  # noqa: S608  constants
    return [row[0] for row in run(session, sql, grants=grants)]


def _condition(session: Session, said: Said) -> tuple[str, dict[str, object]]:
    """The SQL for which messages are meant, on chunk `c` of document `d`, and its values."""
    parts, values = [_READABLE], dict[str, object]()
    if said.source:
        parts.append("d.source = :source")
        values["source"] = said.source
    if said.by:
        parts.append("substr(c.text, 1, :length) = :begins")
        values |= {"begins": f"{said.by} (", "length": len(said.by) + 2}
    moment, dialect = Moment(), session.get_bind().dialect
    for name, operator, value in (("since", ">=", said.since), ("until", "<", said.until)):
        if value is not None:
            parts.append(f"c.written_at {operator} :{name}")
            values[name] = moment.process_bind_param(value, dialect)
    return " AND ".join(parts), values
