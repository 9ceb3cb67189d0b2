"""What keeps a vector index equal to the database: comparing, building anew, adding, removing. No loop, no state."""

from __future__ import annotations

import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import knowledge as rows
from kernel.store import knowledge_vectors as stored
from knowledge.engine.vectors import EngineEnded, IndexLocked, IndexMissing, OpenIndex, VectorsFailed

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from knowledge.engine.embedding import EmbeddingChoice
    from knowledge.engine.index_files import IndexPlace
    from knowledge.engine.vectors import VectorClient

log = logging.getLogger(__name__)

EMBED_AT_ONCE = 16  # chunks: about a second, then what is new is searched
WRITE_AT_ONCE = 100  # vectors: searches wait no longer than that takes
BUILD_AT_ONCE = 1_000  # vectors into an index that nobody searches yet
PAGE = 10_000  # ids compared at a time
LEASE = timedelta(minutes=2)  # a builder that has not been heard of for so long is gone


class BeingBuilt(VectorsFailed):
    """Another process is building the vector index."""

    code = "being_built"


class Upkeep:
    """The steps; each leaves database and index in a state from which it can be run again."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, place: IndexPlace, model: EmbeddingChoice) -> None:
        self._store, self._clock, self._ids = store, clock, ids
        self._place, self._model = place, model

    @property
    def model(self) -> str:
        """The name of the model that embeds what is new."""
        return self._model.name

    async def current(self) -> OpenIndex | None:
        """The index of this model to search, as the database has it."""
        found = await self._ready()
        return next((index for index in found if index.model == self._model.name), None)

    async def former(self) -> OpenIndex | None:
        """The index of the model that was used before, while there is none of this one."""
        found = await self._ready()
        return next((index for index in found if index.model != self._model.name and index.embedder), None)

    async def _ready(self) -> list[OpenIndex]:
        found = await self._store.read(lambda session: stored.indexes(session, self._place.name))
        return [
            OpenIndex(id=row.id, model=row.model, embedder=row.embedder) for row in found if row.state == rows.READY
        ]

    async def is_whole(self, client: VectorClient, index: OpenIndex) -> bool:
        """Whether the index can be opened, holds what it should, and answers. Surplus is removed on the way.

        An error of an index means that it is not; on a server, one that comes again although the server answers. A
        server that is away is raised.
        """
        try:
            if not self._place.shared:
                return await self._is_level(client, index)
            with contextlib.suppress(VectorsFailed):
                return await self._is_level(client, index)
            await client.ping()
            return await self._is_level(client, index)
        except (IndexLocked, EngineEnded):
            raise
        except VectorsFailed:
            await client.ping()
            log.warning("The vector index %s cannot be read and is built again.", index.id, exc_info=True)
            return False

    async def _is_level(self, client: VectorClient, index: OpenIndex) -> bool:
        try:
            await client.open(index.id)
            expected = await self._expected(index.id)
            held = await self._held(client, index.id)
            # Others may have added and removed meanwhile: what counts is which chunks there are now.
            odd = sorted(expected ^ held)
            there = await self._store.read(lambda session: stored.chunks_among(session, odd))
            if missing := (expected - held) & there:
                log.warning("The vector index %s lacks %d vectors and is built again.", index.id, len(missing))
                return False
            if surplus := sorted(held - expected - there):
                await client.remove(index.id, surplus)
            return await self._answers(client, index, expected)
        except IndexMissing:
            log.warning("The vector index %s is not there and is built again.", index.id)
            return False

    async def _expected(self, index_id: str) -> set[int]:
        known: set[int] = set()
        last = 0
        while page := await self._store.read(
            lambda session, last=last: stored.indexed(session, index_id, last, PAGE)  # type: ignore[misc]
        ):
            known.update(page)
            last = page[-1]
        return known

    async def _held(self, client: VectorClient, index_id: str) -> set[int]:
        held: set[int] = set()
        offset = 0
        while page := await client.ids(index_id, offset, PAGE):
            held.update(page)
            offset += len(page)
        return held

    async def _answers(self, client: VectorClient, index: OpenIndex, ids: set[int]) -> bool:
        """Canary: the index finds the oldest, the newest and a middle chunk by their own vectors."""
        ordered = sorted(ids)
        probes = sorted({ordered[0], ordered[len(ordered) // 2], ordered[-1]}) if ordered else []
        vectors = await self._store.read(lambda session: stored.vectors(session, probes, index.model))
        for chunk_id, data in vectors:
            if not await client.holds(index.id, chunk_id, data):
                log.warning("The vector index %s does not find what it holds and is built again.", index.id)
                return False
        return True

    async def rebuild(self, client: VectorClient) -> OpenIndex:
        """Build a new index beside the old ones from the stored vectors and switch to it. `clear` drops the others."""
        index_id = await self._begin()
        try:
            await self._fill(client, index_id)
        except VectorsFailed:
            await self._store.write(lambda session: stored.drop_index(session, index_id))  # nobody waits for it
            raise
        await self._store.write(lambda session: stored.switch_index(session, index_id))
        return OpenIndex(id=index_id, model=self._model.name, embedder=self._model.spec)

    async def _fill(self, client: VectorClient, index_id: str) -> None:
        await client.open(index_id, create=True)
        last = 0
        while last := await self.add(client, index_id, last, BUILD_AT_ONCE):
            alive = await self._store.write(lambda session: stored.touch_index(session, index_id, self._clock.now()))
            if not alive:
                raise BeingBuilt

    async def _begin(self) -> str:
        def begin(session: Session) -> str:
            now = self._clock.now()
            for row in stored.indexes(session, self._place.name):
                if row.state == rows.BUILDING and not self._place.shared:
                    stored.drop_index(session, row.id)  # an earlier attempt; what it left is swept later
                elif row.state == rows.BUILDING and now - row.touched_at < LEASE:
                    raise BeingBuilt
            index_id = self._ids.new()
            stored.create_index(session, index_id, self._place.name, self._model.name, self._model.spec, now)
            return index_id

        return await self._store.write(begin)

    async def clear(self, client: VectorClient, index_id: str) -> None:
        """Drop everything that is not of this index: others, and the vectors of other models."""
        await self._sweep(client, index_id)
        while await self._store.write(lambda session: stored.drop_vectors(session, self._model.name, BUILD_AT_ONCE)):
            pass

    async def _sweep(self, client: VectorClient, index_id: str) -> None:
        """Drop all indexes of this place but one, first there, then in the database.

        Where others work there too, of two the newer one stays for everybody, unless it has been left: half built, or
        by a model that is no longer asked for.
        """

        def is_over(row: rows.VectorIndex, now: datetime) -> bool:
            if row.id == index_id or not self._place.shared:
                return row.id != index_id
            is_left = now - row.touched_at >= LEASE
            if row.state == rows.BUILDING:
                return is_left
            return row.id < index_id or (row.model != self._model.name and is_left)

        def others(session: Session) -> list[str]:
            now = self._clock.now()
            return [row.id for row in stored.indexes(session, self._place.name) if is_over(row, now)]

        old = await self._store.read(others)
        await client.keep_only([index_id], drop=old)
        for other in old:
            await self._store.write(lambda session, other=other: stored.drop_index(session, other))  # type: ignore[misc]

    async def embed(self, client: VectorClient, after: int) -> int:
        """Embed some chunks beyond `after` that have no vector of this model; the last of them, or 0."""
        model = self._model
        found = await self._store.read(lambda session: stored.to_embed(session, model.name, after, EMBED_AT_ONCE))
        if not found:
            return 0
        made = await client.embed([f"{heading}\n{text}" for _id, heading, text in found])
        vectors = [(chunk_id, data) for (chunk_id, _heading, _text), data in zip(found, made, strict=True)]
        await self._store.write(lambda session: stored.save_vectors(session, model.name, model.size, vectors))
        return vectors[-1][0]

    async def add(self, client: VectorClient, index_id: str, after: int, limit: int = WRITE_AT_ONCE) -> int:
        """Add some vectors beyond `after` that the index does not hold; the last of them, or 0."""
        model = self._model.name
        found = await self._store.read(lambda session: stored.to_index(session, index_id, model, after, limit))
        if not found:
            return 0
        await client.put(index_id, found)
        ids = [chunk_id for chunk_id, _data in found]
        await self._store.write(lambda session: stored.mark_indexed(session, index_id, ids))
        return ids[-1]

    async def remove(self, client: VectorClient, index_id: str) -> int:
        """Remove some vectors whose chunks are gone; how many, 0 when there are none left."""
        gone = await self._store.read(lambda session: stored.to_remove(session, index_id, WRITE_AT_ONCE))
        if gone:
            await client.remove(index_id, gone)
            await self._store.write(lambda session: stored.mark_removed(session, index_id, gone))
        return len(gone)

    async def is_behind(self, index: OpenIndex | None) -> bool:
        """Whether there is anything to embed, to add or to remove."""
        model, index_id = self._model.name, index.id if index is not None else None

        def look(session: Session) -> bool:
            if stored.to_embed(session, model, 0, 1):
                return True
            return index_id is not None and bool(
                stored.to_index(session, index_id, model, 0, 1) or stored.to_remove(session, index_id, 1)
            )

        return await self._store.read(look)
