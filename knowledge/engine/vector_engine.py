"""The vector engine: embedding model and vector indexes behind one method. Loads each when it is first needed.

Runs outside the event loop. `SEARCH` operations and the others may be called from one thread each, at the same time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.errors import BosunError
from knowledge.engine.embedding import choice_of, load_embedder
from knowledge.engine.vectors import Message, VectorsFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from knowledge.engine.chroma import ChromaIndex, Indexes
    from knowledge.engine.embedding import Embedder, Vectors

SEARCH = frozenset({"warm", "query", "score", "compare"})
CHANGES = frozenset({"put", "remove", "keep_only"})
REMEMBERED = 64  # vectors of queries
KEPT_TOKENS = 400  # passages whose token vectors are kept, about 40 KB each
SAME = 0.999  # cosine of a vector with itself, after fp16


class VectorEngine:
    """Embeds with the model `embedder`; keeps indexes in the folder or on the server `place`."""

    def __init__(self, embedder: str, place: str, secrets: Mapping[str, str] | None = None) -> None:
        self._own = embedder
        self._place = place
        self._secrets = dict(secrets or {})
        self._embedders: dict[str, Embedder] = {}
        self._indexes: Indexes | None = None
        self._open: dict[str, ChromaIndex] = {}
        self._asked: OrderedDict[tuple[str, str], Vectors] = OrderedDict()
        self._tokens: OrderedDict[tuple[str, str], Any] = OrderedDict()
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
        for embedder in self._embedders.values():
            close: Callable[[], None] = getattr(embedder, "close", lambda: None)
            close()
        self._embedders.clear()
        if self._indexes is not None:
            self._indexes.close()
            self._indexes = None

    # -- model ------------------------------------------------------------------------------------

    def _model(self, embedder: str = "") -> Embedder:
        """The model `embedder`; none named: the one that embeds what is new."""
        spec = embedder or self._own
        with self._loading:
            if spec not in self._embedders:
                self._embedders[spec] = load_embedder(choice_of(spec), self._secrets)
            return self._embedders[spec]

    def _asked_vector(self, text: str, embedder: str = "") -> Vectors:
        key = (embedder, text)
        if key in self._asked:
            self._asked.move_to_end(key)
        else:
            self._asked[key] = self._model(embedder).embed([text], query=True)
            if len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        return self._asked[key]

    def _do_warm(self, _blob: bytes) -> Message:
        self._model()
        return Message({})

    def _do_secrets(self, _blob: bytes, secrets: dict[str, str]) -> Message:
        self._secrets.update(secrets)
        return Message({})

    def _do_embed(self, _blob: bytes, texts: list[str]) -> Message:
        return Message({}, self._model().embed(texts).astype("<f2").tobytes())

    def _do_score(self, blob: bytes, text: str, embedder: str) -> Message:
        cosines = self._vectors(blob, embedder) @ self._asked_vector(text, embedder)[0]
        return Message({"cosines": cosines.tolist()})

    def _do_compare(self, _blob: bytes, text: str, embedder: str, passages: list[str]) -> Message:
        """MaxSim: for each token of the text its best cosine among the passage's tokens, on average. None: no tokens.

        Source: late interaction, Khattab and Zaharia, ColBERT (2020).
        """
        model = self._model(embedder)
        tokens: Callable[[str], Vectors] | None = getattr(model, "tokens", None)
        if tokens is None:
            return Message({"scores": None})
        asked = tokens(text)
        return Message({"scores": [_max_sim(asked, self._token_vectors(model, passage)) for passage in passages]})

    def _token_vectors(self, model: Any, passage: str) -> Any:
        key = (model.name, passage)
        if key in self._tokens:
            self._tokens.move_to_end(key)
        else:
            self._tokens[key] = model.tokens(passage).astype("float16")
            if len(self._tokens) > KEPT_TOKENS:
                self._tokens.popitem(last=False)
        return self._tokens[key]

    def _vectors(self, blob: bytes, embedder: str = "") -> Vectors:
        import numpy as np

        size = choice_of(embedder or self._own).size
        return np.frombuffer(blob, "<f2").reshape(-1, size).astype(np.float32)

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

    def _do_ping(self, _blob: bytes) -> Message:
        self._home().ping()
        return Message({})

    def _do_open(self, _blob: bytes, index: str, *, create: bool) -> Message:
        return Message({"count": self._index(index, create=create).count()})

    def _do_keep_only(self, _blob: bytes, keep: list[str], drop: list[str]) -> Message:
        for index_id in drop:
            self._open.pop(index_id, None)
            self._home().drop(index_id)
        self._home().keep_only(keep)
        return Message({})

    def _do_put(self, blob: bytes, index: str, ids: list[int]) -> Message:
        self._index(index).put(ids, _rows(blob, len(ids)))
        return Message({})

    def _do_remove(self, _blob: bytes, index: str, ids: list[int]) -> Message:
        self._index(index).remove(ids)
        return Message({})

    def _do_ids(self, _blob: bytes, index: str, offset: int, limit: int) -> Message:
        return Message({"ids": self._index(index).ids(offset, limit)})

    def _do_holds(self, blob: bytes, index: str, id: int) -> Message:  # noqa: A002  a field of the request
        ids, cosines = self._index(index).nearest(_rows(blob, 1), 10)
        # Another chunk with the same text is as good: the index answers.
        return Message({"holds": id in ids or (bool(cosines) and cosines[0] >= SAME)})

    def _do_query(self, _blob: bytes, index: str, text: str, limit: int, embedder: str) -> Message:
        ids, cosines = self._index(index).nearest(self._asked_vector(text, embedder), limit)
        values: dict[str, Any] = {"ids": ids, "cosines": cosines}
        return Message(values)


def _rows(blob: bytes, count: int) -> Vectors:
    """`count` vectors, whatever their dimension is."""
    import numpy as np

    return np.frombuffer(blob, "<f2").reshape(count, -1).astype(np.float32)


def _max_sim(asked: Vectors, held: Any) -> float:
    if not len(asked) or not len(held):
        return 0.0
    return float((asked @ held.astype("float32").T).max(axis=1).mean())
