"""Running a workflow's steps, each saved before what follows from it; a segment ends where all that is left waits."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from kernel.errors import BosunError, StoreError
from kernel.store import runs, workflows
from rules.engine.outcome import SegmentOvertaken
from rules.engine.words import parse_duration
from workflows.engine import history
from workflows.engine.ending import Ending
from workflows.engine.loaded import LoadedRun, load
from workflows.engine.progress import Broken, Under, Walk
from workflows.engine.situation import Situation
from workflows.engine.steps import BlockKind, Done, Parked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.types import Json, Place
    from rules.engine.outcome import Freeze
    from workflows.engine.progress import Leaf

log = logging.getLogger(__name__)

Result = tuple["Leaf", Done | Parked]


def _nothing_follows(_session: Session, _run: Run) -> None:
    """Nobody waits for the end of a run."""


class Runner:
    """Runs the segments of workflow runs."""

    def __init__(
        self,
        situation: Situation,
        *,
        ended: Callable[[Session, Run], None] = _nothing_follows,
        operators: Callable[[], Place | None] = lambda: None,
    ) -> None:
        """`situation` builds what steps are given. `ended` is called in the transaction in which a run ends.

        `operators` is where a run that nobody asked for is told when it fails.
        """
        self.store = situation.store
        self.clock = situation.clock
        self._situation = situation
        self._kinds = situation.kinds
        self._rights = situation.rights
        self._ending = Ending(
            clock=situation.clock,
            rights=situation.rights,
            ended=ended,
            operators=operators,
            kinds=situation.kinds,
        )

    async def segment(self, run_id: str, segment: int) -> None:
        """Do the steps that are left, up to the end or to where all of them wait. Idempotent."""
        while await self._advance(run_id, segment):
            pass

    async def broken(self, run_id: str, segment: int, error: Exception) -> None:
        """End a run whose segment fails for an unknown reason."""
        found = await self.store.read(lambda session: load(session, run_id, segment))
        if found is not None:
            reason = error.message if isinstance(error, BosunError) else "of an error inside Bosun; its log says which"
            await self._write(found, lambda session, run: self._ending.failed(session, run, found, reason))

    async def wake_due(self) -> None:
        """Look again at the runs whose alarm is due. Any process may; one does."""
        now = self.clock.now()
        for run_id in await self.store.read(lambda session: workflows.due_alarms(session, now)):

            def wake(session: Session, run_id: str = run_id) -> None:
                if workflows.take_alarm(session, run_id):
                    runs.next_segment(session, run_id, now)

            await self.store.write(wake)

    async def _advance(self, run_id: str, segment: int) -> bool:
        """Do what can be done now; False where the segment is over."""
        found = await self.store.read(lambda session: load(session, run_id, segment))
        if found is None:
            return False
        if found.run.error is not None:
            return await self._write(found, self._retried(found))
        leaves: Sequence[Leaf] = ()
        standing = Walk(self._kinds, found.saved).standing(found.workflow.steps, found.values)
        if isinstance(standing, Under):
            leaves = standing.leaves
        if found.run.stop_requested_by:
            await self._write(found, lambda session, run: self._stop(session, run, found, leaves))
            return False
        freeze = await self._rights.frozen(found.workflow.channel)
        if freeze is not None and isinstance(standing, Under):
            return await self._write(found, lambda session, run: self._hold(session, run, freeze))
        too_much = self._ending.over_limit(found, self.clock.now())
        if too_much and leaves:
            await self._write(found, lambda session, run: self._give_up(session, run, found, leaves, too_much))
            return False
        if isinstance(standing, Under):
            return await self._do(found, standing.leaves)
        if isinstance(standing, Broken):
            await self._write(found, lambda session, run: self._ending.broken(session, run, found, standing))
        else:
            await self._write(found, lambda session, run: self._ending.done(session, run, found, standing.output))
        return False

    async def _do(self, found: LoadedRun, leaves: Sequence[Leaf]) -> bool:
        """Perform what is to be done, side by side, and save what came of it."""
        now = self.clock.now()
        late = [leaf for leaf in leaves if (deadline := self._deadline(found, leaf)) is not None and deadline <= now]
        pauses = {leaf.path: found.saved.again_at(leaf.path, leaf.step.retry) for leaf in leaves}
        ready = [leaf for leaf in leaves if leaf not in late and ((at := pauses[leaf.path]) is None or at <= now)]
        results: list[Result] = list(
            zip(ready, await asyncio.gather(*(self._perform(found, leaf) for leaf in ready)), strict=True)
        )
        alarms = [at for leaf in leaves if leaf not in ready and leaf not in late and (at := pauses[leaf.path])]
        return await self._write(found, lambda session, run: self._settle(session, run, found, results, late, alarms))

    async def _perform(self, found: LoadedRun, leaf: Leaf) -> Done | Parked:
        """What came of the step. An error of ours is a step that failed; the database's passes."""
        kind = self._kinds.get(leaf.step.kind)
        if kind is None or isinstance(kind, BlockKind):
            return Done(failed=f"the kind of step '{leaf.step.kind}' is gone, and {found.run.ref} was begun with it")
        try:
            options = kind.options.model_validate(leaf.step.options)
            return await kind.perform(options, self._situation.of(found, leaf))
        except (StoreError, SegmentOvertaken):
            raise
        except BosunError as error:
            return Done(failed=error.message)

    def _settle(  # noqa: PLR0917  what one round gave
        self,
        session: Session,
        run: Run,
        found: LoadedRun,
        results: Sequence[Result],
        late: Sequence[Leaf],
        alarms: list[datetime],
    ) -> None:
        """Save one round. The run waits if nothing but waiting is left."""
        now = self.clock.now()
        entries = _Entries(session, run, found.saved.count, now)
        self._cancel_all(session, found, late)
        for leaf in late:
            entries.add(history.failed_entry(leaf.path, f"it took longer than {leaf.step.timeout}", now))
        parked = [(leaf, result) for leaf, result in results if isinstance(result, Parked)]
        for leaf, result in results:
            if isinstance(result, Parked):
                continue
            if result.failed:
                entries.add(history.failed_entry(leaf.path, result.failed, now))
            else:
                entries.add(history.output_entry(leaf.path, result.output))
            if result.save is not None:
                result.save(session)
        moved = entries.count > found.saved.count
        for leaf, _ in parked:
            if leaf.path not in found.saved.begun:
                entries.add(history.begun_entry(leaf.path, now))
        run.updated_at = now
        session.add(run)
        if moved:
            return
        alarms += [result.until for _, result in parked if result.until is not None]
        alarms += [at for leaf, _ in parked if (at := self._deadline(found, leaf, now)) is not None]
        self._park(session, run, found, parked, alarms)

    def _park(
        self,
        session: Session,
        run: Run,
        found: LoadedRun,
        parked: Sequence[tuple[Leaf, Parked]],
        alarms: list[datetime],
    ) -> None:
        run.state = runs.WAITING
        session.add(run)
        session.flush()
        self._ending.say_state(session, run)
        if found.deadline is not None:
            alarms = [*alarms, found.deadline]
        workflows.set_alarm(session, run.id, min(alarms, default=None))
        for _, result in parked:
            result.start(session)

    def _deadline(self, found: LoadedRun, leaf: Leaf, begun: datetime | None = None) -> datetime | None:
        """When the step has taken too long; None where the file sets no time or it has not begun to wait."""
        since = found.saved.begun.get(leaf.path, begun)
        return since + parse_duration(leaf.step.timeout) if leaf.step.timeout and since is not None else None

    def _cancel(self, session: Session, found: LoadedRun, leaf: Leaf) -> None:
        kind = self._kinds.get(leaf.step.kind)
        if kind is None or isinstance(kind, BlockKind) or leaf.path not in found.saved.begun:
            return
        kind.cancel(session, kind.options.model_validate(leaf.step.options), self._situation.of(found, leaf))

    def _stop(self, session: Session, run: Run, found: LoadedRun, leaves: Sequence[Leaf]) -> None:
        self._cancel_all(session, found, leaves)
        self._ending.stopped(session, run, found)

    def _give_up(self, session: Session, run: Run, found: LoadedRun, leaves: Sequence[Leaf], reason: str) -> None:
        self._cancel_all(session, found, leaves)
        self._ending.failed(session, run, found, reason)

    def _hold(self, session: Session, run: Run, freeze: Freeze) -> None:
        """Wait for the thaw; where that has come already, nothing is changed and the segment goes on."""
        if self._rights.hold(session, run.id, freeze):
            run.state = runs.WAITING
            session.add(run)
            session.flush()
            self._ending.say_state(session, run)

    def _cancel_all(self, session: Session, found: LoadedRun, leaves: Sequence[Leaf]) -> None:
        for leaf in leaves:
            self._cancel(session, found, leaf)

    def _retried(self, found: LoadedRun) -> Callable[[Session, Run], None]:
        """A person has it tried again: failures so far do not count."""

        def write(session: Session, run: Run) -> None:
            now = self.clock.now()
            _Entries(session, run, found.saved.count, now).add(history.retried_entry(now))
            run.error = None
            session.add(run)

        return write

    async def _write(self, found: LoadedRun, work: Callable[[Session, Run], None]) -> bool:
        """Do `work` in one transaction, if the segment is still the current one and its run goes on after it."""

        def fenced(session: Session) -> bool:
            run = runs.fence(session, found.run.id, found.run.segment)
            if run is None or run.state != runs.QUEUED:
                return False
            work(session, run)
            session.flush()
            return run.state == runs.QUEUED and run.segment == found.run.segment

        return await self.store.write(fenced)


class _Entries:
    """Adds lines to a run's transcript."""

    def __init__(self, session: Session, run: Run, count: int, now: datetime) -> None:
        self.session = session
        self.run_id = run.id
        self.count = count
        self.now = now

    def add(self, content: Json) -> None:
        self.count += 1
        if not runs.append(self.session, self.run_id, self.count, "note", content, self.now):
            raise SegmentOvertaken
