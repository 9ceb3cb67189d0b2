"""The step `post`: a message in the workflow's channel, of the outputs of earlier steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import outbox, schedules
from kernel.types import Json, Text
from workflows.engine import template
from workflows.engine.start import AGAIN_WITHIN
from workflows.engine.steps import Done, Options, Output, Rehearsed, derived_id, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from kernel.store.runs import Run
    from workflows.engine.steps import StepContext


TIMED = frozenset({"", "hand", "cron", "every"})  # runs that cover a span of time, so that a new one replaces the old


class PostOptions(Options):
    """The text, with places such as {steps.facts.text}."""

    text: str = Field(min_length=1)
    footer: str = ""  # small print

    def templates(self) -> Mapping[str, Json]:
        return {"text": self.text, "footer": self.footer}

    def in_words(self) -> str:
        return f"post {quoted(self.text)}"


class Post:
    """Puts a Text into the outbox, in the transaction that saves the step."""

    name = "post"
    options = PostOptions

    async def perform(self, options: PostOptions, step: StepContext) -> Done:
        text = template.fill(options.text, step.values)
        if not text:
            return Done(output=Output(note="The text was empty: nothing was posted."))
        body = Text(markdown=text, footer=template.fill(options.footer, step.values))

        def save(session: Session) -> None:
            earlier = _recent(session, step)
            if earlier is None or not outbox.revise(session, earlier, body):
                outbox.put(session, row_id(step.run, step.path), step.place, body, step.clock.now(), run_id=step.run.id)

        return Done(output=Output(text=text), save=save)

    async def rehearse(self, options: PostOptions, step: StepContext) -> Rehearsed:
        text = template.fill(options.text, step.values)
        said = f"post this in {step.channel}:" if text else "post nothing: the text is empty"
        return Rehearsed(says=said, output=Output(text=text), text=text)

    def cancel(self, session: Session, options: PostOptions, step: StepContext) -> None:
        """Nothing was begun."""


def row_id(run: Run, path: str) -> str:
    """The outbox row of a post step: the same each time the step is done, and an id that every platform takes."""
    return derived_id(run.created_at, run.id, path, "post")


def _recent(session: Session, step: StepContext) -> str | None:
    """The message that the run before this one posted a moment ago; every event has a message of its own."""
    if template.look_up("trigger.kind", step.values) not in TIMED:
        return None
    before = schedules.last_done(session, step.workflow.name, step.place, step.run.created_at)
    if before is None or step.run.created_at - before.created_at > AGAIN_WITHIN:
        return None
    return row_id(before, step.path)


KIND = Post()
