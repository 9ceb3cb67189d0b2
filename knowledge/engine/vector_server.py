"""The process with the vector engine: `python -m knowledge.engine.vector_server EMBEDDER PLACE`.

It answers frames on stdin with frames on stdout and ends when stdin does, so it never outlives its parent. In a
process of its own, because Chroma holds the interpreter's lock while it writes, and because what both need in memory
(about 180 MB) is given back when nobody searches.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

import orjson

from kernel.errors import BosunError
from knowledge.engine.vector_engine import CHANGES, SEARCH, VectorEngine
from knowledge.engine.vector_frames import HEAD, lengths, pack
from knowledge.engine.vectors import Message

if TYPE_CHECKING:
    from typing import Any

NICENESS = 10  # of the thread that writes: people who search go first


def main() -> None:
    """Serve until stdin ends."""
    embedder, place = sys.argv[1:3]
    logging.basicConfig(level=logging.ERROR)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes our stdin
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints must not get between the frames
    engine = VectorEngine(embedder, place)
    _Server(engine, requests, answers).serve()


class _Server:
    def __init__(self, engine: VectorEngine, requests: BinaryIO, answers: Any) -> None:
        self._engine = engine
        self._requests = requests
        self._answers = answers
        self._writing = threading.Lock()  # one answer at a time
        self._changing = threading.Lock()  # held while an index is changed
        self._search = ThreadPoolExecutor(1, "search")
        self._write = ThreadPoolExecutor(1, "write", initializer=_step_back)

    def serve(self) -> None:
        while len(head := self._requests.read(HEAD.size)) == HEAD.size:
            header, blob = lengths(head)
            envelope = orjson.loads(self._requests.read(header))
            request = Message(envelope["values"], self._requests.read(blob))
            if envelope["operation"] == "secrets":
                self._engine.handle("secrets", request)
                continue
            lane = self._search if envelope["operation"] in SEARCH else self._write
            lane.submit(self._answer, envelope["id"], envelope["operation"], request)
        self._leave()

    def _leave(self) -> None:
        """End at once, but for a change of an index that has begun: a model that is still loading keeps nobody here."""
        self._write.shutdown(wait=False, cancel_futures=True)
        self._search.shutdown(wait=False, cancel_futures=True)
        with self._changing:
            os._exit(0)

    def _answer(self, number: int, operation: str, request: Message) -> None:
        envelope: dict[str, Any] = {"id": number}
        answer = Message({})
        changing = self._changing if operation in CHANGES else contextlib.nullcontext()
        try:
            with changing:
                answer = self._engine.handle(operation, request)
        except BosunError as error:
            envelope |= {"error": error.code, "message": str(error)}
        if operation in {"warm", "open"}:
            _trim()
        with self._writing, contextlib.suppress(BrokenPipeError):
            self._answers.write(pack(envelope, answer))


def _step_back() -> None:
    """Lower the priority of this thread; where the system has none for threads, nothing is changed."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _trim() -> None:
    """Give back what loading left behind: about 45 MB that glibc would keep."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


if __name__ == "__main__":
    main()
