"""The two ways to the vector engine: a process of its own, and threads of this one."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import orjson

from kernel.config import ROOT
from knowledge.engine.vector_engine import SEARCH, VectorEngine
from knowledge.engine.vector_frames import HEAD, lengths, pack
from knowledge.engine.vectors import ERRORS, EngineEnded, Line, Message, VectorsFailed

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping

CLOSING = 10.0  # seconds for the process to finish what it writes


class ThreadLine(Line):
    """The engine in this process: one thread for searches, one for the rest."""

    def __init__(self, embedder: str, place: str, secrets: Mapping[str, str] | None = None) -> None:
        self._engine = VectorEngine(embedder, place, secrets)
        self._search = ThreadPoolExecutor(1, "vector-search")
        self._write = ThreadPoolExecutor(1, "vector-write")

    async def call(self, operation: str, request: Message) -> Message:
        lane = self._search if operation in SEARCH else self._write
        return await asyncio.get_running_loop().run_in_executor(lane, self._engine.handle, operation, request)

    async def close(self) -> None:
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._search.shutdown(cancel_futures=True)
        self._write.shutdown(cancel_futures=True)
        self._engine.close()


class ProcessLine(Line):
    """The engine in a process of its own, which starts with the first call and ends with this one."""

    def __init__(self, embedder: str, place: str, secrets: Mapping[str, str] | None = None) -> None:
        self._arguments = (embedder, place)
        self._secrets = dict(secrets or {})
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._numbers = itertools.count(1)
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def call(self, operation: str, request: Message) -> Message:
        process = await self._running()
        number = next(self._numbers)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            if process.stdin is not None:
                process.stdin.write(pack({"id": number, "operation": operation}, request))
                await process.stdin.drain()
            return await answer
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EngineEnded from error
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        self._closed = True
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(CLOSING):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reading is not None:
            await self._reading

    async def _running(self) -> Process:
        async with self._starting:
            if self._closed:
                raise VectorsFailed("The vector index is closed.")
            if self._process is None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "knowledge.engine.vector_server",
                    *self._arguments,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    cwd=ROOT,
                    env={**os.environ, "MALLOC_ARENA_MAX": "2", "TOKENIZERS_PARALLELISM": "false"},
                    start_new_session=True,  # signals to our group are ours to handle
                )
                if self._secrets and self._process.stdin is not None:  # never on a command line, nor in an environment
                    told = Message({"secrets": self._secrets})
                    self._process.stdin.write(pack({"id": 0, "operation": "secrets"}, told))
                if self._process.stdout is not None:
                    self._reading = asyncio.create_task(self._read(self._process, self._process.stdout))
            return self._process

    async def _read(self, process: Process, answers: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                header, blob = lengths(await answers.readexactly(HEAD.size))
                envelope = orjson.loads(await answers.readexactly(header))
                self._settle(envelope, await answers.readexactly(blob))
        code = await process.wait()
        for answer in list(self._waiting.values()):
            if not answer.done():
                answer.set_exception(EngineEnded(f"The process with the vector index has ended ({code})."))

    def _settle(self, envelope: dict[str, Any], blob: bytes) -> None:
        answer = self._waiting.get(envelope["id"])
        if answer is None or answer.done():  # whoever asked was cancelled
            return
        if "error" in envelope:
            answer.set_exception(ERRORS.get(envelope["error"], VectorsFailed)(envelope["message"]))
        else:
            answer.set_result(Message(envelope["values"], blob))
