"""What the team knows: documents, who may read them, their chunks and vectors, and what each vector index holds.

These tables are the truth. The vector index and the index of words (knowledge_words) are made from them.
"""

from __future__ import annotations

import functools
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel

from kernel.store.columns import LargeBinary, Moment, SqlText
from kernel.store.database import insert_new
from kernel.store.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Result

BUILDING, READY = "building", "ready"  # states of a vector index


class DocumentRow(SQLModel, table=True):
    """A document. One row per (source, key), whatever its version."""

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("source", "key"), Index("document_kind", "kind"))

    id: str = Field(primary_key=True)
    source: str
    key: str
    kind: str
    title: str
    format: str
    origin: str
    author: str = ""
    text: str = Field(sa_type=SqlText)  # the whole text: a better way to cut it needs no source
    digest: str  # of everything that the chunks are made of
    url: str = Field(default="", sa_type=SqlText)  # opens the original; empty: our own page shows it
    version: str = Field(default="", sa_type=SqlText)  # the source's mark: unchanged, it is not read
    written_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class DocumentReader(SQLModel, table=True):
    """Somebody who may read a document. A document without a row here is read by nobody."""

    __tablename__ = "document_reader"
    __table_args__ = (Index("document_reader_by_reader", "reader", "document_id"),)

    document_id: str = Field(primary_key=True, sa_column_args=(ForeignKey("document.id", ondelete="CASCADE"),))
    reader: str = Field(primary_key=True)


class ChunkRow(SQLModel, table=True):
    """A piece of a document. Ids grow and are never used again: an index may hold one that is gone, never another's."""

    __tablename__ = "chunk"
    __table_args__ = (
        Index("chunk_of_document", "document_id", "number"),
        Index("chunk_digest", "digest"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    document_id: str = Field(sa_column_args=(ForeignKey("document.id", ondelete="CASCADE"),))
    number: int  # from 1; -3 is message 3 of a conversation together with its neighbours
    heading: str = Field(sa_type=SqlText)  # title and headings above it, one per line
    text: str = Field(sa_type=SqlText)
    digest: str  # of heading and text: the same digest, the same vector
    url: str = Field(default="", sa_type=SqlText)  # opens exactly this piece: the permalink of a message
    written_at: datetime | None = Field(default=None, sa_type=Moment)  # of this piece, where its source says so


class ChunkVector(SQLModel, table=True):
    """The vector of a chunk under one embedding model; while another one takes over, a chunk has two."""

    __tablename__ = "chunk_vector"
    __table_args__ = (Index("chunk_vector_of_chunk", "chunk_id"),)

    model: str = Field(primary_key=True)
    chunk_id: int = Field(primary_key=True, sa_column_args=(ForeignKey("chunk.id", ondelete="CASCADE"),))
    dimension: int
    data: bytes = Field(sa_type=LargeBinary)  # fp16, little-endian, of length 1


class VectorIndex(SQLModel, table=True):
    """A vector index: a folder of its own, or a collection of its own on a server. The id names it there."""

    __tablename__ = "vector_index"

    id: str = Field(primary_key=True)
    place: str = Field(index=True)  # which folder or server
    model: str
    embedder: str = Field(default="", sa_type=SqlText)  # the choice that embeds questions for it
    state: str = BUILDING
    touched_at: datetime = Field(sa_type=Moment)  # while it is built: its builder was alive then


class ChunkIndexed(SQLModel, table=True):
    """That an index holds a chunk. A row whose chunk is gone says what is still to be removed there."""

    __tablename__ = "chunk_indexed"

    index_id: str = Field(primary_key=True)
    chunk_id: int = Field(primary_key=True)


class NewChunk(NamedTuple):
    """A chunk to be stored."""

    number: int
    heading: str
    text: str
    digest: str
    url: str = ""
    written_at: datetime | None = None


class Found(NamedTuple):
    """A chunk that an index named, and whether the audience may read it."""

    id: int
    document_id: str
    number: int
    digest: str
    kind: str  # of its document
    allowed: bool


class ChunkText(NamedTuple):
    """A chunk with what is said about its document."""

    id: int
    document_id: str
    number: int
    heading: str
    text: str
    title: str
    origin: str
    kind: str
    author: str
    source: str
    key: str
    url: str  # opens the document's original
    opens: str  # opens exactly this piece
    written_at: datetime | None  # of the piece, or of its document
    updated_at: datetime


# -- statements -----------------------------------------------------------------------------------


_IN_SQLITE, _IN_POSTGRES = "IN (SELECT value FROM json_each(:{}))", "= ANY(:{})"


def run(session: Session, sql: str, **values: object) -> Result[*tuple[Any, ...]]:
    """Run `sql`; `IN :name` takes a list, as one parameter on both databases, so that the statement stays the same."""
    statement, values = _prepared(session, sql, values)
    return statement.run(session, values)


def change(session: Session, sql: str, **values: object) -> int:
    """The same for a statement that writes; returns how many rows it changed."""
    statement, values = _prepared(session, sql, values)
    return statement.count(session, values)


def _prepared(session: Session, sql: str, values: dict[str, object]) -> tuple[Prepared, dict[str, object]]:
    sqlite = session.get_bind().dialect.name == "sqlite"
    lists = tuple(name for name, value in values.items() if isinstance(value, list))
    if sqlite:
        values |= {name: orjson.dumps(values[name]).decode() for name in lists}
    return _statement(sql, lists, sqlite=sqlite), values


@functools.cache
def _statement(sql: str, lists: tuple[str, ...], *, sqlite: bool) -> Prepared:
    for name in lists:
        sql = sql.replace(f"IN :{name}", (_IN_SQLITE if sqlite else _IN_POSTGRES).format(name))
    return Prepared(text(sql))


# -- documents ------------------------------------------------------------------------------------


def claim(session: Session, new_id: str, values: Mapping[str, object]) -> tuple[DocumentRow, bool]:
    """The document with the source and key of `values`, locked until the commit, and whether it is new."""
    fresh = insert_new(session, DocumentRow, {"id": new_id, **values})
    lock = "" if session.get_bind().dialect.name == "sqlite" else "FOR UPDATE"
    sql = f"SELECT id FROM document WHERE source = :source AND key = :key {lock}"  # noqa: S608  a constant
    found = run(session, sql, source=values["source"], key=values["key"]).scalar_one()
    return session.get_one(DocumentRow, found), fresh


def set_readers(session: Session, document_id: str, readers: Sequence[str]) -> None:
    """Replace who may read a document."""
    run(session, "DELETE FROM document_reader WHERE document_id = :document", document=document_id)
    if readers:
        rows = [{"document": document_id, "reader": reader} for reader in dict.fromkeys(readers)]
        session.connection().execute(
            text("INSERT INTO document_reader (document_id, reader) VALUES (:document, :reader)"), rows
        )


def readers(session: Session, document_id: str) -> list[str]:
    """Who may read a document."""
    sql = "SELECT reader FROM document_reader WHERE document_id = :document ORDER BY reader"
    return [row[0] for row in run(session, sql, document=document_id)]


def replace_chunks(session: Session, document_id: str, chunks: Sequence[NewChunk], model: str) -> int:
    """Bring a document to the chunks of a new version. Returns how many of them have a vector of `model` already.

    A chunk that is as it was keeps its row, and so its vector and its place in every index.
    """
    moment, dialect = Moment(), session.get_bind().dialect
    wanted = {
        (chunk.number, chunk.digest, chunk.url, moment.process_bind_param(chunk.written_at, dialect)): chunk
        for chunk in chunks
    }
    sql = "SELECT id, number, digest, url, written_at FROM chunk WHERE document_id = :document"
    old: dict[int, tuple[object, ...]] = {row[0]: tuple(row[1:]) for row in run(session, sql, document=document_id)}
    kept = set(old.values()) & wanted.keys()
    gone = [chunk_id for chunk_id, known in old.items() if known not in kept]
    new = [
        {"document": document_id, **chunk._asdict(), "written_at": key[3]}
        for key, chunk in wanted.items()
        if key not in kept
    ]
    last = run(session, "SELECT coalesce(max(id), 0) FROM chunk").scalar_one()
    if new:
        session.connection().execute(
            text(
                "INSERT INTO chunk (document_id, number, heading, text, digest, url, written_at)"
                " VALUES (:document, :number, :heading, :text, :digest, :url, :written_at)"
            ),
            new,
        )
    _take_over_vectors(session, document_id, last, model)
    run(session, "DELETE FROM chunk WHERE id IN :gone", gone=gone)
    sql = (
        "SELECT count(*) FROM chunk c JOIN chunk_vector v ON v.chunk_id = c.id AND v.model = :model"
        " WHERE c.document_id = :document"
    )
    return int(run(session, sql, model=model, document=document_id).scalar_one())


def _take_over_vectors(session: Session, document_id: str, last: int, model: str) -> None:
    """New chunks whose text is known somewhere take over its vector."""
    run(
        session,
        "INSERT INTO chunk_vector (chunk_id, model, dimension, data)"
        " SELECT new.id, known.model, known.dimension, known.data FROM chunk new JOIN chunk_vector known"
        " ON known.model = :model AND known.chunk_id ="
        " (SELECT min(same.id) FROM chunk same JOIN chunk_vector v ON v.chunk_id = same.id AND v.model = :model"
        " WHERE same.digest = new.digest)"
        " WHERE new.document_id = :document AND new.id > :last",
        document=document_id,
        model=model,
        last=last,
    )


def forget(session: Session, document_id: str) -> bool:
    """Delete a document with all that is made from it; False if there is none."""
    run(session, "DELETE FROM chunk WHERE document_id = :document", document=document_id)
    return change(session, "DELETE FROM document WHERE id = :document", document=document_id) == 1


def keys(session: Session, source: str) -> dict[str, str]:
    """Key -> id of all documents of a source."""
    sql = "SELECT key, id FROM document WHERE source = :source"
    return {row[0]: row[1] for row in run(session, sql, source=source)}


def chunks(session: Session, document_id: str) -> list[tuple[int, str, str]]:
    """(number, heading, text) of a document's chunks, in order."""
    sql = "SELECT number, heading, text FROM chunk WHERE document_id = :document AND number > 0 ORDER BY number"
    return [(row[0], row[1], row[2]) for row in run(session, sql, document=document_id)]


def readable(session: Session, document_id: str, grants: list[str]) -> DocumentRow | None:
    """The document, if one of its readers is in `grants`."""
    sql = "SELECT 1 FROM document_reader WHERE document_id = :document AND reader IN :grants LIMIT 1"
    allowed = run(session, sql, document=document_id, grants=grants).first()
    return session.get(DocumentRow, document_id) if allowed else None


def digest_of(session: Session, source: str, key: str) -> str | None:
    """The digest of a document's content; None if it is not known."""
    sql = "SELECT digest FROM document WHERE source = :source AND key = :key"
    return run(session, sql, source=source, key=key).scalar()


def id_of(session: Session, source: str, key: str) -> str | None:
    """The id of a document; None if it is not known."""
    found: str | None = run(
        session, "SELECT id FROM document WHERE source = :source AND key = :key", source=source, key=key
    ).scalar()
    return found


def text_of(session: Session, source: str, key: str) -> tuple[str, str]:
    """The whole text of a document and its origin, locked until the commit; empty if it is not known."""
    lock = "" if session.get_bind().dialect.name == "sqlite" else "FOR UPDATE"
    sql = f"SELECT text, origin FROM document WHERE source = :source AND key = :key {lock}"  # noqa: S608  a constant
    found = run(session, sql, source=source, key=key).first()
    return (found[0], found[1]) if found is not None else ("", "")


def count_chunks(session: Session, document_id: str) -> int:
    """How many chunks a document has."""
    sql = "SELECT count(*) FROM chunk WHERE document_id = :document AND number > 0"
    return int(run(session, sql, document=document_id).scalar_one())


def counts(session: Session, model: str) -> tuple[int, int, int, int]:
    """Documents, chunks, chunks with a vector of `model`, and chunks in an index of it."""
    sql = (
        "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM chunk),"
        " (SELECT count(*) FROM chunk_vector WHERE model = :model),"
        " (SELECT count(DISTINCT i.chunk_id) FROM chunk_indexed i JOIN vector_index x ON x.id = i.index_id"
        "  JOIN chunk c ON c.id = i.chunk_id WHERE x.model = :model AND x.state = :ready)"
    )
    row = run(session, sql, model=model, ready=READY).one()
    return row[0], row[1], row[2], row[3]


# -- search ---------------------------------------------------------------------------------------

_ALLOWED = "EXISTS (SELECT 1 FROM document_reader r WHERE r.document_id = c.document_id AND r.reader IN :grants)"


def look_up(session: Session, ids: list[int], grants: list[str]) -> list[Found]:
    """The chunks among `ids` that exist, and whether an audience with `grants` may read each."""
    fields = f"c.id, c.document_id, c.number, c.digest, d.kind, {_ALLOWED}"
    sql = f"SELECT {fields} FROM chunk c JOIN document d ON d.id = c.document_id WHERE c.id IN :ids"  # noqa: S608  constants
    return [
        Found(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in run(session, sql, ids=ids, grants=grants)
    ]


def numbered(session: Session, documents: list[str], numbers: list[int]) -> list[tuple[int, str, int]]:
    """(chunk, document, number) of the chunks of `documents` that have one of `numbers`."""
    sql = "SELECT id, document_id, number FROM chunk WHERE document_id IN :documents AND number IN :numbers"
    return [(row[0], row[1], row[2]) for row in run(session, sql, documents=documents, numbers=numbers)]


def bodies(session: Session, ids: list[int]) -> dict[int, str]:
    """Id -> text of chunks, for ranking; nobody gets to read it from here."""
    return {row[0]: row[1] for row in run(session, "SELECT id, text FROM chunk WHERE id IN :ids", ids=ids)}


def readable_chunks(session: Session, grants: list[str], limit: int) -> list[int]:
    """Up to `limit` ids of chunks that an audience with `grants` may read."""
    sql = (
        "SELECT DISTINCT c.id FROM document_reader r JOIN chunk c ON c.document_id = r.document_id"
        " WHERE r.reader IN :grants LIMIT :limit"
    )
    return [row[0] for row in run(session, sql, grants=grants, limit=limit)]


def readers_of(session: Session, documents: list[str]) -> dict[str, tuple[str, ...]]:
    """Document -> who may read it, sorted."""
    sql = "SELECT document_id, reader FROM document_reader WHERE document_id IN :documents ORDER BY reader"
    found: dict[str, tuple[str, ...]] = {}
    for document, reader in run(session, sql, documents=documents):
        found[document] = (*found.get(document, ()), reader)
    return found


def readable_documents(session: Session, grants: list[str]) -> int:
    """How many documents an audience with `grants` may read."""
    sql = "SELECT count(DISTINCT document_id) FROM document_reader WHERE reader IN :grants"
    return int(run(session, sql, grants=grants).scalar_one())


def readable_coverage(session: Session, grants: list[str], model: str) -> tuple[int, int]:
    """How many chunks an audience with `grants` may read, and how many of them are in an index of `model`."""
    sql = (
        "SELECT count(DISTINCT c.id), count(DISTINCT i.chunk_id) FROM document_reader r"
        " JOIN chunk c ON c.document_id = r.document_id"
        " LEFT JOIN chunk_indexed i ON i.chunk_id = c.id AND i.index_id IN"
        " (SELECT id FROM vector_index WHERE model = :model AND state = :ready)"
        " WHERE r.reader IN :grants"
    )
    row = run(session, sql, grants=grants, model=model, ready=READY).one()
    return row[0], row[1]


def texts(session: Session, ids: list[int], grants: list[str]) -> dict[int, ChunkText]:
    """Those of the chunks with these ids that an audience with `grants` may read."""
    fields = (
        "c.id, c.document_id, c.number, c.heading, c.text, d.title, d.origin, d.kind, d.author, d.source, d.key, d.url,"
        " c.url, coalesce(c.written_at, d.written_at), d.updated_at"
    )
    joined = "chunk c JOIN document d ON d.id = c.document_id"
    sql = f"SELECT {fields} FROM {joined} WHERE c.id IN :ids AND {_ALLOWED}"  # noqa: S608  constants
    moment, dialect = Moment(), session.get_bind().dialect
    found = {}
    for *values, written_at, updated_at in run(session, sql, ids=ids, grants=grants):
        times = [moment.process_result_value(value, dialect) for value in (written_at, updated_at)]
        found[values[0]] = ChunkText._make((*values, *times))
    return found
