"""What will be due of an approval because time passes: who is written to at once, reminders, escalations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import approval_clocks as clocks
from rules.engine import stages
from rules.engine.record import policy_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState

Planned = tuple[str, str, "datetime"]  # name, kind, due


def plan(session: Session, row: ApprovalState, now: datetime) -> None:
    """Plan everything from the beginning of this revision; what happened in an earlier one is not repeated."""
    reminders = enumerate(policy_of(row).reminders) if row.kind == "call" else ()
    later = [(f"remind-{number}", clocks.REMIND, row.created_at + after) for number, after in reminders]
    first = stages.current(policy_of(row), ())
    stage = _stage(row, first, now, row.created_at) if first is not None else ()
    clocks.add(session, row.id, _in_time(row, [*stage, *later]))


def begin_stage(session: Session, row: ApprovalState, stage: int, now: datetime) -> None:
    """Plan what is due once the people of a later stage are asked."""
    clocks.add(session, row.id, _in_time(row, [*_stage(row, stage, now, now)]))


def again(session: Session, row: ApprovalState, now: datetime) -> None:
    """Plan anew, after an edit."""
    clocks.forget(session, row.id)
    plan(session, row, now)


def group_of(name: str) -> int:
    """The group of an escalation, by its name."""
    return int(name.split("-")[1])


def number_of(name: str) -> int:
    """The number of a reminder, by its name."""
    return int(name.split("-")[1])


def _stage(row: ApprovalState, stage: int, now: datetime, asked_at: datetime) -> Iterator[Planned]:
    yield f"invite-{stage}-{row.revision}", clocks.INVITE, now
    for number in sorted(stages.groups_of(policy_of(row), stage)):
        for which, each in enumerate(policy_of(row).groups[number].escalate):
            due = asked_at + timedelta(seconds=each.after)
            yield f"escalate-{number}-{which}-{row.revision}", clocks.ESCALATE, max(due, now)


def _in_time(row: ApprovalState, planned: list[Planned]) -> Iterator[Planned]:
    """Without what would come when nobody can decide any more."""
    return (each for each in planned if row.expires_at is None or each[2] < row.expires_at)
