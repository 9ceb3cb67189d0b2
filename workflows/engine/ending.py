"""How a run of a workflow ends: its last state, what people are told, and what begins because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import ledger
from kernel.canonical import digest
from kernel.store import outbox, runs, workflows
from kernel.store.database import wake
from kernel.types import Action, Text
from workflows.engine import history, wording

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kernel.clock import Clock
    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.types import Place
    from workflows.engine.loaded import LoadedRun
    from workflows.engine.progress import Broken
    from workflows.engine.rights import Rights
    from workflows.engine.steps import Kinds, Output


class Ending:
    """Ends runs, each in the caller's transaction."""

    def __init__(
        self,
        *,
        clock: Clock,
        rights: Rights,
        ended: Callable[[Session, Run], None],
        operators: Callable[[], Place | None],
        kinds: Kinds,
    ) -> None:
        self.clock = clock
        self.rights = rights
        self.ended = ended
        self.operators = operators
        self.kinds = kinds

    def over_limit(self, found: LoadedRun, now: datetime) -> str:
        """Why the run may not go on; empty while it keeps to its limits."""
        limits = found.workflow.limits
        if limits.cost is not None and found.cost >= limits.cost:
            return f"it has used up its {limits.cost:.2f} USD for models"
        if found.deadline is not None and now >= found.deadline:
            return f"it took longer than {limits.time}"
        return ""

    def reason(self, found: LoadedRun, broken: Broken) -> str:
        """Why a run has failed, with what was undone because of it."""
        undone = [path.removeprefix("undo/") for path in found.saved.outputs if path.startswith("undo/")]
        stuck = [path.removeprefix("undo/") for path in found.saved.failures if path.startswith("undo/")]
        parts = [f"{broken.path}: {broken.reason}"]
        if undone:
            parts.append(f"Undone: {', '.join(undone)}.")
        if stuck:
            parts.append(f"Could not be undone: {', '.join(stuck)}.")
        return " ".join(parts)

    def done(self, session: Session, run: Run, found: LoadedRun, output: Output) -> None:
        """All its steps are done."""
        number = found.saved.count + 1
        runs.append(session, run.id, number, "note", history.result_entry(output), self.clock.now())
        self._end(session, run, found, runs.DONE, output.ends or output.text)

    def failed(self, session: Session, run: Run, found: LoadedRun, reason: str) -> None:
        """It cannot go on."""
        self._end(session, run, found, runs.FAILED, reason)

    def broken(self, session: Session, run: Run, found: LoadedRun, at: Broken) -> None:
        """It cannot go on because of a step, which a person may have skipped."""
        skips = at.path in found.saved.failures
        if skips:
            number = found.saved.count + 1
            runs.append(session, run.id, number, "note", history.broken_entry(at.path), self.clock.now())
        self._end(session, run, found, runs.FAILED, self.reason(found, at), skips=skips)

    def stopped(self, session: Session, run: Run, found: LoadedRun) -> None:
        """Somebody wanted it to stop."""
        self._end(session, run, found, runs.STOPPED, "")

    def say_state(self, session: Session, run: Run) -> None:
        """Wake whoever shows the state of runs."""
        wake(session, runs.STATE, f"{run.id}:{run.state}")

    def _end(self, session: Session, run: Run, found: LoadedRun, state: str, text: str, *, skips: bool = False) -> None:
        """Set the final state and tell whoever is to be told, in one transaction."""
        now = self.clock.now()
        run.state, run.updated_at, run.retry_at = state, now, None
        run.answer, run.error = (text, None) if state == runs.DONE else (None, text or "stopped")
        session.add(run)
        session.flush()
        workflows.set_alarm(session, run.id, None)
        if state != runs.DONE:
            self.rights.withdraw(session, run.id, "its workflow has ended")
        self.say_state(session, run)
        entry = {
            "ref": run.ref,
            "workflow": run.workflow,
            "requester": run.requester,
            "request": digest(run.request),
            "error": run.error,
            "cost_usd": round(found.cost, 6),
        }
        ledger.append(session, now, f"run.{state}", run.id, entry)
        self._report(session, run, found, state, text, skips=skips)
        parent = found.request.parent
        if parent is not None:
            runs.next_segment(session, parent, now)
        self.ended(session, run)

    def _report(self, session: Session, run: Run, found: LoadedRun, state: str, text: str, *, skips: bool) -> None:
        place = found.request.report_to or (None if state == runs.DONE else self.operators() or run.where)
        if place is None:
            return
        said = self._in_words(found, state, text)
        actions: tuple[Action, ...] = ()
        if state == runs.FAILED:
            said += f" `skip {run.ref}` does without the step that failed." if skips else ""
            actions = _after_failure(run.ref, skips=skips)
        body = Text(markdown=said, actions=actions)
        row_id = f"{run.id}-report-{found.saved.count}"  # one for each time that it ends: it can be retried
        outbox.put(session, row_id, place, body, self.clock.now(), run_id=run.id)

    def _in_words(self, found: LoadedRun, state: str, text: str) -> str:
        name, ref = found.workflow.name, found.run.ref
        if state == runs.STOPPED:
            return f"Stopped: **{name}**. Steps that were done stay done. ({ref})"
        if state == runs.FAILED:
            again = f"Steps that were done stay done. `retry {ref}` goes on from there."
            return f"**{name}** did not finish: {text}\n\n{again}"
        ended = next((output.ends for output in found.saved.outputs.values() if output.ends), "")
        if ended:
            return f"{ended} ({ref})"
        to = wording.result_goes_to(found.workflow, self.kinds)
        return f"**{name}** is done{f'; the result went to {to}' if to else ''}. ({ref})"


def _after_failure(ref: str, *, skips: bool) -> tuple[Action, ...]:
    """What people can do about a failed run."""
    retry = Action(subject=ref, verb="retry", label="Retry", style="primary")
    skip = Action(subject=ref, verb="skip", label="Skip step")
    details = Action(subject=ref, verb="details", label="Details")
    return (retry, skip, details) if skips else (retry, details)
