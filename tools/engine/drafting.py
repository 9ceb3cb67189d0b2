"""Drafts of workflows, as the tools that make and activate them see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel.types import Frozen
from tools.engine.failure import CannotDo, InVain

if TYPE_CHECKING:
    from kernel.types import RunFacts
    from tools.engine.context import ToolContext


class DraftError(InVain):
    """The draft does not fit the charter, or is gone. The message is for the model as well as for people."""

    code = "draft"


class Draft(Frozen):
    """A workflow that is not in force, checked against the whole charter."""

    ref: str  # "WD-7F3K9Q"; follows from the file: the same file is the same draft
    name: str
    description: str
    goes_to: str  # where its result goes; empty: it posts nothing
    begins: tuple[str, ...]  # what makes it begin, in words
    next_times: str  # its next five times; empty where it follows no clock
    words: str  # all of it in plain words, Markdown
    simulation: str  # what it would do the next time, under the rules in force, Markdown
    asked: int  # steps that would ask people
    refused: bool  # the rules would refuse a step
    text: str  # the file
    replaces: str = ""  # the file that is in force under this name; empty where there is none


class Drafting(Protocol):
    """Makes drafts and puts them in force."""

    async def draft(self, text: str, facts: RunFacts) -> Draft:
        """Check and keep a file. CannotDo with every problem, each with its line and a suggestion."""
        ...

    async def get(self, ref: str, facts: RunFacts) -> Draft:
        """A draft as it stands under the charter and the rules of now. CannotDo where it does not fit any more."""
        ...

    async def activate(self, ref: str, facts: RunFacts) -> str:
        """Put it in force; returns the path of its file in the charter. CannotDo says what is in the way."""
        ...


def drafting_of(ctx: ToolContext) -> Drafting:
    """The drafts. CannotDo where this Bosun has none."""
    if ctx.drafting is None:
        raise CannotDo("Workflows cannot be drafted here.")
    return ctx.drafting
