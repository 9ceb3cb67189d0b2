"""change_record: a record of the CRM says something else; people see the difference."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Json, Labelled, Payload, ToolResult
from tools.engine import Arguments, OneLine, Preview, ToolContext, attempts, said, tool
from tools.engine.crm.customers import customers_of, secrets
from tools.engine.crm.records import REF, Record, Values, lines
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable


class ChangeRecord(Arguments):
    """Which record, and what about it."""

    ref: str = Field(pattern=REF, description="The record's ref, from search_crm")
    name: OneLine = Field(default="", max_length=200, description="Another name; '' to keep it")
    values: Values = Field(default=Values(), description="What changes; what is left out stays")


async def _both(args: ChangeRecord, ctx: ToolContext) -> tuple[Record, Record]:
    before = await customers_of(ctx).get(args.ref)
    return before, before.with_(args.name, args.values.given(before.kind))


async def _plan(args: ChangeRecord, ctx: ToolContext) -> Json:
    before, after = await _both(args, ctx)
    return {"before": before.model_dump(mode="json"), "after": after.model_dump(mode="json")}


async def _preview(args: ChangeRecord, ctx: ToolContext) -> Preview:
    before, after = await _both(args, ctx)
    changed = "\n".join(_difference(lines(before), lines(after)))
    return Preview(
        headline=one_line(f"Change the {before.kind} {before.name}"),
        facts=(Fact(label="Record", value=before.ref),),
        payloads=(Payload(title=before.ref, content=changed, language="diff"),),
    )


def _difference(before: Iterable[str], after: Iterable[str]) -> Iterable[str]:
    return difflib.unified_diff(list(before), list(after), "before", "after", lineterm="", n=0)


async def _undo(_args: ChangeRecord, data: Json, ctx: ToolContext) -> ToolResult:
    before, after = Record.model_validate(data["before"]), Record.model_validate(data["after"])
    await customers_of(ctx).change(before, expected=after)
    return said(f"{before.ref} is as it was before.", origin="nowhere")


@tool(
    effect="write",
    authority=("ref",),
    free_text=("name", "values"),
    safe_to_repeat=True,
    secrets=secrets,
    timeout=120,
    preview=_preview,
    undo=_undo,
)
async def change_record(args: ChangeRecord, ctx: ToolContext) -> ToolResult:
    """Change what the CRM says of a company, contact, deal, note or task."""
    plan = await attempts.planned(ctx, "change_record", lambda: _plan(args, ctx))
    before, after = Record.model_validate(plan["before"]), Record.model_validate(plan["after"])
    await customers_of(ctx).change(after)
    return ToolResult(
        content=f"{after.ref} is changed.",
        pieces=(Labelled(text=after.ref, origin="nowhere", source=f"crm:{after.ref}"),),
        data=plan,
        summary=one_line(f"Changed the {before.kind} {before.name}", 200),
    )
