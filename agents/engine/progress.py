"""The one visible object of a run while it is worked on: shown after some work, edited no faster than allowed.

Progress may be lost and nothing breaks: every write of it is fenced, so it can never cover an answer.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from agents.engine.endings import show
from kernel.errors import StoreError
from kernel.store import run_steps
from kernel.types import Progress, Step, StepStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.engine.ports import Live, Timing
    from agents.engine.transcript import Transcript
    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.store.run_steps import RunState

log = logging.getLogger(__name__)

STEPS = 12  # rows shown


class ProgressShow:
    """Shows one segment's progress. `close` before the run's state is written: after it nothing is shown any more."""

    def __init__(self, *, store: Store, clock: Clock, run: RunState, timing: Timing, live: Live | None) -> None:
        self._store = store
        self._clock = clock
        self._run = run
        self._timing = timing
        self._live = live
        self._steps: dict[str, Step] = {}
        self._partial = ""
        self._agent = ""
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False
        loop = asyncio.get_running_loop()
        self._next = loop.time() + timing.time_to_progress  # no earlier, then at most every `edit_interval`

    def agent(self, shown: str) -> None:
        """Who works on it now."""
        self._agent = shown

    def text(self, partial: str) -> None:
        """The answer so far."""
        self._partial = partial
        self._changed()

    def step(self, key: str, title: str, status: StepStatus = "running", detail: str = "") -> None:
        """A row, new or changed."""
        self._steps[key] = Step(id=key, title=_line(title, 80), status=status, detail=_line(detail, 200))
        self._changed()

    def finish(self, key: str, *, error: bool, detail: str) -> None:
        """A row is done. A failure that the agent can work around is told in its detail, not as an alarm."""
        self.step(
            key, self._steps[key].title if key in self._steps else key, "done", f"failed: {detail}" if error else detail
        )

    @property
    def progress(self) -> Progress:
        """What is to be seen now."""
        steps = list(self._steps.values())
        if len(steps) > STEPS:
            folded = len(steps) - STEPS + 1
            steps = [Step(id="earlier", title=f"{folded} earlier steps", status="done"), *steps[folded:]]
        return Progress(
            title=f"{self._agent} is working on it" if self._agent else "Working on it",
            agent=self._agent or None,
            steps=tuple(steps),
            partial=self._partial,
            run=self._run.ref,
        )

    async def close(self) -> None:
        """Show nothing more; a write that is under way is waited for."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._flushing is not None:
            await self._flushing

    def _changed(self) -> None:
        if self._closed or self._timer is not None or self._run.parent_id is not None:
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(max(self._next, loop.time()), self._due)

    def _due(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        if self._flushing is not None and not self._flushing.done():  # the database is slower than the interval
            self._timer = loop.call_later(self._timing.edit_interval, self._due)
            return
        self._next = loop.time() + self._timing.edit_interval
        progress = self.progress
        if self._live is None or not self._live(self._run.id, self._run.where, progress):
            self._flushing = asyncio.create_task(self._flush(progress))

    async def _flush(self, progress: Progress) -> None:
        run_id, segment, now = self._run.id, self._run.segment, self._clock.now()

        def write(session: Session) -> None:
            run = run_steps.take(session, run_id, segment)
            if run is not None:
                known = run_steps.copy(run)
                show(session, run, progress, now)
                run_steps.keep(session, run, known)

        try:
            await self._store.write(write)
        except StoreError as error:
            log.warning("progress of %s is not shown: %s", self._run.ref, error)


def steps_so_far(show: ProgressShow, transcript: Transcript, title_of: dict[str, str]) -> None:
    """The rows of what earlier segments of the run did."""
    for line in transcript.lines:
        if "handover" in line.content:
            to = line.content["handover"]["to"]
            show.step(f"handover-{line.number}", asking(title_of.get(to, to)), "done")
        elif line.kind == "results":
            for result in line.content["results"]:
                if not result.get("handover"):
                    show.step(result["use_id"], purpose(result["tool"]))
                    show.finish(result["use_id"], error=result["error"], detail=result["summary"])


def asking(shown: str) -> str:
    """The row of a handover."""
    return f"Asking {shown}"


def purpose(tool: str) -> str:
    """A tool's name as the title of a row."""
    return tool.replace("_", " ").strip().capitalize() or "Working"


def waiting(progress: Progress, refs: Iterable[str]) -> Progress:
    """The same progress, with a row for every approval that the run waits for."""
    rows = tuple(Step(id=ref, title=f"Waiting for approval {ref}", status="waiting") for ref in refs)
    kept = tuple(step for step in progress.steps if step.status != "running")
    return progress.model_copy(update={"steps": (*kept, *rows), "partial": ""})


def _line(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
