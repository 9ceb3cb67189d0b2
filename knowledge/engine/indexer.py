"""The background task of the knowledge base: brings the vector index up, keeps it equal to the database, lets it sleep.

Everybody else asks `reach` for the index and searches by words where there is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kernel.errors import BosunError
from knowledge.engine.upkeep import BeingBuilt
from knowledge.engine.vectors import EngineEnded, OpenIndex, VectorClient, VectorsFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from knowledge.engine.documents import IndexState
    from knowledge.engine.upkeep import Upkeep
    from knowledge.engine.vectors import Line

log = logging.getLogger(__name__)

LONGER = 0.5  # seconds that the engine stays up for a search that is under way
FIRST_RETRY, LAST_RETRY = 1.0, 60.0  # seconds
NOTES: dict[IndexState, str] = {
    "off": "the index of meanings is off",
    "asleep": "the index of meanings is being opened",
    "starting": "the index of meanings is being opened",
    "rebuilding": "the index of meanings is being rebuilt",
    "failed": "the index of meanings is not available",
}


class Pace(NamedTuple):
    """How long things may take, in seconds."""

    settle: float = 2.0  # after start, before the index is brought up: the start has the processor for itself
    linger: float = 15.0  # the engine stays in memory after work
    linger_after_search: float = 300.0  # and after somebody searched
    check: float = 300.0  # between looks for work that other processes left
    compare: float = 3600.0  # between comparisons of an index that stays up with the database


class Watch(Protocol):
    """Is told when the state of the index changes."""

    def __call__(self, state: IndexState, problem: str) -> None:
        """`problem` says what keeps the index away; empty where nothing does."""
        ...


class Reached(NamedTuple):
    """A vector index that can be searched now."""

    client: VectorClient
    opened: OpenIndex


class Indexer:
    """Owns the vector engine. One task does all the work; failures are tried again, ever more slowly."""

    def __init__(self, upkeep: Upkeep, connect: Callable[[], Line], pace: Pace, watch: Watch | None) -> None:
        self._upkeep, self._connect, self._pace, self._watch = upkeep, connect, pace, watch
        self.state: IndexState = "off"
        self.problem = ""
        self._closing: asyncio.Task[None] | None = None
        self._client: VectorClient | None = None
        self._index: OpenIndex | None = None  # the one that is searched: of the model before, until a new one is full
        self._without_former = False  # the model before cannot embed questions any more
        self._searching: set[asyncio.Future[None]] = set()  # searches under way
        self._renew = False  # somebody wants the index built anew
        self._suspect: str | None = None  # an index that may have ended the engine
        self._task: asyncio.Task[None] | None = None
        self._work = asyncio.Event()  # something may be left to do
        self._up = asyncio.Event()  # the index can be searched
        self._level = asyncio.Event()  # index and database were equal when last looked
        self._asked = float("-inf")  # loop time of the last search
        self._worked = float("-inf")  # of the last work
        self._compared = float("-inf")  # and of the last comparison of index and database

    async def start(self) -> None:
        """Begin in the background."""
        self._enter("asleep")
        self._work.set()
        self._task = asyncio.create_task(self._run(), name="knowledge-index")

    async def stop(self) -> None:
        """End; what is not done stays to be done."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._task = None
        if self._closing is not None:
            await self._closing
        await self._let_go("off")

    def poke(self) -> None:
        """Documents have changed."""
        self._level.clear()
        self._work.set()

    async def level(self) -> None:
        """Return once everything known is embedded and in the index."""
        await self._level.wait()

    async def renew(self) -> None:
        """Build the vector index anew, beside the one that is searched meanwhile; returns once that is asked for."""
        self._renew = True
        self.poke()

    def want(self) -> None:
        """Somebody is going to search: wake the engine, and keep it for a while."""
        self._asked = asyncio.get_running_loop().time()
        if not self._up.is_set():
            self._work.set()

    async def reach(self, patience: float) -> Reached | None:
        """The index, woken where it sleeps; None if it cannot be searched within `patience` seconds."""
        self.want()
        if self.state in {"asleep", "starting"} or (self.state == "ready" and not self._up.is_set()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._up.wait()
        if self._client is None or self._index is None or not self._up.is_set():
            return None
        return Reached(self._client, self._index)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """A search is under way: the engine does not go to sleep in the middle of it."""
        search: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._searching.add(search)
        try:
            yield
        finally:
            self._searching.discard(search)
            search.set_result(None)

    def lost(self, error: BosunError) -> None:
        """A search met a broken index: look after it."""
        if self.state == "ready":
            log.warning("The vector index failed in a search and is looked after: %s", error)
            self._without_former = self._without_former or not self._is_ours(self._index)
            self._up.clear()
            self._enter("failed", str(error))
            self._work.set()

    def _enter(self, state: IndexState, problem: str = "") -> None:
        changed = (state, problem) != (self.state, self.problem)
        self.state, self.problem = state, problem
        if changed and self._watch is not None:
            self._watch(state, problem)

    async def _run(self) -> None:
        retry = FIRST_RETRY
        await self._pause(self._pace.settle, until_asked=True)
        while True:
            try:
                await self._bring_up()
                await self._catch_up()
                retry = FIRST_RETRY
                await self._rest()
            except BosunError as error:
                log.warning("The vector index is not available, searches go by words: %s", error)
                await self._let_go("failed", str(error))
                if isinstance(error, BeingBuilt):
                    retry = FIRST_RETRY
                await self._pause(retry)
                retry = min(retry * 2, LAST_RETRY)
            except Exception as error:
                log.exception("Looking after the vector index failed")
                await self._let_go("failed", f"{type(error).__name__}: {error}")
                await self._pause(retry)
                retry = min(retry * 2, LAST_RETRY)

    async def _pause(self, seconds: float, *, until_asked: bool = False) -> None:
        """Wait; a search that wants the index cuts it short."""
        asked = self._asked
        deadline = asyncio.get_running_loop().time() + seconds
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            self._work.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._work.wait()
            if until_asked and self._asked != asked:
                break
        self._work.set()

    async def _bring_up(self) -> None:
        """Open the index and compare it with the database; build it anew where it differs."""
        if self._client is not None and self._up.is_set():
            return
        await self._let_go("starting")
        self._client = client = VectorClient(self._connect())
        loading = asyncio.create_task(client.warm())
        try:
            index = await self._upkeep.current() or await self._former()
            if index is None or not await self._is_whole(client, index):
                self._enter("rebuilding")
                index = await self._upkeep.rebuild(client)
            if self._is_ours(index):
                await self._upkeep.clear(client, index.id)
            await loading
        finally:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
        self._index = index
        self._suspect = None
        self._compared = self._worked = asyncio.get_running_loop().time()
        self._up.set()
        self._enter("ready")

    async def _former(self) -> OpenIndex | None:
        return None if self._without_former else await self._upkeep.former()

    def _is_ours(self, index: OpenIndex | None) -> bool:
        return index is None or index.model == self._upkeep.model

    async def _is_whole(self, client: VectorClient, index: OpenIndex) -> bool:
        """An index that ended the engine once is not opened a second time."""
        if self._suspect == index.id:
            return False
        try:
            return await self._upkeep.is_whole(client, index)
        except EngineEnded:
            self._suspect = index.id
            raise

    async def _catch_up(self) -> None:
        """Embed, add and remove until nothing is left; an index of another model is replaced once all is embedded."""
        while self._client is not None and self._index is not None and self._up.is_set():
            client, index = self._client, self._index
            self._work.clear()
            try:
                await self._work_on(client, index)
            except VectorsFailed as error:
                if isinstance(error, EngineEnded) or not await self.follow(index.id):
                    raise
                self._work.set()
            if not self._work.is_set():
                self._level.set()
                return

    async def _work_on(self, client: VectorClient, index: OpenIndex) -> None:
        last = added = 0
        while last := await self._embed(client, last):
            if self._is_ours(index):
                added = await self._upkeep.add(client, index.id, added) or added
            self._worked = asyncio.get_running_loop().time()
        if self._is_ours(index) and not self._renew:
            await self._level_out(client, index)
        elif not self._work.is_set():
            await self._replace(client, index)

    async def _replace(self, client: VectorClient, index: OpenIndex) -> None:
        """Build an index anew beside this one and switch to it. Where another process does so, it is waited for."""
        try:
            self._index = fresh = await self._upkeep.rebuild(client)
        except BeingBuilt:
            await self._pause(FIRST_RETRY)
            if await self.follow(index.id):
                self._renew = False
            return
        await self._passed()
        await self._upkeep.clear(client, fresh.id)
        self._renew = False
        self._work.set()

    async def _passed(self) -> None:
        """Return once every search that may still use the index before has ended."""
        if self._searching:
            await asyncio.wait(set(self._searching))

    async def follow(self, gone: str) -> bool:
        """Go on with the index that another process has switched to; False where there is none but `gone`."""
        if self._index is not None and self._index.id != gone:
            return True
        index = await self._upkeep.current() or await self._former()
        if index is None or self._index is None or index.id == gone:
            return False
        self._index = index
        self._work.set()
        return True

    async def _level_out(self, client: VectorClient, index: OpenIndex) -> None:
        while await self._upkeep.add(client, index.id, 0):
            self._worked = asyncio.get_running_loop().time()
        while await self._upkeep.remove(client, index.id):
            self._worked = asyncio.get_running_loop().time()

    async def _embed(self, client: VectorClient, after: int) -> int:
        """Embed some chunks. Where only the embedding fails (a service is away), the index stays up meanwhile."""
        retry = FIRST_RETRY
        while True:
            try:
                made = await self._upkeep.embed(client, after)
            except EngineEnded:
                raise
            except VectorsFailed as error:
                log.warning("What is new cannot be embedded yet: %s", error)
                self._enter(self.state, str(error))
                await self._pause(retry)
                retry = min(retry * 2, LAST_RETRY)
                if not self._up.is_set():
                    raise
            else:
                if self.problem and self.state == "ready":
                    self._enter("ready")
                return made

    async def _rest(self) -> None:
        """Wait for work; let the engine go when nobody has needed it for long enough."""
        now, asked = asyncio.get_running_loop().time(), self._asked
        tired = max(self._worked + self._pace.linger, self._asked + self._pace.linger_after_search)
        if self._searching:
            tired = max(tired, now + LONGER)
        if self._client is not None and tired <= now:
            await self._let_go("asleep")
        if self._client is not None:
            await self._look_again(now)
            await self._wait(min(self._pace.check, tired - now))
            return
        while self._asked == asked:
            if self._renew or await self._upkeep.is_behind(await self._upkeep.current()):
                return
            if not self._work.is_set():
                self._level.set()
            await self._wait(self._pace.check)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.001)):
                await self._work.wait()
        self._work.clear()

    async def _look_again(self, now: float) -> None:
        """Compare an index that has been up for long."""
        if self._client is None or self._index is None or now - self._compared < self._pace.compare:
            return
        self._compared = now
        if not await self._upkeep.is_whole(self._client, self._index):
            self.lost(VectorsFailed("The vector index does not match the database."))

    async def _let_go(self, state: IndexState, problem: str = "") -> None:
        """Close the engine and give its memory back."""
        self._up.clear()
        client, self._client, self._index = self._client, None, None
        if client is not None:
            # Finished even where the task is cancelled meanwhile: `stop` waits for it.
            self._closing = asyncio.create_task(_close(client))
            await asyncio.shield(self._closing)
        self._enter(state, problem)


async def _close(client: VectorClient) -> None:
    with contextlib.suppress(BosunError):
        await client.close()
