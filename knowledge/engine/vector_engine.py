"""The vector engine: embedding model and vector indexes behind one method. Loads each when it is first needed.

Runs outside the event loop. `SEARCH` operations and the others may be called from one thread each, at the same time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.errors import BosunError
from knowledge.engine.embedding import load_embedder
from knowledge.engine.vectors import Message, VectorsFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from knowledge.engine.chroma import ChromaIndex, Indexes
    from knowledge.engine.embedding import Embedder, Vectors

SEARCH = frozenset({"warm", "query", "score"})
CHANGES = frozenset({"put", "remove", "keep_only"})
REMEMBERED = 64  # vectors of queries
SAME = 0.999  # cosine of a vector with itself, after fp16


class VectorEngine:
    """Embeds with the model `embedder`; keeps indexes in the folder or on the server `place`."""

    def __init__(self, embedder: str, place: str) -> None:
        self._kind = embedder
        self._place = place
        self._embedder: Embedder | None = None
        self._indexes: Indexes | None = None
        self._open: dict[str, ChromaIndex] = {}
        self._asked: OrderedDict[str, Vectors] = OrderedDict()
        self._loading = threading.Lock()  # two threads that import numpy at once fail

    def handle(self, operation: str, request: Message) -> Message:
        """Do one operation. Every failure comes out as VectorsFailed."""
        work: Callable[..., Message] = getattr(self, f"_do_{operation}")
        try:
            return work(request.blob, **request.values)
        except BosunError:
            raise
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # vendor libraries raise what they like; Rust's panics are no Exception
            raise VectorsFailed(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close files and connections."""
        self._open.clear()
        if self._indexes is not None:
            self._indexes.close()
            self._indexes = None

    # -- model ------------------------------------------------------------------------------------

    def _model(self) -> Embedder:
        with self._loading:
            if self._embedder is None:
                self._embedder = load_embedder(self._kind)
            return self._embedder

    def _asked_vector(self, text: str) -> Vectors:
        if text in self._asked:
            self._asked.move_to_end(text)
        else:
            self._asked[text] = self._model().embed([text])
            if len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        return self._asked[text]

    def _do_warm(self, _blob: bytes) -> Message:
        self._model()
        return Message({})

    def _do_embed(self, _blob: bytes, texts: list[str]) -> Message:
        return Message({}, self._model().embed(texts).astype("<f2").tobytes())

    def _do_score(self, blob: bytes, text: str) -> Message:
        cosines = self._vectors(blob) @ self._asked_vector(text)[0]
        return Message({"cosines": cosines.tolist()})

    def _vectors(self, blob: bytes) -> Vectors:
        import numpy as np

        return np.frombuffer(blob, "<f2").reshape(-1, self._model().dimension).astype(np.float32)

    # -- indexes ----------------------------------------------------------------------------------

    def _home(self) -> Indexes:
        with self._loading:
            if self._indexes is None:
                from knowledge.engine.chroma import EmbeddedIndexes, ServerIndexes

                served = self._place.startswith(("http://", "https://"))
                self._indexes = ServerIndexes(self._place) if served else EmbeddedIndexes(Path(self._place))
            return self._indexes

    def _index(self, index_id: str, *, create: bool = False) -> ChromaIndex:
        if index_id not in self._open:
            self._open[index_id] = self._home().open(index_id, create=create)
        return self._open[index_id]

    def _do_open(self, _blob: bytes, index: str, *, create: bool) -> Message:
        return Message({"count": self._index(index, create=create).count()})

    def _do_keep_only(self, _blob: bytes, keep: list[str], drop: list[str]) -> Message:
        for index_id in drop:
            self._open.pop(index_id, None)
            self._home().drop(index_id)
        self._home().keep_only(keep)
        return Message({})

    def _do_put(self, blob: bytes, index: str, ids: list[int]) -> Message:
        self._index(index).put(ids, self._vectors(blob))
        return Message({})

    def _do_remove(self, _blob: bytes, index: str, ids: list[int]) -> Message:
        self._index(index).remove(ids)
        return Message({})

    def _do_ids(self, _blob: bytes, index: str, offset: int, limit: int) -> Message:
        return Message({"ids": self._index(index).ids(offset, limit)})

    def _do_holds(self, blob: bytes, index: str, id: int) -> Message:  # noqa: A002  a field of the request
        ids, cosines = self._index(index).nearest(self._vectors(blob), 10)
        # Another chunk with the same text is as good: the index answers.
        return Message({"holds": id in ids or (bool(cosines) and cosines[0] >= SAME)})

    def _do_query(self, _blob: bytes, index: str, text: str, limit: int) -> Message:
        ids, cosines = self._index(index).nearest(self._asked_vector(text), limit)
        values: dict[str, Any] = {"ids": ids, "cosines": cosines}
        return Message(values)
