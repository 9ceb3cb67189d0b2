"""Changes of the rules, as the tools that draft and propose them see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel.types import Frozen
from tools.engine.failure import CannotDo, InVain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.types import RunFacts
    from tools.engine.context import ToolContext


class RulingError(InVain):
    """The change does not fit the charter, or its tests. The message is for the model as well as for people."""

    code = "ruling"


class RuleChange(Frozen):
    """A change of the rules, tried on the whole charter and on what was done before. Nothing of it is in force."""

    rules: tuple[str, ...]  # ids that are new or changed
    removed: tuple[str, ...]  # ids
    difference: str  # of the files, as a unified diff; empty: they say so already
    whys: tuple[str, ...]  # what the rules say of themselves
    notes: tuple[str, ...]  # of the linter, about these rules
    tests: int  # of the rule files and of the draft, all of which hold
    backtest: str  # what would have been decided in another way, Markdown
    silent: int  # calls that would newly have been done without asking


class Ruling(Protocol):
    """Knows the rules, and puts a change of them in force once people have agreed."""

    def guide(self, tool: str) -> str:
        """What a rule may name, how it is written, and the rules in force about that tool; about all, if empty."""
        ...

    async def check(self, text: str, remove: Sequence[str]) -> RuleChange:
        """Try a change. RulingError with everything that is in its way."""
        ...

    async def apply(self, call_id: str, text: str, remove: Sequence[str], facts: RunFacts) -> RuleChange:
        """Put it in force. RulingError where a rule was changed since people were asked, or the change does not fit."""
        ...


def ruling_of(ctx: ToolContext) -> Ruling:
    """The rules. CannotDo where this Bosun has none."""
    if ctx.ruling is None:
        raise CannotDo("Rules cannot be changed here.")
    return ctx.ruling
