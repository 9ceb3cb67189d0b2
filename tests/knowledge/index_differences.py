"""What differs between a vector index and the database, looked up in Chroma itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kernel.clock import SystemIds
from kernel.store import knowledge as rows
from kernel.store import knowledge_vectors as stored
from knowledge.engine.chroma import PREFIX
from knowledge.engine.embedding import WORDS
from knowledge.engine.index_files import index_place
from knowledge.engine.vector_lines import ThreadLine
from knowledge.engine.vectors import VectorClient

if TYPE_CHECKING:
    from kernel.store import Store


async def differences(store: Store, folder: Path, chroma_url: str | None = None) -> list[str]:
    """What differs between Chroma itself and the database; call it while nobody has the index."""
    place = index_place(folder, chroma_url, SystemIds())
    every = store.read_now(lambda session: stored.indexes(session, place.name))
    ready = [row for row in every if row.state == rows.READY]
    if len(ready) != 1:
        return [f"there are {len(ready)} indexes"]
    client = VectorClient(ThreadLine(WORDS, place.address))
    try:
        await client.open(ready[0].id)
        held = set(await client.ids(ready[0].id, 0, 100_000))
    finally:
        await client.close()
    chunks = {row[0] for row in store.read_now(lambda s: rows.run(s, "SELECT id FROM chunk").all())}
    model = ready[0].model
    sql = "SELECT chunk_id FROM chunk_vector WHERE model = :model"
    vectors = {row[0] for row in store.read_now(lambda s: rows.run(s, sql, model=model).all())}
    kept = _collections(place.address) if place.shared else _folders(Path(place.address))
    return [
        *([f"the index lacks {len(chunks - held)} chunks and has {len(held - chunks)} more"] if held != chunks else []),
        *([f"{len(chunks ^ vectors)} chunks without a vector, or the reverse"] if vectors != chunks else []),
        *([f"indexes are left: {kept - {ready[0].id}}"] if kept != {ready[0].id} else []),
    ]


def _folders(root: Path) -> set[str]:
    return {path.name for path in root.iterdir() if path.is_dir()}


def _collections(url: str) -> set[str]:
    """The ids of the indexes on a server."""
    import chromadb

    parts = urlsplit(url)
    client = chromadb.HttpClient(host=str(parts.hostname), port=int(parts.port or 0))
    return {each.name.removeprefix(PREFIX).upper() for each in client.list_collections()}
