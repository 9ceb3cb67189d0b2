"""draft_rules: have a change of the decision rights checked, linted and tried on the past. Puts nothing in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import ToolResult
from tools.engine import Arguments, ToolContext, said, tool
from tools.engine.ruling import ruling_of

if TYPE_CHECKING:
    from tools.engine.ruling import RuleChange

LARGEST = 20_000  # characters
DESCRIPTION = (
    "One rule or a list of rules as YAML; a rule with the id of one in force takes its place. Example:\n"
    "id: small-refund\n"
    "why: Ops may refund small amounts to customers who have paid before.\n"
    "agent: ops\n"
    "tool: queue_payment\n"
    "args: {payee: {from: [typed, paid_before]}, amount: {at_most: 50}}\n"
    "decision: allow\n"
    "Words: read_rules says which there are, and what may be named."
)


class DraftRules(Arguments):
    """The change."""

    rules: str = Field(default="", max_length=LARGEST, description=DESCRIPTION)
    remove: list[str] = Field(default=[], max_length=20, description="Ids of rules that are to go")


def in_words(change: RuleChange) -> str:
    """What was found out about a change."""
    parts = [f"```diff\n{change.difference}\n```" if change.difference else "The files say so already."]
    parts += [f"Lint: {note}" for note in change.notes] or ["Lint: nothing to say."]
    return "\n\n".join([*parts, f"{change.tests} tests hold.", change.backtest])


@tool(effect="read", free_text=("rules",), timeout=60)
async def draft_rules(args: DraftRules, ctx: ToolContext) -> ToolResult:
    """Try a change of the decision rights: is it valid, does it ever decide, what would it have changed.

    Mend what it says, then hand exactly that to `change_rules`, which asks the role that decides about rules.
    """
    change = await ruling_of(ctx).check(args.rules, args.remove)
    return said(f"Nothing is in force.\n\n{in_words(change)}", origin="member_text")
