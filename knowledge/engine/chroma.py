"""The vector index in Chroma: the one place that imports it. Each index is a collection; ids are chunk ids.

Embedded, every index has a folder of its own below one locked root: what a crash left unreadable is thrown away whole,
and dropping an index leaves nothing behind. On a server every index is a collection.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlsplit

import chromadb
from chromadb.config import Settings
from filelock import FileLock, Timeout

from kernel.errors import StoreError
from knowledge.engine.vectors import IndexLocked, IndexMissing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.models.Collection import Collection

    from knowledge.engine.embedding import Vectors

log = logging.getLogger(__name__)

PREFIX = "bosun-"
LOCK_PATIENCE = 5.0  # seconds: a process that was just ended gives up its lock
HNSW: CreateCollectionConfiguration = {"hnsw": {"space": "cosine"}}


class Indexes(Protocol):
    """Where the indexes live."""

    def open(self, index_id: str, *, create: bool) -> ChromaIndex:
        """The index; IndexMissing where it is not there and not to be created."""
        ...

    def drop(self, index_id: str) -> None:
        """Remove the index with all that it holds; nothing happens where it is not there."""
        ...

    def keep_only(self, index_ids: Sequence[str]) -> None:
        """Remove leftovers. Does nothing where others may have indexes too."""
        ...

    def ping(self) -> None:
        """Any error where it is away."""
        ...

    def close(self) -> None:
        """Let go of files, locks and connections."""
        ...


class EmbeddedIndexes:
    """Folders on this machine. IndexLocked where another process has the root: two writers would destroy it."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
        self._clients: dict[str, Client] = {}
        self._lock = FileLock(root / "lock", thread_local=False)  # taken in one thread, let go in another
        try:
            self._lock.acquire(timeout=LOCK_PATIENCE)
        except Timeout as error:
            raise IndexLocked(f"Another process has the vector index in {root}.") from error

    def open(self, index_id: str, *, create: bool) -> ChromaIndex:
        folder = self._root / index_id
        if not create and not folder.is_dir():
            raise IndexMissing(f"There is no vector index {index_id}.")
        client = self._clients.get(index_id)
        if client is None:
            client = cast("Client", chromadb.PersistentClient(folder, settings=_quiet()))
            self._clients[index_id] = client
        return ChromaIndex(_collection(client, index_id, create=create))

    def drop(self, index_id: str) -> None:
        if client := self._clients.pop(index_id, None):
            client.close()
        shutil.rmtree(self._root / index_id, ignore_errors=True)

    def keep_only(self, index_ids: Sequence[str]) -> None:
        for folder in self._root.iterdir():
            if folder.is_dir() and folder.name not in index_ids:
                self.drop(folder.name)

    def ping(self) -> None:
        """It is where we are."""

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._lock.release()


class ServerIndexes:
    """Collections on a Chroma server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 8000)
        made = chromadb.HttpClient(host=parts.hostname or "localhost", port=port, ssl=tls, settings=_quiet())
        self._client = cast("Client", made)

    def open(self, index_id: str, *, create: bool) -> ChromaIndex:
        return ChromaIndex(_collection(self._client, index_id, create=create))

    def drop(self, index_id: str) -> None:
        try:
            self._client.delete_collection(_name(index_id))
        except chromadb.errors.NotFoundError:
            pass
        except chromadb.errors.InternalError as error:  # of a collection that a crash left unreadable
            log.warning("The vector index %s stays on the server: %s", index_id, error)

    def keep_only(self, index_ids: Sequence[str]) -> None:
        """Other installations may use the server."""

    def ping(self) -> None:
        self._client.heartbeat()

    def close(self) -> None:
        self._client.close()
        for part in (self._client, self._client._admin_client):  # each leaves its connections open
            session = getattr(getattr(part, "_server", None), "_session", None)
            if session is not None:
                session.close()


def reach(url: str) -> None:
    """Ask a Chroma server whether it is there. StoreError where it is not."""
    try:
        ServerIndexes(url).close()  # connecting asks it already
    except Exception as error:  # the client raises whatever its HTTP library does, and ValueError
        reason = str(error).strip().split("\n", 1)[0]
        raise StoreError(f"Chroma at {url} cannot be reached: {reason}", hint="Check CHROMA_URL.") from error


def _quiet() -> Settings:
    """Settings of one client: each writes into its own where and how its data lies."""
    return Settings(anonymized_telemetry=False)


def _name(index_id: str) -> str:
    return PREFIX + index_id.lower()


def _collection(client: Client, index_id: str, *, create: bool) -> Collection:
    if create:
        return client.create_collection(
            _name(index_id), embedding_function=None, configuration=HNSW, get_or_create=True
        )
    try:
        return client.get_collection(_name(index_id), embedding_function=None)
    except chromadb.errors.NotFoundError as error:
        raise IndexMissing(f"There is no vector index {index_id}.") from error


@contextlib.contextmanager
def _there() -> Iterator[None]:
    """IndexMissing where the index is gone: on a server, another process may have dropped it."""
    try:
        yield
    except chromadb.errors.NotFoundError as error:
        raise IndexMissing("The vector index is not there any more.") from error


class ChromaIndex:
    """One index: chunk ids and their vectors, nothing else. IndexMissing where it is there no more."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    @_there()
    def put(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Add vectors; one that is there already is replaced."""
        self._collection.upsert(ids=[str(chunk_id) for chunk_id in ids], embeddings=vectors)

    @_there()
    def remove(self, ids: Sequence[int]) -> None:
        """Remove vectors; one that is not there is no error."""
        self._collection.delete(ids=[str(chunk_id) for chunk_id in ids])

    @_there()
    def nearest(self, vector: Vectors, limit: int) -> tuple[list[int], list[float]]:
        """Ids and cosines of up to `limit` vectors close to `vector` (1, dimension), best first."""
        found = self._collection.query(query_embeddings=vector, n_results=limit, include=["distances"])
        distances = (found["distances"] or [[]])[0]
        return [int(chunk_id) for chunk_id in found["ids"][0]], [1.0 - float(distance) for distance in distances]

    @_there()
    def count(self) -> int:
        """How many vectors it holds."""
        return self._collection.count()

    @_there()
    def ids(self, offset: int, limit: int) -> list[int]:
        """A page of the ids that it holds."""
        return [int(chunk_id) for chunk_id in self._collection.get(include=[], offset=offset, limit=limit)["ids"]]
