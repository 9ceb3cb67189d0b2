"""The step `digest`: one message of what waits, what was done, what comes and how much it was, with buttons that act.

It shows what readers of the channel may know: the channel's own conversations and workflows, and other channels only
through a step `messages`, which looks at who reads both.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from kernel.people import RoleUnknownError
from kernel.store import activity, outbox, runs
from kernel.types import Action, Confirm, Frozen, Json, Labelled, Text
from rules.engine.words import Names, TimeOfDay
from workflows.collect import nothing
from workflows.engine import buttons, chart, happenings, helped, personal, posting, quiet, template, wording
from workflows.engine.chart import Day
from workflows.engine.steps import Done, Options, Output, Parked, Reference, Rehearsed, derived_id
from workflows.messages import linked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from kernel.store.approvals import Approval
    from kernel.store.feedback import Said
    from kernel.types import Person
    from workflows.engine.chart import Chart
    from workflows.engine.happenings import Happenings
    from workflows.engine.steps import StepContext

UPCOMING, AHEAD = 5, timedelta(days=7)
DAYS = 14  # bars of the chart
APPROVALS = 3  # that can be approved from the digest itself
AT_ONCE = ("hand", "button")  # whoever begins it so wants it now
CENT = 0.01  # USD
MESSAGES = 5  # of a channel that nobody has summed up
MOST_USED = 80  # percent of a budget, from which on it is told
Section = Literal[
    "needs", "going", "done", "decisions", "upcoming", "budgets", "failures", "feedback", "channels", "numbers"
]
ALL: tuple[Section, ...] = (
    *("needs", "going", "done", "decisions", "upcoming", "budgets", "failures", "feedback", "channels", "numbers"),
)


class Told(Frozen):
    """A channel that is told about: the step that read it, and the step that summed it up."""

    messages: str  # id of a step `messages`
    summary: str = ""  # id of a step whose text sums it up; [3] in it opens the third message


class DigestOptions(Options):
    """What it holds, in which order, and when it is not posted."""

    reads_now: ClassVar[bool] = True

    title: str = "Digest of {workflow.channel}, {run.date}"
    intro: str = ""  # may hold places
    sections: tuple[Section, ...] = Field(default=ALL, min_length=1)
    channels: tuple[Told, ...] = ()
    most: int = Field(default=10, ge=1, le=50)  # lines of each section
    chart: bool = True
    quiet: str | None = None  # "20:00-08:00" in the workflow's zone: what is due then waits until they are over
    to: Names | tuple[()] = ()  # roles: their people get it directly, each with their own times; none: the channel
    at: TimeOfDay | None = None  # with `to`: when it is this late where each of them is
    if_empty: Literal["end", "post"] = "end"
    footer: str = "{run.ref}"

    @field_validator("quiet")
    @classmethod
    def _are_hours(cls, text: str | None) -> str | None:
        if text is not None:
            quiet.hours(text)
        return text

    @model_validator(mode="after")
    def _fits(self) -> DigestOptions:
        if self.at is not None and not self.to:
            raise ValueError("'at' is for digests that go to people: say with 'to' to whom")
        return self

    def references(self) -> tuple[Reference, ...]:
        roles = tuple(Reference(kind="role", name=name, option="to") for name in self.to)
        names = [name for told in self.channels for name in (told.messages, told.summary) if name]
        return (*roles, *(Reference(kind="step", name=name, option="channels") for name in names))

    def templates(self) -> Mapping[str, Json]:
        return {"title": self.title, "intro": self.intro, "footer": self.footer}

    def goes_to(self) -> Literal["channel", "people"]:
        return "people" if self.to else "channel"

    def in_words(self) -> str:
        when = f", not between {self.quiet.replace('-', ' and ')}" if self.quiet else ""
        what = ", ".join(self.sections)
        if not self.to:
            return f"post a digest ({what}){when}"
        at = f" at {self.at} where they are" if self.at else ""
        return f"send everybody of {' or '.join(self.to)} a digest ({what}){at}, not in their quiet hours{when}"


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A digest, before it is posted."""

    body: Text
    days: tuple[Day, ...]  # of the chart; none: there is no chart

    async def chart(self) -> Chart | None:
        return await asyncio.to_thread(chart.of_requests, self.days) if self.days else None


class Digest:
    """Posts it once for each run; a run within ten minutes of the last one edits its message."""

    name = "digest"
    options = DigestOptions

    async def perform(self, options: DigestOptions, step: StepContext) -> Done | Parked:
        if options.to:
            return await _to_people(options, step)
        until = _quiet_until(options, step)
        if until is not None:
            return Parked(until=until)
        made = await _make(options, step)
        if made is None:
            empty = nothing(step)
            return Done(output=Output(ends=empty, note=empty))
        picture = await made.chart()

        def save(session: Session) -> None:
            row = posting.show(session, step, made.body, buttons.subject(step.run))
            if picture is not None and row == posting.row_id(step.run, step.path):  # an edited digest keeps its chart
                _attach(session, step, row, picture)

        text = made.body.markdown
        return Done(output=Output(text=text, pieces=(Labelled(text=text, origin="member_text"),)), save=save)

    async def rehearse(self, options: DigestOptions, step: StepContext) -> Rehearsed:
        if options.to:
            return await _rehearsed(options, step)
        until = _quiet_until(options, step)
        made = await _make(options, step)
        if made is None:
            empty = nothing(step)
            return Rehearsed(says="post nothing", output=Output(ends=empty), text=empty)
        labels = ", ".join(action.label for action in made.body.actions)
        says = f"post this in {step.channel}{' with a chart' if made.days else ''} and the buttons {labels}:"
        return Rehearsed(says=says, output=Output(text=made.body.markdown), text=made.body.markdown, until=until)

    def cancel(self, session: Session, options: DigestOptions, step: StepContext) -> None:
        """Nothing was begun."""


async def _to_people(options: DigestOptions, step: StepContext) -> Done | Parked:
    """One for each reader, when it suits them: the step is done again for the next one who is due."""
    at_once = template.look_up("trigger.kind", step.values) in AT_ONCE
    try:
        everybody = await personal.readers(options.to, step, options.at, options.quiet, at_once=at_once)
    except RoleUnknownError:
        return Done(failed=f"who is {' or '.join(options.to)} cannot be looked up now")
    now, name = step.clock.now(), step.workflow.name
    come = await step.store.read(lambda session: personal.look(session, name, everybody))
    held = {one.row: personal.held_until(one, now, step.zone) for one in come.waiting}
    due = [reader for reader in come.waiting if held[reader.row] is None]
    found = [(reader, await _make(options, personal.seen_by(step, reader), reader.person)) for reader in due]
    bodies = [(reader, made) for reader, made in found if made is not None]
    charts = {made.days: await made.chart() for _, made in bodies}

    def save(session: Session) -> None:
        for reader, made in bodies:
            personal.send(session, reader, step, made.body, charts[made.days])

    later = [until for until in held.values() if until is not None]
    if later:
        return Parked(start=save, until=min(later))
    sent = come.sent + len(bodies)
    if not sent:
        empty = nothing(step)
        return Done(output=Output(ends=empty, note=empty))
    return Done(output=Output(note=f"Sent to {sent} of {len(everybody)} people."), save=save)


async def _rehearsed(options: DigestOptions, step: StepContext) -> Rehearsed:
    try:
        everybody = await personal.readers(options.to, step, options.at, options.quiet, at_once=False)
    except RoleUnknownError:
        return Rehearsed(says=f"{options.in_words()}: who that is cannot be looked up now")
    made = await _make(options, step)
    if made is None:
        return Rehearsed(says="send nothing", output=Output(ends=nothing(step)), text=nothing(step))
    names = "; ".join(
        f"{one.person.name} at {wording.at_in(one.due, one.person.time_zone or step.zone)}" for one in everybody
    )
    until = max((one.due for one in everybody), default=None)
    said = f"send this directly to {names or 'nobody'}, each with what waits for them and their own times:"
    return Rehearsed(says=said, output=Output(), text=made.body.markdown, until=until)


def _quiet_until(options: DigestOptions, step: StepContext) -> datetime | None:
    """When the quiet hours end; None outside them, and for somebody who wants it now."""
    by_hand = template.look_up("trigger.kind", step.values) in AT_ONCE
    return None if by_hand or options.quiet is None else quiet.over_at(options.quiet, step.clock.now(), step.zone)


async def _make(options: DigestOptions, step: StepContext, reader: Person | None = None) -> _Made | None:
    """The digest; None where there is nothing to tell. For a `reader`, of what waits only what waits for them."""
    found = await step.store.read(lambda session: happenings.read(session, step))
    if reader is not None:
        mine, roles = await step.rights.waiting_for(reader), await step.directory.roles_of(reader)
        found = replace(
            found,
            waiting=[row for row in found.waiting if row.ref in mine],
            forms=[form for form in found.forms if roles & set(form.who)],
        )
    line = happenings.Lines(step, found)
    days = await step.store.read(lambda session: _days(session, step))
    told = _channels(options, step)
    sections = {
        "needs": _needs(found, step, options.most),
        "going": happenings.section("Still going on", map(line.going, found.going), options.most),
        "done": happenings.section("Done", map(line.done, found.done), options.most),
        "decisions": happenings.section("Decided", map(line.decision, found.decisions), options.most),
        "failures": _failures(found, step, options.most),
        "channels": told,
    }
    happened = any(sections[name] for name in sections if name in options.sections)
    if not happened and options.if_empty == "end":
        return None
    sections["upcoming"] = _upcoming(step)
    sections["budgets"] = await step.store.read(lambda session: _budgets(session, step, options.most))
    opinions = await helped.opinions(step, step.since)
    sections["feedback"] = helped.section(opinions, line, options.most)
    sections["numbers"] = await step.store.read(lambda session: _numbers(session, step, found, opinions))
    parts = [f"### {template.fill(options.title, step.values)}", template.fill(options.intro, step.values)]
    parts += [sections[name] for name in options.sections]
    body = Text(
        markdown="\n\n".join(part for part in parts if part),
        footer=template.fill(options.footer, step.values),
        actions=_actions(found, step, reader),
    )
    shown = options.chart and "numbers" in options.sections and any(one.done + one.failed for one in days)
    return _Made(body=body, days=days if shown else ())


def _needs(found: Happenings, step: StepContext, most: int) -> str:
    line = happenings.Lines(step, found)
    return happenings.section("Needs you", [*map(line.waiting, found.waiting), *map(line.form, found.forms)], most)


def _failures(found: Happenings, step: StepContext, most: int) -> str:
    line = happenings.Lines(step, found)
    return happenings.section("Failed", [*map(line.failed, found.failed), *map(line.job, found.jobs)], most)


def _budgets(session: Session, step: StepContext, most: int) -> str:
    """What is nearly or wholly used, of what everybody here may know."""
    found = [
        use
        for use in step.rights.spent(session, step.clock.now())
        if use.percent >= MOST_USED and not use.private
        if not use.channel or step.channels.source(use.channel, step.place) is not None
    ]
    lines = (f"{happenings.plain(use.title)}: {happenings.plain(use.detail)}" for use in found)
    return happenings.section("Budgets nearly used up", lines, most)


def _channels(options: DigestOptions, step: StepContext) -> str:
    """What was said in other channels, each with addresses that open the messages."""
    parts = []
    for told in options.channels:
        read = step.outputs.get(told.messages)
        data = read.data if read is not None and isinstance(read.data, dict) else {}
        if not data.get("count"):
            continue
        summary = step.outputs[told.summary].text if told.summary in step.outputs else ""
        people = "1 person" if data["people"] == 1 else f"{data['people']} people"
        head = f"**{data['channel']}**: {data['count']} messages by {people}"
        parts.append(f"{head}\n\n{linked(summary, data['messages']) if summary else _last_said(data['messages'])}")
    return "\n\n".join(parts)


def _last_said(messages: list[Json]) -> str:
    lines = []
    for one in messages[-MESSAGES:]:
        said = happenings.plain(one["text"])
        opens = f" ([open]({one['url']}))" if one["url"] else ""
        lines.append(f"- {happenings.plain(one['by'])}: {said}{opens}")
    return "\n".join(lines)


def _upcoming(step: StepContext) -> str:
    """What runs next by itself, of the workflows whose channel the readers may read."""
    now = step.clock.now()
    found = [
        (fires[0], workflow)
        for workflow in step.begin.workflows().values()
        if (fires := wording.next_fires(workflow, now, 1)) and fires[0] - now <= AHEAD
        if step.channels.source(workflow.channel, step.place) is not None
    ]
    soonest = sorted(found, key=lambda one: (one[0], one[1].name))[:UPCOMING]
    lines = [f"- {workflow.name}, {wording.at_in(at, step.zone)}" for at, workflow in soonest]
    return "\n".join(["**Coming up**", "", *lines]) if lines else ""


def _numbers(session: Session, step: StepContext, found: Happenings, opinions: list[Said]) -> str:
    """How much it was since the last run."""
    cost = activity.cost(session, step.place, step.since, step.run.created_at)
    failed = len(found.failed) + len(found.jobs)
    parts = [f"{len(found.done)} done", f"{failed} not finished", f"{len(found.decisions)} decided"]
    parts += [f"{cost:.2f} USD for models"] if cost >= CENT / 2 else []
    parts += [helped.share(opinions)] if opinions else []
    return f"**In numbers**: {', '.join(parts)}"


def _days(session: Session, step: StepContext) -> tuple[Day, ...]:
    """The channel's requests of the last days, by the day in the workflow's zone."""
    zone = ZoneInfo(step.zone)
    today = step.run.created_at.astimezone(zone).date()
    first = today - timedelta(days=DAYS - 1)
    since = datetime.combine(first, datetime.min.time(), zone)
    ended = activity.ended(session, step.place, since, step.run.created_at, limit=5000)
    count = Counter((run.updated_at.astimezone(zone).date(), run.state == runs.DONE) for run in ended)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return tuple(Day(day=day, done=count[day, True], failed=count[day, False]) for day in days)


def _actions(found: Happenings, step: StepContext, reader: Person | None) -> tuple[Action, ...]:
    easy = [row for row in found.waiting if _is_easy(row)][:APPROVALS]
    return (
        *(_approve(row) for row in easy),
        Action(
            subject="dashboard",
            verb="open",
            label="Open dashboard",
            style="link",
            url=step.channels.dashboard(step.place),
        ),
        *buttons.of(step.workflow.name, step.run, step.begin.workflows(), shared=reader is None),
    )


def _is_easy(row: Approval) -> bool:
    """A press is enough for it: nothing is to be typed and nothing is warned of."""
    return not (row.policy or {}).get("confirm") and not (row.preview or {}).get("warning")


def _approve(row: Approval) -> Action:
    headline = str((row.preview or {}).get("headline") or row.tool)
    return Action(
        subject=row.ref,
        revision=row.revision,
        verb="approve",
        label=f"Approve {row.ref}"[:34],
        style="primary",
        confirm=Confirm(title=f"Approve {row.ref}?", text=headline[:300], label="Approve"),
    )


def _attach(session: Session, step: StepContext, row: str, of: Chart) -> None:
    row_id = derived_id(posting.after(step.run), step.run.id, step.path, "chart")
    outbox.put_file(session, row_id, step.place, of.name, of.content, of.alt, step.clock.now(), row, step.run.id)


KIND = Digest()
