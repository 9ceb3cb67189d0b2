"""export_crm: the records of a kind as a CSV file of the workspace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import files
from kernel.types import Fact, Json, Labelled, Payload, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, said, tool
from tools.engine.crm.customers import customers_of, secrets
from tools.engine.crm.records import Kind, to_csv
from tools.engine.files.spaces import spot_of
from tools.engine.files.workspace import digest_of
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from tools.engine.crm.records import Record

MOST = 20_000  # records


class ExportCrm(Arguments):
    """What is written where."""

    kind: Kind = Field(description="Which records")
    path: str = Field(pattern=r"^.+\.csv$", max_length=200, description="The new file, like 'crm/contacts.csv'")


async def _records(args: ExportCrm, ctx: ToolContext) -> list[Record]:
    return await customers_of(ctx).search(args.kind, [], "", MOST)


async def _preview(args: ExportCrm, ctx: ToolContext) -> Preview:
    found = await _records(args, ctx)
    return Preview(
        headline=one_line(f"Export {len(found)} {args.kind} records to {args.path}"),
        facts=(Fact(label="File", value=args.path),),
        payloads=(Payload(title=args.path, content=to_csv(args.kind, found), language="text"),),
    )


async def _undo(args: ExportCrm, data: Json, ctx: ToolContext) -> ToolResult:
    spot = spot_of(args.path, ctx, reads=False)
    if digest_of(await asyncio.to_thread(spot.workspace.read, spot.path)) != data["digest"]:
        raise CannotDo(f"{args.path} was changed since, so it is left as it is.")
    await asyncio.to_thread(spot.workspace.trash, spot.path, ctx.call_id)
    return said(f"{args.path} is in the trash.", origin="nowhere")


@tool(
    effect="write", authority=("path",), safe_to_repeat=True, secrets=secrets, timeout=120, preview=_preview, undo=_undo
)
async def export_crm(args: ExportCrm, ctx: ToolContext) -> ToolResult:
    """Write all companies, contacts, deals, notes or tasks into a CSV file of the workspace. It replaces no file."""
    spot = spot_of(args.path, ctx, reads=False)
    found = await _records(args, ctx)
    text = to_csv(args.kind, found)
    there = await asyncio.to_thread(spot.workspace.read_if_there, spot.path)
    if there is not None and there != text:
        raise CannotDo(f"There is a file {args.path} already. Choose another name.")
    origin = "outside_text" if any(one.origin == "outside_text" for one in found) else "member_text"
    await ctx.store.write(
        lambda session: files.record(
            session, spot.key, digest_of(text), origin=origin, run_id=ctx.facts.run_id, now=ctx.clock.now()
        )
    )
    await asyncio.to_thread(spot.workspace.write, spot.path, text, ctx.call_id)
    return ToolResult(
        content=f"{len(found)} {args.kind} records are in {args.path}.",
        pieces=(Labelled(text=args.path, origin="made_here", source=f"file:{args.path}"),),
        data={"path": args.path, "digest": digest_of(text)},
        summary=one_line(f"Exported {len(found)} {args.kind} records"),
    )
