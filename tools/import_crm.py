"""import_crm: records of a kind from a CSV file of the workspace, all of them or none."""

from __future__ import annotations

import asyncio

from pydantic import Field

from kernel.types import Fact, Json, Labelled, Payload, ToolResult
from tools.engine import Arguments, Preview, ToolContext, said, tool
from tools.engine.crm.customers import customers_of, secrets
from tools.engine.crm.records import Kind, from_csv
from tools.engine.files.spaces import spot_of
from tools.engine.preview import one_line


class ImportCrm(Arguments):
    """What is read from where."""

    kind: Kind = Field(description="What the rows are")
    path: str = Field(pattern=r"^.+\.csv$", max_length=200, description="The file: its first line names the columns")


async def _text(args: ImportCrm, ctx: ToolContext) -> str:
    spot = spot_of(args.path, ctx)
    return await asyncio.to_thread(spot.workspace.read, spot.path)


async def _preview(args: ImportCrm, ctx: ToolContext) -> Preview:
    text = await _text(args, ctx)
    found = from_csv(args.kind, text)
    return Preview(
        headline=one_line(f"Add {len(found)} {args.kind} records from {args.path}"),
        facts=(Fact(label="File", value=args.path), Fact(label="Records", value=str(len(found)))),
        payloads=(Payload(title=args.path, content=text, language="text"),),
    )


async def _undo(args: ImportCrm, data: Json, ctx: ToolContext) -> ToolResult:
    await customers_of(ctx).remove(data["refs"])
    return said(f"The {len(data['refs'])} {args.kind} records are gone again.", origin="nowhere")


@tool(
    effect="write", authority=("path",), safe_to_repeat=True, secrets=secrets, timeout=60, preview=_preview, undo=_undo
)
async def import_crm(args: ImportCrm, ctx: ToolContext) -> ToolResult:
    """Add the companies, contacts, deals, notes or tasks of a CSV file to the CRM. A row that does not fit stops it."""
    made = await customers_of(ctx).create(args.kind, from_csv(args.kind, await _text(args, ctx)))
    refs = [one.ref for one in made]
    return ToolResult(
        content=f"Added {len(made)} {args.kind} records.",
        pieces=(Labelled(text=f"Added {len(made)} records.", origin="nowhere"),),
        data={"refs": refs},
        summary=f"Added {len(made)} {args.kind} records",
    )
