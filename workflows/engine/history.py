"""What is saved of a run of a workflow, as its transcript tells it: outputs, failures, waits and retries of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from kernel.store import runs
from workflows.engine.steps import Output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.store import Session
    from kernel.store.runs import Entry, Run
    from kernel.types import Json
    from workflows.engine.definition import Retry


@dataclass(frozen=True, kw_only=True)
class Saved:
    """The steps of one run, by path."""

    outputs: Mapping[str, Output]  # of the steps that are done
    failures: Mapping[str, tuple[tuple[datetime, str], ...]]  # when and why, since the last retry
    begun: Mapping[str, datetime]  # since when steps wait, in their present attempt
    broken: str | None  # the step whose failure has ended the run, since the last retry
    retried_at: datetime | None  # when a person had it tried again
    count: int  # entries of the transcript

    def touched(self, prefix: str) -> bool:
        """Whether anything has happened below this path."""
        return any(path.startswith(prefix) for known in (self.outputs, self.failures, self.begun) for path in known)

    def failure(self, path: str, retry: Retry | None) -> str | None:
        """Why the step has failed for good; None while it is done again, or has not failed."""
        failed = self.failures.get(path, ())
        allowed = retry.times if retry is not None else 0
        return failed[-1][1] if len(failed) > allowed else None

    def again_at(self, path: str, retry: Retry | None) -> datetime | None:
        """When a step that has failed is to be done again; None where nothing has to be waited for."""
        failed = self.failures.get(path, ())
        return failed[-1][0] + retry.pause(len(failed)) if failed and retry is not None else None


def read(entries: Iterable[Entry]) -> Saved:
    """What the entries of a transcript say. The first one is the request."""
    outputs: dict[str, Output] = {}
    failures: dict[str, tuple[tuple[datetime, str], ...]] = {}
    begun: dict[str, datetime] = {}
    broken: str | None = None
    retried: datetime | None = None
    count = 0
    for entry in entries:
        count += 1
        content = entry.content
        path = str(content.get("step", ""))
        if entry.kind != "note":
            continue
        if "retried" in content:
            retried = datetime.fromisoformat(content["retried"])
            undone = {key.removeprefix("undo/") for key in outputs if key.startswith("undo/")}
            outputs = {
                key: value for key, value in outputs.items() if key not in undone and not key.startswith("undo/")
            }
            failures, broken = {}, None
        elif "broken" in content:
            broken = str(content["broken"])
        elif "output" in content:
            outputs[path] = Output.model_validate(content["output"])
        elif "failed" in content:
            known = failures.get(path, ())
            failures[path] = (*known, (datetime.fromisoformat(content["at"]), str(content["failed"])))
            begun.pop(path, None)
        elif "begun" in content:
            begun[path] = datetime.fromisoformat(content["begun"])
    return Saved(outputs=outputs, failures=failures, begun=begun, broken=broken, retried_at=retried, count=count)


def output_entry(path: str, output: Output) -> Json:
    """The step is done."""
    return {"step": path, "output": output.model_dump(mode="json", exclude_defaults=True)}


def failed_entry(path: str, reason: str, now: datetime) -> Json:
    """The step has failed."""
    return {"step": path, "failed": reason, "at": now.isoformat()}


def broken_entry(path: str) -> Json:
    """The run ends because this step has failed for good."""
    return {"broken": path}


def skip(session: Session, run_id: str, by: str, now: datetime) -> str:
    """Have the run go on, once it is tried again, as if the step that ended it had given nothing.

    Gives the step; empty, and nothing changed, where no step has ended the run.
    """
    saved = read(runs.transcript(session, run_id))
    if saved.broken is None:
        return ""
    given = output_entry(saved.broken, Output(note=f"skipped by {by}", failed=True))
    runs.append(session, run_id, saved.count + 1, "note", given, now)
    return saved.broken


def begun_entry(path: str, now: datetime) -> Json:
    """The step waits."""
    return {"step": path, "begun": now.isoformat()}


def retried_entry(now: datetime) -> Json:
    """A person has the run tried again: failures before do not count, and what was undone is done again."""
    return {"retried": now.isoformat()}


def result_entry(output: Output) -> Json:
    """The run is at its end, and this is what it gave."""
    return {"result": output.model_dump(mode="json", exclude_defaults=True)}


def begun_by(session: Session, run: Run) -> str:
    """The id of the person who asked for the run, or began it by hand; empty where a trigger did."""
    if run.workflow is None:
        return run.requester
    first = runs.first_entry(session, run.id)
    return "" if first is None else str(first.content.get("asked_by") or "")


def result_of(session: Session, run_id: str) -> Output:
    """What a run gave that is at its end: its last entry says it."""
    last = runs.last_entry(session, run_id)
    return Output.model_validate(last.content["result"]) if last is not None and "result" in last.content else Output()
