"""The step `post`: a message in the workflow's channel, of the outputs of earlier steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel.types import Json, Text
from workflows.engine import posting, template
from workflows.engine.steps import Done, Options, Output, Rehearsed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from workflows.engine.steps import StepContext


class PostOptions(Options):
    """The text, with places such as {steps.facts.text}."""

    text: str = Field(min_length=1)
    footer: str = ""  # small print

    def templates(self) -> Mapping[str, Json]:
        return {"text": self.text, "footer": self.footer}

    def goes_to(self) -> Literal["channel"]:
        return "channel"

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
            posting.show(session, step, body)

        return Done(output=Output(text=text), save=save)

    async def rehearse(self, options: PostOptions, step: StepContext) -> Rehearsed:
        text = template.fill(options.text, step.values)
        said = f"post this in {step.channel}:" if text else "post nothing: the text is empty"
        return Rehearsed(says=said, output=Output(text=text), text=text)

    def cancel(self, session: Session, options: PostOptions, step: StepContext) -> None:
        """Nothing was begun."""


KIND = Post()
