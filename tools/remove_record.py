"""remove_record: a record is taken out of the CRM; it can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Json, Labelled, Payload, ToolResult
from tools.engine import Arguments, Preview, ToolContext, said, tool
from tools.engine.crm.customers import customers_of, secrets
from tools.engine.crm.records import REF, lines, normal
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from tools.engine.crm.records import Record


class RemoveRecord(Arguments):
    """Which record."""

    ref: str = Field(pattern=REF, description="The record's ref, from search_crm")


async def _preview(args: RemoveRecord, ctx: ToolContext) -> Preview:
    known = await customers_of(ctx).get(args.ref)
    under: list[Record] = await customers_of(ctx).search("", [], known.ref, 20)
    stays = one_line("; ".join(f"{one.ref} {one.name}" for one in under), 200)
    return Preview(
        headline=one_line(f"Remove the {known.kind} {known.name}"),
        facts=(Fact(label="Record", value=known.ref), *((Fact(label="Stays", value=stays),) if under else ())),
        payloads=(Payload(title=known.ref, content="\n".join(lines(known)), language="text"),),
        warning=customers_of(ctx).bin,
    )


async def _undo(_args: RemoveRecord, data: Json, ctx: ToolContext) -> ToolResult:
    await customers_of(ctx).restore(data["ref"])
    return said(f"{data['ref']} is back.", origin="nowhere")


@tool(
    effect="write", authority=("ref",), safe_to_repeat=True, secrets=secrets, timeout=120, preview=_preview, undo=_undo
)
async def remove_record(args: RemoveRecord, ctx: ToolContext) -> ToolResult:
    """Remove a company, contact, deal, note or task from the CRM. What belongs to it stays."""
    ref = normal(args.ref)
    await customers_of(ctx).remove([ref])
    return ToolResult(
        content=f"{ref} is removed.",
        pieces=(Labelled(text=ref, origin="nowhere", source=f"crm:{ref}"),),
        data={"ref": ref},
        summary=f"Removed {ref}",
    )
