"""change_rules: propose a change of the decision rights. People always decide about it, whatever the rules say."""

from __future__ import annotations

from pydantic import Field

from kernel.types import Fact, Labelled, Payload, ToolResult
from tools.draft_rules import DESCRIPTION, LARGEST
from tools.engine import Arguments, Preview, ToolContext, tool
from tools.engine.preview import one_line
from tools.engine.ruling import ruling_of


class ChangeRules(Arguments):
    """The change."""

    rules: str = Field(default="", max_length=LARGEST, description=DESCRIPTION)
    remove: list[str] = Field(default=[], max_length=20, description="Ids of rules that are to go")


async def _preview(args: ChangeRules, ctx: ToolContext) -> Preview:
    change = await ruling_of(ctx).check(args.rules, args.remove)
    names = ", ".join((*change.rules, *(f"{each} (removed)" for each in change.removed)))
    warnings = [f"{change.silent} calls of the last month would not have been asked."] if change.silent else []
    if ctx.facts.outside_text_read:
        warnings.append("Whoever drafted it has read text from outside the team.")
    return Preview(
        headline=one_line(f"Change the decision rights: {names}"),
        facts=(
            Fact(label="Why", value=" ".join(change.whys)[:300] or "It is taken away."),
            Fact(label="Lint", value="; ".join(change.notes)[:300] or "Nothing to say"),
            Fact(label="Tests", value=f"{change.tests} hold"),
        ),
        payloads=(
            Payload(title="What changes in the files", content=change.difference or "Nothing", language="diff"),
            Payload(title="What it would have changed before", content=change.backtest, language="text"),
            Payload(title="The rules", content=args.rules or "None", language="text"),
        ),
        warning=" ".join(warnings),
    )


@tool(effect="write", free_text=("rules",), always_asked=True, safe_to_repeat=True, timeout=60, preview=_preview)
async def change_rules(args: ChangeRules, ctx: ToolContext) -> ToolResult:
    """Propose a change of the decision rights. The role that decides about rules is asked, with the backtest.

    Call `draft_rules` with the same rules first, until it has nothing to complain about.
    """
    change = await ruling_of(ctx).apply(ctx.call_id, args.rules, args.remove, ctx.facts)
    done = [f"in force: {', '.join(change.rules)}"] if change.rules else []
    done += [f"removed: {', '.join(change.removed)}"] if change.removed else []
    sentence = f"The decision rights were changed; {'; '.join(done)}."
    return ToolResult(
        content=sentence,
        pieces=(Labelled(text=sentence, origin="nowhere"),),
        data={"rules": list(change.rules), "removed": list(change.removed)},
        summary=one_line(sentence),
    )
