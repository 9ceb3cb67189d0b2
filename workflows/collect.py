"""The step `collect`: what happened in the workflow's channel since its last run, from our own tables, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from kernel.types import Labelled
from workflows.engine import happenings
from workflows.engine.steps import Done, Options, Output, Rehearsed

if TYPE_CHECKING:
    from kernel.store import Session
    from workflows.engine.steps import StepContext


class CollectOptions(Options):
    """How much, and what happens when there is nothing."""

    reads_now: ClassVar[bool] = True

    most: int = Field(default=10, ge=1, le=50)  # lines of each section
    if_empty: Literal["end", "go_on"] = "end"  # end: the workflow is done, nothing is posted

    def in_words(self) -> str:
        end = "; if that is nothing, end" if self.if_empty == "end" else ""
        return f"read what happened in the channel since the last run{end}"


class Collect:
    """Writes down what happened."""

    name = "collect"
    options = CollectOptions

    async def perform(self, options: CollectOptions, step: StepContext) -> Done:
        found = await step.store.read(lambda session: happenings.read(session, step))
        line = happenings.Lines(step, found)
        waiting = [*map(line.waiting, found.waiting), *map(line.form, found.forms)]
        failed = [*map(line.failed, found.failed), *map(line.job, found.jobs)]
        sections = (
            happenings.section("Waits for people", waiting, options.most),
            happenings.section("Still going on", map(line.going, found.going), options.most),
            happenings.section("Asked and done", map(line.done, found.done), options.most),
            happenings.section("Decisions", map(line.decision, found.decisions), options.most),
            happenings.section("Did not finish", failed, options.most),
        )
        text = "\n\n".join(section for section in sections if section)
        if not text:
            empty = nothing(step)
            return Done(output=Output(ends=empty if options.if_empty == "end" else "", note=empty))
        return Done(output=Output(text=text, pieces=(Labelled(text=text, origin="member_text"),)))

    async def rehearse(self, options: CollectOptions, step: StepContext) -> Rehearsed:
        output = (await self.perform(options, step)).output
        return Rehearsed(says=options.in_words(), output=output, text=output.ends or output.text)

    def cancel(self, session: Session, options: CollectOptions, step: StepContext) -> None:
        """Nothing was begun."""


def nothing(step: StepContext) -> str:
    """The outcome of a run that has nothing to say."""
    since = f"{step.since.astimezone(ZoneInfo(step.zone)):%a %d %b %H:%M}"
    return f"Nothing to report in {step.channel} since {since}."


KIND = Collect()
