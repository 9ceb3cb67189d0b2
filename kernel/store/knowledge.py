"""What the team knows: documents, who may read them, their chunks and vectors, and what each vector index holds.

These tables are the truth. The vector index and the index of words (knowledge_words) are made from them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel

from kernel.store.columns import LargeBinary, Moment, SqlText
from kernel.store.database import insert_new

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import CursorResult

BUILDING, READY = "building", "ready"  # states of a vector index


class DocumentRow(SQLModel, table=True):
    """A document. One row per (source, key), whatever its version."""

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("source", "key"),)

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
    number: int  # from 1
    heading: str = Field(sa_type=SqlText)  # title and headings above it, one per line
    text: str = Field(sa_type=SqlText)
    digest: str  # of heading and text: the same digest, the same vector


class ChunkVector(SQLModel, table=True):
    """The vector of a chunk under one embedding model."""

    __tablename__ = "chunk_vector"

    chunk_id: int = Field(primary_key=True, sa_column_args=(ForeignKey("chunk.id", ondelete="CASCADE"),))
    model: str
    dimension: int
    data: bytes = Field(sa_type=LargeBinary)  # fp16, little-endian, of length 1


class VectorIndex(SQLModel, table=True):
    """A vector index: a folder of its own, or a collection of its own on a server. The id names it there."""

    __tablename__ = "vector_index"

    id: str = Field(primary_key=True)
    place: str = Field(index=True)  # which folder or server
    model: str
    state: str = BUILDING
    touched_at: datetime = Field(sa_type=Moment)  # while it is built: its builder was alive then


class ChunkIndexed(SQLModel, table=True):
    """That an index holds a chunk. A row whose chunk is gone says what is still to be removed there."""

    __tablename__ = "chunk_indexed"

    index_id: str = Field(primary_key=True)
    chunk_id: int = Field(primary_key=True)


class NewChunk(NamedTuple):
    """A chunk to be stored."""

    heading: str
    text: str
    digest: str


class Found(NamedTuple):
    """A chunk that an index named, and whether the audience may read it."""

    id: int
    document_id: str
    digest: str
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
    updated_at: datetime


# -- statements -----------------------------------------------------------------------------------


_IN_SQLITE, _IN_POSTGRES = "IN (SELECT value FROM json_each(:{}))", "= ANY(:{})"


def run(session: Session, sql: str, **values: object) -> CursorResult[*tuple[Any, ...]]:
    """Run `sql`; `IN :name` takes a list, as one parameter on both databases, so that the statement stays the same."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = orjson.dumps(value).decode() if sqlite else value
            sql = sql.replace(f"IN :{name}", (_IN_SQLITE if sqlite else _IN_POSTGRES).format(name))
    return session.connection().execute(text(sql), values)


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
    """Store the chunks of a new version; those whose text has a vector of `model` keep it. Returns how many."""
    old = "SELECT coalesce(max(id), 0) FROM chunk WHERE document_id = :document"
    last = run(session, old, document=document_id).scalar_one()
    if chunks:
        session.connection().execute(
            text(
                "INSERT INTO chunk (document_id, number, heading, text, digest)"
                " VALUES (:document, :number, :heading, :text, :digest)"
            ),
            [{"document": document_id, "number": n, **chunk._asdict()} for n, chunk in enumerate(chunks, 1)],
        )
    reused = run(
        session,
        "INSERT INTO chunk_vector (chunk_id, model, dimension, data)"
        " SELECT new.id, known.model, known.dimension, known.data FROM chunk new JOIN chunk_vector known"
        " ON known.chunk_id = (SELECT min(same.id) FROM chunk same JOIN chunk_vector v ON v.chunk_id = same.id"
        " WHERE same.digest = new.digest AND v.model = :model)"
        " WHERE new.document_id = :document AND new.id > :last",
        document=document_id,
        model=model,
        last=last,
    ).rowcount
    run(session, "DELETE FROM chunk WHERE document_id = :document AND id <= :last", document=document_id, last=last)
    return reused


def forget(session: Session, document_id: str) -> bool:
    """Delete a document with all that is made from it; False if there is none."""
    run(session, "DELETE FROM chunk WHERE document_id = :document", document=document_id)
    return run(session, "DELETE FROM document WHERE id = :document", document=document_id).rowcount == 1


def keys(session: Session, source: str) -> dict[str, str]:
    """Key -> id of all documents of a source."""
    sql = "SELECT key, id FROM document WHERE source = :source"
    return {row[0]: row[1] for row in run(session, sql, source=source)}


def chunks(session: Session, document_id: str) -> list[tuple[int, str, str]]:
    """(number, heading, text) of a document's chunks, in order."""
    sql = "SELECT number, heading, text FROM chunk WHERE document_id = :document ORDER BY number"
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


def count_chunks(session: Session, document_id: str) -> int:
    """How many chunks a document has."""
    sql = "SELECT count(*) FROM chunk WHERE document_id = :document"
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
    sql = f"SELECT c.id, c.document_id, c.digest, {_ALLOWED} FROM chunk c WHERE c.id IN :ids"  # noqa: S608  constants
    return [Found(row[0], row[1], row[2], bool(row[3])) for row in run(session, sql, ids=ids, grants=grants)]


def readable_chunks(session: Session, grants: list[str], limit: int) -> list[int]:
    """Up to `limit` ids of chunks that an audience with `grants` may read."""
    sql = (
        "SELECT DISTINCT c.id FROM document_reader r JOIN chunk c ON c.document_id = r.document_id"
        " WHERE r.reader IN :grants LIMIT :limit"
    )
    return [row[0] for row in run(session, sql, grants=grants, limit=limit)]


def readable_documents(session: Session, grants: list[str]) -> int:
    """How many documents an audience with `grants` may read."""
    sql = "SELECT count(DISTINCT document_id) FROM document_reader WHERE reader IN :grants"
    return int(run(session, sql, grants=grants).scalar_one())


def texts(session: Session, ids: list[int]) -> dict[int, ChunkText]:
    """The chunks with these ids."""
    sql = (
        "SELECT c.id, c.document_id, c.number, c.heading, c.text, d.title, d.origin, d.kind, d.author, d.updated_at"
        " FROM chunk c JOIN document d ON d.id = c.document_id WHERE c.id IN :ids"
    )
    moment, dialect = Moment(), session.get_bind().dialect
    found = {}
    for *fields, updated_at in run(session, sql, ids=ids):
        found[fields[0]] = ChunkText._make((*fields, moment.process_result_value(updated_at, dialect)))
    return found


# -- vectors and their indexes --------------------------------------------------------------------


def vectors(session: Session, ids: list[int], model: str) -> list[tuple[int, bytes]]:
    """(chunk, vector) of those of `ids` that have a vector of `model`."""
    sql = "SELECT chunk_id, data FROM chunk_vector WHERE chunk_id IN :ids AND model = :model ORDER BY chunk_id"
    return [(row[0], row[1]) for row in run(session, sql, ids=ids, model=model)]


def to_embed(session: Session, model: str, after: int, limit: int) -> list[tuple[int, str, str]]:
    """(id, heading, text) of chunks beyond `after` that have no vector of `model`, oldest first."""
    sql = (
        "SELECT c.id, c.heading, c.text FROM chunk c LEFT JOIN chunk_vector v ON v.chunk_id = c.id AND v.model = :model"
        " WHERE c.id > :after AND v.chunk_id IS NULL ORDER BY c.id LIMIT :limit"
    )
    return [(row[0], row[1], row[2]) for row in run(session, sql, model=model, after=after, limit=limit)]


def save_vectors(session: Session, model: str, dimension: int, made: Sequence[tuple[int, bytes]]) -> None:
    """Store vectors; those of chunks that were deleted meanwhile are dropped."""
    sql = (
        "INSERT INTO chunk_vector (chunk_id, model, dimension, data)"
        " SELECT id, :model, :dimension, :data FROM chunk WHERE id = :chunk"
        " ON CONFLICT (chunk_id) DO UPDATE SET"
        " model = excluded.model, dimension = excluded.dimension, data = excluded.data"
    )
    for chunk_id, data in made:
        run(session, sql, chunk=chunk_id, model=model, dimension=dimension, data=data)


def to_index(session: Session, index_id: str, model: str, after: int, limit: int) -> list[tuple[int, bytes]]:
    """(chunk, vector) of chunks beyond `after` that the index does not hold yet, oldest first."""
    sql = (
        "SELECT v.chunk_id, v.data FROM chunk_vector v"
        " LEFT JOIN chunk_indexed i ON i.chunk_id = v.chunk_id AND i.index_id = :index"
        " WHERE v.chunk_id > :after AND v.model = :model AND i.chunk_id IS NULL ORDER BY v.chunk_id LIMIT :limit"
    )
    found = run(session, sql, index=index_id, model=model, after=after, limit=limit)
    return [(row[0], row[1]) for row in found]


def mark_indexed(session: Session, index_id: str, ids: Sequence[int]) -> None:
    """The index holds these chunks."""
    sql = "INSERT INTO chunk_indexed (index_id, chunk_id) VALUES (:index, :chunk) ON CONFLICT DO NOTHING"
    session.connection().execute(text(sql), [{"index": index_id, "chunk": chunk_id} for chunk_id in ids])


def to_remove(session: Session, index_id: str, limit: int) -> list[int]:
    """Chunks that the index holds and that are gone."""
    sql = (
        "SELECT i.chunk_id FROM chunk_indexed i LEFT JOIN chunk c ON c.id = i.chunk_id"
        " WHERE i.index_id = :index AND c.id IS NULL LIMIT :limit"
    )
    return [row[0] for row in run(session, sql, index=index_id, limit=limit)]


def mark_removed(session: Session, index_id: str, ids: list[int]) -> None:
    """The index no longer holds these chunks."""
    run(session, "DELETE FROM chunk_indexed WHERE index_id = :index AND chunk_id IN :ids", index=index_id, ids=ids)


def indexed(session: Session, index_id: str, after: int, limit: int) -> list[int]:
    """Ids beyond `after` that the index should hold, in order."""
    sql = (
        "SELECT chunk_id FROM chunk_indexed WHERE index_id = :index AND chunk_id > :after"
        " ORDER BY chunk_id LIMIT :limit"
    )
    return [row[0] for row in run(session, sql, index=index_id, after=after, limit=limit)]


def indexes(session: Session, place: str) -> list[VectorIndex]:
    """The vector indexes of a place, newest first."""
    ids = run(session, "SELECT id FROM vector_index WHERE place = :place ORDER BY id DESC", place=place)
    return [session.get_one(VectorIndex, row[0]) for row in ids.all()]


def create_index(session: Session, index_id: str, place: str, model: str, now: datetime) -> None:
    """Record an index that is going to be filled."""
    session.add(VectorIndex(id=index_id, place=place, model=model, state=BUILDING, touched_at=now))


def touch_index(session: Session, index_id: str, now: datetime) -> bool:
    """Its builder is alive; False if somebody dropped the index."""
    moment = Moment().process_bind_param(now, session.get_bind().dialect)
    sql = "UPDATE vector_index SET touched_at = :now WHERE id = :index"
    return run(session, sql, now=moment, index=index_id).rowcount == 1


def switch_index(session: Session, index_id: str) -> None:
    """From now on this index is the one that is searched."""
    run(session, "UPDATE vector_index SET state = :ready WHERE id = :index", ready=READY, index=index_id)


def drop_index(session: Session, index_id: str) -> None:
    """Forget an index and what it held."""
    run(session, "DELETE FROM chunk_indexed WHERE index_id = :index", index=index_id)
    run(session, "DELETE FROM vector_index WHERE id = :index", index=index_id)
