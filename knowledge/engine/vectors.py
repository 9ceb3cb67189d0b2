"""What the rest of the room asks of embedding and vector index. They run elsewhere: in another process, or in threads.

`Line` is the seam, one call; `VectorClient` gives it names and types. No numpy and no vendor library on this side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from kernel.errors import BosunError
from kernel.types import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence


class VectorsFailed(BosunError):
    """The vector index cannot be used right now; searches go by words until it is back."""

    code = "vectors_failed"


class IndexMissing(VectorsFailed):
    """The vector index is not there."""

    code = "index_missing"


class IndexLocked(VectorsFailed):
    """Another process has the vector index."""

    code = "index_locked"


class EngineEnded(VectorsFailed):
    """The process with the vector index has ended."""

    code = "engine_ended"


ERRORS: dict[str, type[VectorsFailed]] = {kind.code: kind for kind in (VectorsFailed, IndexMissing, IndexLocked)}


class Message(NamedTuple):
    """A request, or its answer: named values, and bytes beside them."""

    values: dict[str, Any]
    blob: bytes = b""


class Line(Protocol):
    """A way to the vector engine."""

    async def call(self, operation: str, request: Message) -> Message:
        """Have the engine do something. VectorsFailed where it, or the way to it, fails."""
        ...

    async def close(self) -> None:
        """End it in good order."""
        ...


class OpenIndex(Frozen):
    """An index and the model that embeds questions for it."""

    id: str
    model: str  # its name, as it stands beside the vectors
    embedder: str  # its choice, as one text


class Near(NamedTuple):
    """A chunk and how close it is to a query."""

    id: int
    cosine: float


class VectorClient:
    """The vector engine, with names and types. Vectors are fp16, little-endian, one after the other."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def warm(self) -> None:
        """Load the embedding model."""
        await self._line.call("warm", Message({}))

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        """One vector per text."""
        answer = await self._line.call("embed", Message({"texts": list(texts)}))
        size = len(answer.blob) // max(len(texts), 1)
        return [answer.blob[start : start + size] for start in range(0, len(answer.blob), size or 1)]

    async def open(self, index_id: str, *, create: bool = False) -> int:
        """Open an index and say how many vectors it holds; IndexMissing."""
        answer = await self._line.call("open", Message({"index": index_id, "create": create}))
        return int(answer.values["count"])

    async def ping(self) -> None:
        """VectorsFailed where what holds the indexes is away."""
        await self._line.call("ping", Message({}))

    async def keep_only(self, index_ids: Sequence[str], drop: Sequence[str] = ()) -> None:
        """Remove the indexes in `drop`, and leftovers that are not in `index_ids`."""
        await self._line.call("keep_only", Message({"keep": list(index_ids), "drop": list(drop)}))

    async def put(self, index_id: str, vectors: Sequence[tuple[int, bytes]]) -> None:
        """Add vectors to an index, or replace them."""
        ids = [chunk_id for chunk_id, _data in vectors]
        await self._line.call("put", Message({"index": index_id, "ids": ids}, b"".join(data for _, data in vectors)))

    async def remove(self, index_id: str, ids: Sequence[int]) -> None:
        """Remove vectors from an index."""
        await self._line.call("remove", Message({"index": index_id, "ids": list(ids)}))

    async def ids(self, index_id: str, offset: int, limit: int) -> list[int]:
        """A page of the ids that an index holds."""
        answer = await self._line.call("ids", Message({"index": index_id, "offset": offset, "limit": limit}))
        return list(answer.values["ids"])

    async def holds(self, index_id: str, chunk_id: int, vector: bytes) -> bool:
        """Whether a search of the index with a chunk's own vector finds one that is the same."""
        answer = await self._line.call("holds", Message({"index": index_id, "id": chunk_id}, vector))
        return bool(answer.values["holds"])

    async def query(self, index: OpenIndex, text: str, limit: int) -> list[Near]:
        """The chunks that are closest to a text, best first."""
        values = {"index": index.id, "embedder": index.embedder, "text": text, "limit": limit}
        answer = await self._line.call("query", Message(values))
        return [Near(*pair) for pair in zip(answer.values["ids"], answer.values["cosines"], strict=True)]

    async def score(self, index: OpenIndex, text: str, vectors: Sequence[tuple[int, bytes]]) -> list[Near]:
        """How close given chunks are to a text."""
        if not vectors:
            return []
        values = {"text": text, "embedder": index.embedder}
        answer = await self._line.call("score", Message(values, b"".join(data for _, data in vectors)))
        return [Near(vectors[n][0], cosine) for n, cosine in enumerate(answer.values["cosines"])]

    async def compare(self, index: OpenIndex, text: str, passages: Sequence[str]) -> list[float] | None:
        """How well passages fit a text word by word, 0 to 1; None where the model has no vectors of words."""
        values = {"text": text, "embedder": index.embedder, "passages": list(passages)}
        found = (await self._line.call("compare", Message(values))).values["scores"]
        return None if found is None else list(found)

    async def close(self) -> None:
        """End the engine."""
        await self._line.close()
