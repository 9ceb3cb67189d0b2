"""Running a workflow's steps, each saved before the next begins; a segment ends where a step waits for another run."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel import ledger
from kernel.errors import BosunError
from kernel.store import outbox, runs
from kernel.store.database import wake
from kernel.types import Text
from workflows.engine.start import Request
from workflows.engine.steps import Output, Parked, StepContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.store.runs import Run
    from kernel.types import Place
    from workflows.engine.definition import Step, Workflow
    from workflows.engine.steps import Done, Kinds

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A run as it is in the database."""

    run: Run
    request: Request
    outputs: Mapping[str, Output]  # of the steps that are done

    @property
    def workflow(self) -> Workflow:
        """The definition that the run was begun with."""
        return self.request.workflow

    @property
    def next_step(self) -> Step | None:
        """The step to do; None when the workflow is at its end."""
        ended = any(output.ends for output in self.outputs.values())
        return None if ended else next((s for s in self.workflow.steps if s.id not in self.outputs), None)


class Runner:
    """Runs the segments of workflow runs."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        kinds: Kinds,
        directory: Callable[[], Directory],
        has_model: bool,
        operators: Callable[[], Place | None] = lambda: None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.kinds = kinds
        self.directory = directory
        self.has_model = has_model
        self.operators = operators  # where a scheduled run that fails is told

    async def segment(self, run_id: str, segment: int) -> None:
        """Do the steps that are left, up to the end or to a step that waits. Idempotent."""
        while await self._advance(run_id, segment):
            pass

    async def broken(self, run_id: str, segment: int, error: Exception) -> None:
        """End a run whose segment fails for an unknown reason."""
        saved = await self.store.read(lambda session: _load(session, run_id, segment))
        if saved is not None:
            reason = error.message if isinstance(error, BosunError) else "of an error inside Bosun; its log says which"
            await self._write(saved, lambda session, run: self._end(session, run, saved, runs.FAILED, reason))

    async def _advance(self, run_id: str, segment: int) -> bool:
        """Do one step; False where the segment is over."""
        saved = await self.store.read(lambda session: _load(session, run_id, segment))
        if saved is None:
            return False
        step = saved.next_step
        if step is None or saved.run.stop_requested_by:
            await self._write(saved, lambda session, run: self._finish(session, run, saved))
            return False
        result = await self._perform(saved, step)
        if isinstance(result, Parked):
            await self._write(saved, lambda session, run: _park(session, run, result.start))
            return False
        if result.failed:  # not saved: the step is done again when somebody retries the run
            await self._write(saved, lambda session, run: self._end(session, run, saved, runs.FAILED, result.failed))
            return False
        return await self._write(saved, _saver(saved, step, result, self.clock))

    async def _perform(self, saved: Saved, step: Step) -> Done | Parked:
        kind = self.kinds.get(step.kind)
        if kind is None:
            raise BosunError(f"The kind of step '{step.kind}' is gone, and {saved.run.ref} was begun with it.")
        options = kind.options.model_validate(step.options)
        return await kind.perform(options, self._context(saved, step))

    def _context(self, saved: Saved, step: Step) -> StepContext:
        run, workflow = saved.run, saved.workflow
        date = run.created_at.astimezone(ZoneInfo(workflow.zone))
        return StepContext(
            run=run,
            workflow=workflow.name,
            step=step.id,
            since=saved.request.since,
            channel=workflow.channel,
            place=run.where,
            values={
                "workflow.name": workflow.name,
                "workflow.channel": workflow.channel,
                "run.ref": run.ref,
                "run.date": f"{date:%A} {date.day} {date:%B}",
                **{f"steps.{name}.text": output.text for name, output in saved.outputs.items()},
            },
            outputs=saved.outputs,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            directory=self.directory(),
            zone=workflow.zone,
            has_model=self.has_model,
        )

    async def _write(self, saved: Saved, work: Callable[[Session, Run], None]) -> bool:
        """Do `work` in one transaction, if the segment is still the current one."""

        def fenced(session: Session) -> bool:
            run = runs.fence(session, saved.run.id, saved.run.segment)
            if run is None or run.state != runs.QUEUED:
                return False
            work(session, run)
            return True

        return await self.store.write(fenced)

    def _finish(self, session: Session, run: Run, saved: Saved) -> None:
        if run.stop_requested_by:
            _stop_children(session, run, self.clock.now())
            self._end(session, run, saved, runs.STOPPED, "")
        else:
            self._end(session, run, saved, runs.DONE, _answer(saved))

    def _end(self, session: Session, run: Run, saved: Saved, state: str, text: str) -> None:
        """Set the final state and tell whoever is to be told, in one transaction."""
        now = self.clock.now()
        run.state, run.updated_at, run.retry_at = state, now, None
        run.answer, run.error = (text, None) if state == runs.DONE else (None, text or None)
        session.add(run)
        wake(session, runs.STATE, f"{run.id}:{state}")
        ledger.append(
            session, now, f"run.{state}", run.id, {"ref": run.ref, "workflow": run.workflow, "error": run.error}
        )
        place = saved.request.report_to or (None if state == runs.DONE else self.operators() or run.where)
        if place is not None:
            outbox.put(
                session, f"{run.id}:report", place, Text(markdown=_report(saved, state, text)), now, run_id=run.id
            )


def _load(session: Session, run_id: str, segment: int) -> Saved | None:
    run = runs.fence(session, run_id, segment)
    if run is None or run.state != runs.QUEUED:
        return None
    first, *rest = runs.transcript(session, run_id)
    outputs = {entry.content["step"]: Output.model_validate(entry.content["output"]) for entry in rest}
    return Saved(run=run, request=Request.model_validate(first.content), outputs=outputs)


def _saver(saved: Saved, step: Step, done: Done, clock: Clock) -> Callable[[Session, Run], None]:
    number = len(saved.outputs) + 2  # the request is entry 1

    def save(session: Session, run: Run) -> None:
        content = {"step": step.id, "output": done.output.model_dump(mode="json", exclude_defaults=True)}
        now = clock.now()
        if runs.append(session, run.id, number, "note", content, now) and done.save is not None:
            done.save(session)
        run.updated_at = now
        session.add(run)

    return save


def _park(session: Session, run: Run, start: Callable[[Session], None]) -> None:
    run.state, run.error = runs.WAITING, None
    session.add(run)
    session.flush()
    wake(session, runs.STATE, f"{run.id}:{runs.WAITING}")
    start(session)


def _stop_children(session: Session, run: Run, now: datetime) -> None:
    """Have the runs that this one waits for stop too."""
    for child in runs.children(session, run.id):
        if child.state not in runs.FINAL:
            child.stop_requested_by = run.stop_requested_by
            session.add(child)
            session.flush()
            runs.next_segment(session, child.id, now)
            wake(session, runs.STOP, child.id)


def _answer(saved: Saved) -> str:
    """What a run gave: why it ended early, or the text of its last step that has one."""
    texts = [output.ends or output.text for output in saved.outputs.values()]
    return next((text for text in reversed(texts) if text), "")


def _report(saved: Saved, state: str, text: str) -> str:
    name, ref = saved.workflow.name, saved.run.ref
    if state == runs.STOPPED:
        return f"Stopped: **{name}**. Steps that were done stay done. ({ref})"
    if state == runs.FAILED:
        return f"**{name}** did not finish: {text}\n\nSteps that were done stay done. `retry {ref}` goes on from there."
    ended = next((output.ends for output in saved.outputs.values() if output.ends), "")
    return f"{ended} ({ref})" if ended else f"**{name}** is done; the result is in {saved.workflow.channel}. ({ref})"
