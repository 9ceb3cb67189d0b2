"""Digests that go to people directly: who gets one, when it suits each of them, and with whose time of day."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel.store import outbox, workflows
from kernel.types import Place
from rules.engine.quiet import quiet_until
from workflows.engine import buttons, cron, posting, quiet
from workflows.engine.loaded import day_in_words
from workflows.engine.steps import derived_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from kernel.store import Session
    from kernel.types import Actor, Person, Text
    from workflows.engine.chart import Chart
    from workflows.engine.steps import StepContext

LOOKS = 4  # quiet hours and a time of day are looked at by turns


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody who gets a digest of their own."""

    person: Person
    actor: Actor  # where they are written to
    due: datetime
    hours: str | None  # in which nothing may come, beside their own
    row: str  # of the outbox: the same each time the step is done
    asked: bool  # they want it now


@dataclass(frozen=True, kw_only=True)
class Round:
    """How far a digest has come round."""

    waiting: tuple[Reader, ...]  # those who have got none yet, and want one
    sent: int  # how many have got one


async def readers(
    roles: Iterable[str], step: StepContext, at: str | None, hours: str | None, *, at_once: bool
) -> list[Reader]:
    """The people of the roles who read the channel and can be written to. RoleUnknownError where it cannot be told.

    Each is due at the first time from the beginning of the run on that is `at` where they are, if given, in no quiet
    hours of theirs, and not in `hours`. `at_once`, as where somebody began it by hand: as soon as it is in no quiet
    hours of theirs, and for whoever began it at once.
    """
    if at_once:
        at, hours = None, None
    people = {person.id: person for role in roles for person in await step.directory.holders(role)}
    begun, found = step.run.created_at, []
    for person in sorted(people.values(), key=lambda one: one.id):
        actor = step.channels.direct(person, step.place)
        if actor is not None and step.channels.reads(person, step.place):
            asked = at_once and person.id == step.asked_by
            due = begun if asked else due_for(person, begun, step.zone, at, hours)
            row = derived_id(begun, step.run.id, step.path, person.id)
            found.append(Reader(person=person, actor=actor, due=due, hours=hours, row=row, asked=asked))
    return found


def due_for(person: Person, begun: datetime, zone: str, at: str | None, hours: str | None) -> datetime:
    """When it suits this person. `zone` is of people whose own is not known."""
    here = person.time_zone or zone
    due = begun
    for _ in range(LOOKS):
        before = due
        if at is not None and f"{due.astimezone(ZoneInfo(here)):%H:%M}" != at:
            due = cron.next_at(at, here, due) or due
        due = quiet_until(person.model_copy(update={"time_zone": here}), due) or due
        due = (quiet.over_at(hours, due, here) if hours else None) or due
        if due == before:
            break
        at = None  # it was that time; what is left are hours in which nothing may come
    return due


def held_until(reader: Reader, now: datetime, zone: str) -> datetime | None:
    """When the reader may be written to; None where that is now. What was late may meet their next quiet hours."""
    if reader.asked:
        return None
    if reader.due > now:
        return reader.due
    later = due_for(reader.person, now, zone, None, reader.hours)
    return later if later > now else None


def seen_by(step: StepContext, reader: Reader) -> StepContext:
    """The step with the times of the reader's own zone."""
    zone = reader.person.time_zone or step.zone
    run = {**step.values["run"], "date": day_in_words(step.run.created_at, zone)}
    return replace(
        step,
        workflow=step.workflow.model_copy(update={"zone": zone}),
        values=ChainMap({"run": run}, step.values),  # type: ignore[arg-type]  # it only reads the second
    )


def look(session: Session, workflow: str, found: Sequence[Reader]) -> Round:
    """How far it has come. Who has snoozed the workflow beyond when they are due gets none."""
    snoozed = workflows.snoozed(session, workflow)
    unsent = [reader for reader in found if session.get(outbox.OutboxRow, reader.row) is None]
    waiting = (one for one in unsent if one.asked or snoozed.get(one.person.id, one.due) <= one.due)
    return Round(waiting=tuple(waiting), sent=len(found) - len(unsent))


def send(session: Session, reader: Reader, step: StepContext, body: Text, chart: Chart | None) -> None:
    """Queue it for the reader's direct messages, once; the chart comes after it."""
    actor, now, run = reader.actor, step.clock.now(), step.run
    place = Place(platform=actor.platform, tenant=actor.tenant, channel="", kind="dm")
    outbox.put(session, reader.row, place, body, now, to=actor, run_id=run.id, subject=buttons.subject(run))
    if chart is not None:
        row = derived_id(posting.after(run), run.id, step.path, reader.person.id, "chart")
        outbox.put_file(session, row, place, chart.name, chart.content, chart.alt, now, run_id=run.id, to=actor)
