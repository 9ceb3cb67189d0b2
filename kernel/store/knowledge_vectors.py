"""Vectors of chunks, and what each vector index holds of them. The tables stand in knowledge.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store.columns import Moment
from kernel.store.knowledge import BUILDING, READY, VectorIndex, change, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlmodel import Session


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
        " SELECT id, :model, :dimension, :data FROM chunk WHERE id = :chunk /* locked */"
        " ON CONFLICT (model, chunk_id) DO UPDATE SET dimension = excluded.dimension, data = excluded.data"
    )
    if session.get_bind().dialect.name != "sqlite":  # whoever deletes the chunk is waited for: nothing is stored then
        sql = sql.replace("/* locked */", "FOR KEY SHARE")
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


_MARK_SQLITE = (
    "INSERT INTO chunk_indexed (index_id, chunk_id) SELECT :index, value FROM json_each(:ids) WHERE true"
    " ON CONFLICT DO NOTHING"
)
_MARK_POSTGRES = (
    "INSERT INTO chunk_indexed (index_id, chunk_id) SELECT :index, unnest(CAST(:ids AS integer[]))"
    " ON CONFLICT DO NOTHING"
)


def mark_indexed(session: Session, index_id: str, ids: list[int]) -> None:
    """The index holds these chunks."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    run(session, _MARK_SQLITE if sqlite else _MARK_POSTGRES, index=index_id, ids=ids)


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


def chunks_among(session: Session, ids: list[int]) -> set[int]:
    """Those of `ids` that there are chunks of."""
    return {row[0] for row in run(session, "SELECT id FROM chunk WHERE id IN :ids", ids=ids)}


def indexes(session: Session, place: str) -> list[VectorIndex]:
    """The vector indexes of a place, newest first."""
    ids = run(session, "SELECT id FROM vector_index WHERE place = :place ORDER BY id DESC", place=place)
    found = (session.get(VectorIndex, row[0]) for row in ids.all())
    return [index for index in found if index is not None]  # another process may have dropped one meanwhile


def create_index(session: Session, index_id: str, place: str, model: str, embedder: str, now: datetime) -> None:  # noqa: PLR0917  a row
    """Record an index that is going to be filled."""
    session.add(VectorIndex(id=index_id, place=place, model=model, embedder=embedder, state=BUILDING, touched_at=now))


def drop_vectors(session: Session, model: str, limit: int) -> int:
    """Delete some vectors of all models but `model`, and say how many; 0 when none are left."""
    sql = (
        "DELETE FROM chunk_vector WHERE model <> :model AND chunk_id IN"
        " (SELECT chunk_id FROM chunk_vector WHERE model <> :model ORDER BY chunk_id LIMIT :limit)"
    )
    return change(session, sql, model=model, limit=limit)


def touch_index(session: Session, index_id: str, now: datetime) -> bool:
    """Its builder is alive; False if somebody dropped the index."""
    moment = Moment().process_bind_param(now, session.get_bind().dialect)
    sql = "UPDATE vector_index SET touched_at = :now WHERE id = :index"
    return change(session, sql, now=moment, index=index_id) == 1


def switch_index(session: Session, index_id: str) -> None:
    """From now on this index is the one that is searched."""
    run(session, "UPDATE vector_index SET state = :ready WHERE id = :index", ready=READY, index=index_id)


def drop_index(session: Session, index_id: str) -> None:
    """Forget an index and what it held."""
    run(session, "DELETE FROM chunk_indexed WHERE index_id = :index", index=index_id)
    run(session, "DELETE FROM vector_index WHERE id = :index", index=index_id)
