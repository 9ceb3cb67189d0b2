"""Workflows in plain words: what makes them begin, what they do step by step, when they begin next. Pure."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from workflows.engine import cron
from workflows.engine.steps import BlockKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from workflows.engine.definition import Step, Timed, Workflow
    from workflows.engine.steps import Kinds, Options
    from workflows.engine.trigger import Trigger

DAY_NAMES = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
ALL_DAYS, WEEKDAYS = frozenset(range(7)), frozenset(range(1, 6))
MISSED = {
    "skip": "what was missed is left out",
    "once": "after downtime the latest is made up for",
    "all": "after downtime all are made up for",
}


def begins(workflow: Workflow) -> list[str]:
    """What makes it begin, each in a sentence without its full stop."""
    found = [_timed(timed) for timed in workflow.timed] + [_event(trigger) for trigger in workflow.events]
    return found or ["By hand only"]


def next_fires(workflow: Workflow, after: datetime, count: int = 5) -> list[datetime]:
    """The next times at which its clock makes it begin, soonest first."""
    found: set[datetime] = set()
    for timed in workflow.timed:
        at = after
        for _ in range(count):
            fire = timed.table.next_after(at)
            if fire is None:
                break
            found.add(fire.at)
            at = fire.at
    return sorted(found)[:count]


def at_in(at: datetime, zone: str) -> str:
    """A time as people in `zone` read it."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M}"


def steps_of(workflow: Workflow, kinds: Kinds) -> list[str]:
    """The steps as a Markdown list, what is inside others indented."""
    return list(_lines(workflow.steps, kinds, ""))


def result_goes_to(workflow: Workflow, kinds: Kinds) -> str:
    """ "#general", "people directly", both, or empty where it posts nothing."""
    found = {options.goes_to() for step in _every(workflow.steps) if (options := options_of(step, kinds)) is not None}
    names = {"channel": workflow.channel, "people": "people directly"}
    return " and ".join(name for kind, name in names.items() if kind in found)


def _every(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        for held in (*step.blocks.values(), step.on_failure):
            if isinstance(held, tuple):
                yield from _every(held)


def step_in_words(step: Step, kinds: Kinds) -> str:
    """What one step does, with what the file says of failures."""
    options = options_of(step, kinds)
    said = options.in_words() if options is not None else f"{step.kind} (this kind of step is gone)"
    more = []
    if step.retry is not None:
        more.append(f"tried {step.retry.times + 1} times")
    if step.timeout:
        more.append(f"at most {step.timeout}")
    if step.on_failure == "go_on":
        more.append("goes on if it fails")
    if step.undo is not None:
        more.append("undone if a later step fails")
    return f"{said} ({'; '.join(more)})" if more else said


def options_of(step: Step, kinds: Kinds) -> Options | None:
    """The options of a step as its kind reads them; None for a kind that is gone."""
    kind = kinds.get(step.kind)
    return kind.options.model_validate(step.options) if kind is not None else None


def _lines(steps: Sequence[Step], kinds: Kinds, indent: str) -> Iterator[str]:
    for number, step in enumerate(steps, start=1):
        yield f"{indent}{number}. {step_in_words(step, kinds)}"
        inside = f"{indent}   "
        kind = kinds.get(step.kind)
        for block, held in step.blocks.items() if isinstance(kind, BlockKind) else ():
            if held and len(step.blocks) > 1:
                yield f"{inside}- {block}:"
                yield from _lines(held, kinds, f"{inside}  ")
            else:
                yield from _lines(held, kinds, inside)
        if isinstance(step.on_failure, tuple):
            yield f"{inside}- if it fails:"
            yield from _lines(step.on_failure, kinds, f"{inside}  ")


def _timed(timed: Timed) -> str:
    trigger = timed.trigger
    said = f"Every {trigger.every}" if trigger.cron is None else cron_in_words(cron.parse(trigger.cron, timed.zone))
    out = f", except {', '.join(trigger.except_)}" if trigger.except_ else ""
    return f"{said}{out}; {MISSED[trigger.missed]}"


def _event(trigger: Trigger) -> str:
    if trigger.message is not None:
        words = " or ".join(f"“{word}”" for word in trigger.message.contains)
        patterns = " or ".join(f"“{pattern}”" for pattern in trigger.message.matches)
        by = f" by somebody of {trigger.message.by}" if trigger.message.by else ""
        wanted = [f"contains {words}"] if words else []
        wanted += [f"is like {patterns}"] if patterns else []
        return f"When a message{by} in {trigger.message.channel} {' or '.join(wanted) or 'comes'}"
    if trigger.reaction is not None:
        signs = " or ".join(trigger.reaction.emoji)
        return f"When somebody of {trigger.reaction.by} puts {signs} on a message in {trigger.reaction.channel}"
    if trigger.button is not None:
        by = f", by somebody of {trigger.button.by}" if trigger.button.by else ""
        return f"With the button “{trigger.button.label}” below the digest of {trigger.button.digest}{by}"
    if trigger.file is not None:
        return f"When a file {trigger.file.path} comes to lie in the workspace"
    if trigger.webhook is not None:
        return f"When a signed request comes to /hooks/{trigger.webhook.name}"
    if trigger.after is not None:
        how = " or ".join("is done" if one == "done" else "has failed" for one in trigger.after.ended)
        return f"When the workflow {trigger.after.workflow} {how}"
    return trigger.kind.capitalize()


def cron_in_words(table: cron.Cron) -> str:
    """ "Every weekday at 09:00 (Europe/Zurich)"; the expression itself where words would be longer than it."""
    if len(table.hours) * len(table.minutes) > 4 or table.every_hour or table.either_day:
        return f"At `{table.text}` ({table.zone})"
    times = [f"{hour:02}:{minute:02}" for hour in sorted(table.hours) for minute in sorted(table.minutes)]
    return f"{_days(table)} at {' and '.join(times)} ({table.zone})"


def _days(table: cron.Cron) -> str:
    months = "" if len(table.months) == 12 else f" of {', '.join(_month(one) for one in sorted(table.months))}"
    if len(table.days) < 31:
        days = ", ".join(f"{day}." for day in sorted(table.days))
        return f"On the {days}{months or ' of every month'}"
    if table.weekdays == ALL_DAYS:
        said = "Every day"
    elif table.weekdays == WEEKDAYS:
        said = "Every weekday"
    else:
        said = f"Every {', '.join(DAY_NAMES[day] for day in sorted(table.weekdays))}"
    return said + months


def _month(number: int) -> str:
    return f"{date(2000, number, 1):%B}"
