"""activate_workflow: put a drafted workflow in force. The card shows what it does, when, and what the rules say."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Labelled, Payload, ToolResult
from tools.engine import Arguments, Preview, ToolContext, tool
from tools.engine.drafting import drafting_of
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from tools.engine.drafting import Draft


class ActivateWorkflow(Arguments):
    """Which draft."""

    draft: str = Field(pattern="^WD-[0-9A-Z]{6,26}$", description="The reference that draft_workflow gave: WD-7F3K9Q")


async def _preview(args: ActivateWorkflow, ctx: ToolContext) -> Preview:
    draft = await drafting_of(ctx).get(args.draft, ctx.facts)
    what = "Change the workflow" if draft.replaces else "Activate the workflow"
    return Preview(
        headline=one_line(f"{what} {draft.name}: {draft.description}"),
        facts=tuple(_facts(draft)),
        payloads=tuple(_payloads(draft)),
        warning=_warning(draft, ctx),
    )


def _facts(draft: Draft) -> list[Fact]:
    facts = [Fact(label="Begins", value="; ".join(draft.begins)[:300])]
    if draft.next_times:
        facts.append(Fact(label="Next five times", value=draft.next_times))
    asks = {0: "no step", 1: "one step"}.get(draft.asked, f"{draft.asked} steps")
    return [
        *facts,
        Fact(label="Result", value=f"goes to {draft.goes_to}" if draft.goes_to else "nothing is posted"),
        Fact(label="Under the rules of now", value=f"{asks} would ask people"),
        Fact(label="Draft", value=draft.ref),
    ]


def _payloads(draft: Draft) -> list[Payload]:
    found = [
        Payload(title="In plain words", content=draft.words, language="text"),
        Payload(title="Simulation of the next run", content=draft.simulation, language="text"),
        Payload(title="The file", content=draft.text, language="text"),
    ]
    if draft.replaces:
        lines = difflib.unified_diff(
            draft.replaces.splitlines(), draft.text.splitlines(), "in force", draft.ref, lineterm="", n=2
        )
        found.insert(0, Payload(title="What changes", content="\n".join(lines), language="diff"))
    return found


def _warning(draft: Draft, ctx: ToolContext) -> str:
    warnings = []
    if draft.refused:
        warnings.append("The rules would refuse a step of it.")
    if ctx.facts.outside_text_read:
        warnings.append("Whoever drafted it has read text from outside the team.")
    return " ".join(warnings)


@tool(effect="write", authority=("draft",), safe_to_repeat=True, timeout=60, preview=_preview)
async def activate_workflow(args: ActivateWorkflow, ctx: ToolContext) -> ToolResult:
    """Put a drafted workflow in force. The role that decides about workflows is asked with a card that shows it."""
    path = await drafting_of(ctx).activate(args.draft, ctx.facts)
    sentence = f"The workflow of {args.draft} is in force; its file is {path}."
    return ToolResult(
        content=sentence,
        pieces=(Labelled(text=sentence, origin="nowhere"),),
        data={"draft": args.draft, "file": path},
        summary=one_line(f"Activated {path}"),
    )
