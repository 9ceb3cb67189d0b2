"""The loop that lets a model think and act: what the engine calls for every segment of a run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from agents.engine import endings, wording
from agents.engine.kit import MAX_TURNS, Kit
from agents.engine.ports import Timing
from agents.engine.segment import OPEN, Segment, StopAskedError
from kernel.errors import StoreError
from kernel.store import run_steps, runs
from rules.engine.outcome import SegmentOvertaken

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.engine.model import Model, ModelAnswer, ModelRequest
    from agents.engine.ports import Budgets, Charter, Closing, Door, Live, Recall, Segments
    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.store.run_steps import PastRun, Row, RunState
    from kernel.types import Place

    Found = tuple[RunState, list[Row], list[PastRun]]  # all that a segment starts from

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between two looks whether another process was told to stop a run
LOOKS = 5  # times that a segment is read anew because another process was faster
BROKEN = "Something went wrong in Bosun itself; the log has the details."


def usual_timing(_place: Place) -> Timing:
    """What suits a platform of which nothing is known."""
    return Timing()


class Loop:
    """Runs segments. One per process; holds nothing but the answers that are being thought right now."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        door: Door,
        model: Model,
        charter: Callable[[], Charter],  # the one in force, asked once per segment
        budgets: Budgets,
        timing: Callable[[Place], Timing] = usual_timing,
        live: Live | None = None,
        closing: Closing | None = None,
        max_turns: int = MAX_TURNS,
        workflows: Segments | None = None,
        recall: Recall | None = None,
    ) -> None:
        """`workflows` runs the segments of workflow runs; an agent's run within a workflow is the loop's own."""
        self._store = store
        self._workflows = workflows
        self._model = model
        self._charter = charter
        self._thinking: dict[str, asyncio.Task[ModelAnswer]] = {}
        self._working: set[str] = set()
        self._ready: dict[str, Found | None] = {}  # by "run:segment": what a segment that is about to start needs
        self._stopping: set[str] = set()
        self._kit = Kit(
            store=store,
            clock=clock,
            door=door,
            model=model,
            timing=timing,
            live=live,
            closing=closing,
            ask=self._ask,
            stopping=self._stopping,
            budgets=budgets,
            recall=recall,
            max_turns=max_turns,
        )

    def listen(self) -> None:
        """Stop at once what people want stopped, whichever way they say it.

        On SQLite the transaction that makes a segment ready also reads what it starts from: only this process will
        run it, and at once. Called before the engine starts, which listens to the same topic.
        """
        self._store.on(runs.STOP, self.stop)
        if self._store.is_sqlite:
            self._store.on(runs.READY, self._expect, prepare=_look_ahead)

    def _expect(self, key: str, found: Found | None) -> None:
        self._ready[key] = found

    def _is_expected(self, run_id: str) -> bool:
        return any(key.rpartition(":")[0] == run_id for key in self._ready)

    async def segment(self, run_id: str, segment: int) -> None:
        """Run the segment to its end. Doing it twice, here or elsewhere, has the effect of doing it once.

        StoreError and errors of our own making pass through: the engine tries again.
        """
        self._working.add(run_id)
        key = f"{run_id}:{segment}"
        try:
            for _ in range(LOOKS):
                found = self._ready.pop(key, None) or await self._store.read(
                    lambda session: _load(session, run_id, segment)
                )
                if found is None:
                    return
                if self._workflows is not None and run_steps.is_workflow(found[0]):
                    await self._workflows.segment(run_id, segment)
                    return
                try:
                    await Segment(self._kit, *found, self._charter()).work()
                except SegmentOvertaken:
                    continue
                return
        finally:
            self._ready.pop(key, None)
            self._working.discard(run_id)
            if not self._is_expected(run_id):
                self._stopping.discard(run_id)

    async def broken(self, run_id: str, segment: int, error: Exception) -> None:
        """The segment fails again and again for an unknown reason: end the run and tell the person."""
        run = await self._store.read(lambda session: run_steps.load(session, run_id))
        if self._workflows is not None and run is not None and run_steps.is_workflow(run):
            await self._workflows.broken(run_id, segment, error)
            return
        log.error("run %s is given up: %r", run_id, error)
        charter = self._charter()
        now = self._kit.clock.now()

        def write(session: Session) -> None:
            run = run_steps.take(session, run_id, segment)
            if run is None:
                return
            known = run_steps.copy(run)
            agent = charter.roster.agents.get(run.agent, charter.roster.lead)
            run.error = BROKEN
            self._kit.budgets.given_up(session, run_id)
            body = wording.failed(run, agent.shown, BROKEN, None, again=True)
            endings.end(session, run, runs.FAILED, body, now, closing=self._kit.closing)
            run_steps.keep(session, run, known)

        await self._store.write(write)

    def stop(self, run_id: str) -> None:
        """Cut off what the model is saying in this run, here and now; a call of a tool is left to finish.

        Who wants it stopped stands in the run's row already. A run that does not work here is not touched.
        """
        if run_id not in self._working and not self._is_expected(run_id):
            return
        self._stopping.add(run_id)
        task = self._thinking.get(run_id)
        if task is not None:
            task.cancel()

    async def _ask(self, run_id: str, request: ModelRequest, on_text: Callable[[str], None]) -> ModelAnswer:
        task = asyncio.ensure_future(self._model.answer(request, on_text))
        self._thinking[run_id] = task
        watch = None if self._store.is_sqlite else asyncio.ensure_future(self._watch(run_id))
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if run_id in self._stopping and not (current and current.cancelling()):
                raise StopAskedError from None
            raise
        finally:
            self._thinking.pop(run_id, None)
            if watch is not None:
                watch.cancel()

    async def _watch(self, run_id: str) -> None:
        """Stop what the model says in the run once another process was told to."""
        while True:
            try:
                if await self._store.read(lambda session: run_steps.stop_asked(session, run_id)):
                    break
            except StoreError as error:
                log.warning("whether run %s is to stop cannot be looked up: %s", run_id, error)
            await asyncio.sleep(LOOK_EVERY)
        self.stop(run_id)


def _look_ahead(session: Session, key: str) -> Found | None:
    run_id, _, segment = key.rpartition(":")
    return run_steps.begun(session, run_id) or _load(session, run_id, int(segment))


def _load(session: Session, run_id: str, segment: int) -> Found | None:
    """What the segment starts from; None if it is no longer the run's segment to run."""
    run = run_steps.load(session, run_id)
    if run is None or run.segment != segment or run.state not in OPEN:
        return None
    earlier = [] if run.conversation_id is None else run_steps.past(session, run.conversation_id, run.id)
    return run, run_steps.lines(session, run_id), earlier
