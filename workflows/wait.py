"""The step `wait`: until a time, or for a while. A run that waits is a row and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from kernel.errors import BosunError
from kernel.types import Json
from rules.engine.words import Duration, TimeOfDay, parse_duration
from workflows.engine import template
from workflows.engine.cron import next_at
from workflows.engine.steps import Done, Options, Output, Parked, Rehearsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from workflows.engine.steps import StepContext


class NoTimeError(BosunError):
    """What `wait` is to wait for is no time."""

    code = "no-time"


class WaitOptions(Options):
    """One of the three."""

    for_: Duration | None = Field(default=None, alias="for")  # "2h"
    until: str | None = None  # a place or text that holds a date or a time: 2026-12-01, 2026-12-01T09:00
    at: TimeOfDay | None = None  # the next time that the clock shows this, in the workflow's zone

    @model_validator(mode="after")
    def _is_one(self) -> WaitOptions:
        if sum(one is not None for one in (self.for_, self.until, self.at)) != 1:
            raise ValueError("wait has one of 'for', 'until' and 'at'")
        return self

    def templates(self) -> Mapping[str, Json]:
        return {"until": self.until or ""}

    def in_words(self) -> str:
        return f"wait for {self.for_}" if self.for_ else f"wait until {self.at or self.until}"


class Wait:
    """Parks until it is time."""

    name = "wait"
    options = WaitOptions

    async def perform(self, options: WaitOptions, step: StepContext) -> Done | Parked:
        now = step.clock.now()
        due = _due(options, step, step.begun or now)
        if now >= due:
            return Done(output=Output(note=f"Waited until {due.astimezone(ZoneInfo(step.zone)):%a %d %b %H:%M}."))
        return Parked(until=due)

    async def rehearse(self, options: WaitOptions, step: StepContext) -> Rehearsed:
        if options.until is not None and not template.is_known(template.fill(options.until, step.values)):
            return Rehearsed(says=options.in_words(), output=Output())
        due = _due(options, step, step.clock.now())
        until = f"{due.astimezone(ZoneInfo(step.zone)):%a %d %b %H:%M}"
        return Rehearsed(says=f"wait until {until}", output=Output(note=f"Waited until {until}."), until=due)

    def cancel(self, session: Session, options: WaitOptions, step: StepContext) -> None:
        """Nothing was begun."""


def _due(options: WaitOptions, step: StepContext, begun: datetime) -> datetime:
    if options.for_ is not None:
        return begun + parse_duration(options.for_)
    if options.at is not None:
        due = next_at(options.at, step.zone, begun)
        if due is None:
            raise NoTimeError(f"There is no {options.at} in {step.zone}.")
        return due
    text = template.fill(options.until or "", step.values)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise NoTimeError(f"'{text[:60]}' is no date and no time; write for example 2026-12-01T09:00.") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(step.zone))


KIND = Wait()
