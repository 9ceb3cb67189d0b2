"""The step `messages`: what people said in a channel, numbered, with an address for each.

It reads a channel only where everybody who reads the workflow's own channel may read it too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from kernel.types import Json, Labelled
from rules.engine.words import parse_duration
from workflows.engine.steps import Done, Options, Output, Reference, Rehearsed

if TYPE_CHECKING:
    from kernel.store import Session
    from workflows.engine.channels import Said
    from workflows.engine.steps import StepContext

LONGEST = 1500  # characters of one message
DAYS = {"today": 0, "yesterday": 1}
LAST_RUN = "last_run"
SCHEMA: Json = {"properties": {"channel": {}, "count": {}, "people": {}, "messages": {}}}
NUMBER = re.compile(r"\[(\d{1,3})\]")


class MessagesOptions(Options):
    """Which channel, and which time."""

    reads_now: ClassVar[bool] = True

    channel: str = ""  # of the charter; empty: the workflow's own
    since: str = LAST_RUN  # or today, yesterday (that whole day), or a while: 24h
    most: int = Field(default=200, ge=1, le=500)  # the newest ones
    if_empty: Literal["end", "go_on"] = "go_on"

    @field_validator("since")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        if text != LAST_RUN and text not in DAYS:
            parse_duration(text)
        return text

    def references(self) -> tuple[Reference, ...]:
        return (Reference(kind="channel", name=self.channel, option="channel"),) if self.channel else ()

    def data_schema(self) -> Json:
        return SCHEMA

    def in_words(self) -> str:
        where = f"in {self.channel}" if self.channel else "in the channel"
        when = "since the last run" if self.since == LAST_RUN else self.since
        when = f"in the last {when}" if self.since not in {LAST_RUN, *DAYS} else when
        return f"read what people said {where} {when}"


class Messages:
    """Reads a channel live."""

    name = "messages"
    options = MessagesOptions

    async def perform(self, options: MessagesOptions, step: StepContext) -> Done:
        name = options.channel or step.channel
        place = step.channels.source(name, step.place) if options.channel else step.place
        if place is None:
            return Done(failed=f"not everybody who reads {step.channel} may read {name}, so it is not told about there")
        since, until = span(options.since, step)
        said = await step.channels.said(place, since, until, options.most)
        zone = ZoneInfo(step.zone)
        lines = [f"[{number}] {one.by}, {_when(one, zone)}: {_text(one)}" for number, one in enumerate(said, start=1)]
        if not lines:
            empty = f"Nobody said anything in {name} between {_moment(since, zone)} and {_moment(until, zone)}."
            return Done(
                output=Output(data=_data(name, []), ends=empty if options.if_empty == "end" else "", note=empty)
            )
        pieces = tuple(
            Labelled(text=line, origin="outside_text" if one.outside else "member_text", source=one.url)
            for line, one in zip(lines, said, strict=True)
        )
        note = f"{len(said)} messages in {name}"
        return Done(output=Output(text="\n".join(lines), data=_data(name, said), pieces=pieces, note=note))

    async def rehearse(self, options: MessagesOptions, step: StepContext) -> Rehearsed:
        found = await self.perform(options, step)
        if found.failed:
            return Rehearsed(says=f"{options.in_words()}: it would fail, {found.failed}", refused=True)
        return Rehearsed(says=f"{options.in_words()} ({found.output.note})", output=found.output)

    def cancel(self, session: Session, options: MessagesOptions, step: StepContext) -> None:
        """Nothing was begun."""


def span(since: str, step: StepContext) -> tuple[datetime, datetime]:
    """The beginning and the end of the time that is asked about, in UTC; days are those of the workflow's zone."""
    now = step.run.created_at
    if since == LAST_RUN:
        return step.since, now
    if since not in DAYS:
        return now - parse_duration(since), now
    zone = ZoneInfo(step.zone)
    day = now.astimezone(zone).date() - timedelta(days=DAYS[since])
    begin, end = (datetime.combine(one, datetime.min.time(), zone) for one in (day, day + timedelta(days=1)))
    return begin.astimezone(UTC), min(end.astimezone(UTC), now)


def linked(text: str, messages: Json) -> str:
    """A text in which [3] opens the third of the messages of a step."""
    urls = {str(one["number"]): one["url"] for one in messages or () if one.get("url")}
    return NUMBER.sub(lambda found: f"[[{found[1]}]]({urls[found[1]]})" if found[1] in urls else found[0], text)


def _data(name: str, said: list[Said]) -> Json:
    return {
        "channel": name,
        "count": len(said),
        "people": len({one.by for one in said}),
        "messages": [
            {"number": number, "by": one.by, "at": one.at.isoformat(), "text": _text(one), "url": one.url}
            for number, one in enumerate(said, start=1)
        ],
    }


def _text(one: Said) -> str:
    line = " ".join(one.text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _when(one: Said, zone: ZoneInfo) -> str:
    return f"{one.at.astimezone(zone):%a %H:%M}"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %H:%M}"


KIND = Messages()
