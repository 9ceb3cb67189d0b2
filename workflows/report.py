"""The step `report`: one look at many rows, as Markdown: decisions, questions without an answer, answers that helped,
old documents, access, cost. What it says of conversations and documents is what readers of the workflow's channel may
read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from kernel.types import Labelled
from workflows.engine import reports
from workflows.engine.steps import Done, Options, Output, Rehearsed

if TYPE_CHECKING:
    from kernel.store import Session
    from workflows.engine.steps import StepContext

About = Literal["decisions", "unanswered", "feedback", "documents", "access", "cost"]
SAID = {
    "decisions": "what was decided, by whom and how fast, and what agents did alone",
    "unanswered": "questions and requests without an answer, and answers that did not help",
    "feedback": "which answers helped, and what was wrong with the others",
    "documents": "documents that have not changed for long",
    "access": "who holds which role, and what agents can use",
    "cost": "what models cost, by agent, workflow and person",
}


class ReportOptions(Options):
    """What is looked at, and how far back."""

    reads_now: ClassVar[bool] = True

    about: About
    days: int = Field(default=7, ge=1, le=3650)  # back from now; for documents: how old one has to be
    most: int = Field(default=15, ge=1, le=50)  # lines of each part
    if_empty: Literal["end", "go_on"] = "end"  # end: the workflow is done, nothing is posted

    def in_words(self) -> str:
        span = f"for {self.days} days" if self.about == "documents" else f"in the last {self.days} days"
        return f"look up {SAID[self.about]}{'' if self.about == 'access' else f' ({span})'}"


class Report:
    """Looks it up."""

    name = "report"
    options = ReportOptions

    async def perform(self, options: ReportOptions, step: StepContext) -> Done:
        since = step.run.created_at - timedelta(days=options.days)
        found = await reports.WRITERS[options.about](step, since, options.most)
        if not found.text:
            empty = f"Nothing to report in {step.channel}: {found.empty}."
            return Done(output=Output(data=found.data, ends=empty if options.if_empty == "end" else "", note=empty))
        piece = Labelled(text=found.text, origin="member_text")
        return Done(output=Output(text=found.text, data=found.data, pieces=(piece,), note=found.empty))

    async def rehearse(self, options: ReportOptions, step: StepContext) -> Rehearsed:
        output = (await self.perform(options, step)).output
        return Rehearsed(says=options.in_words(), output=output, text=output.ends or output.text)

    def cancel(self, session: Session, options: ReportOptions, step: StepContext) -> None:
        """Nothing was begun."""


KIND = Report()
