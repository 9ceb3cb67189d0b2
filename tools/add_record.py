"""add_record: a new company, contact, deal, note or task in the CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Json, Labelled, Payload, ToolResult
from tools.engine import Arguments, OneLine, Preview, ToolContext, said, tool
from tools.engine.crm.customers import customers_of, secrets
from tools.engine.crm.records import Kind, Record, Values, lines
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping


class AddRecord(Arguments):
    """What is added."""

    kind: Kind = Field(description="What it is")
    name: OneLine = Field(min_length=1, max_length=200, description="Of the company or person; title of anything else")
    values: Values = Field(default=Values(), description="What else is known")
    about: str = Field(default="", max_length=40, description="The ref of the record that it belongs to; '' for none")


def _shown(args: AddRecord, fields: Mapping[str, str]) -> str:
    return "\n".join(lines(Record(ref="", kind=args.kind, name=args.name, fields=dict(fields), about=args.about)))


async def _preview(args: AddRecord, ctx: ToolContext) -> Preview:
    fields = args.values.given(args.kind)
    alike = await customers_of(ctx).search(args.kind, args.name.split(), "", 5)
    belongs = [Fact(label="Belongs to", value=(await customers_of(ctx).get(args.about)).name)] if args.about else []
    known = [Fact(label="There already", value=one_line("; ".join(f"{one.ref} {one.name}" for one in alike), 200))]
    return Preview(
        headline=one_line(f"Add the {args.kind} {args.name}"),
        facts=(*belongs, *(known if alike else [])),
        payloads=(Payload(title="Record", content=_shown(args, fields), language="text"),),
    )


async def _undo(args: AddRecord, data: Json, ctx: ToolContext) -> ToolResult:
    await customers_of(ctx).remove([data["ref"]])
    return said(f"The {args.kind} {data['ref']} is gone again.", origin="nowhere")


@tool(
    effect="write",
    free_text=("name", "values"),
    safe_to_repeat=True,  # the record is named after the call
    secrets=secrets,
    timeout=120,
    preview=_preview,
    undo=_undo,
)
async def add_record(args: AddRecord, ctx: ToolContext) -> ToolResult:
    """Add a company, contact, deal, note or task to the CRM. Search first: the same customer should be there once."""
    (made,) = await customers_of(ctx).create(args.kind, [(args.name, args.values.given(args.kind), args.about)])
    return ToolResult(
        content=f"Added {made.ref}: {args.kind} {made.name}.",
        pieces=(Labelled(text=made.ref, origin="made_here", source=f"crm:{made.ref}", field="ref", names=True),),
        data={"ref": made.ref},
        summary=one_line(f"Added the {args.kind} {made.name}", 200),
    )
