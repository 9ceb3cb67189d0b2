"""delete_file: put a file of the workspace into the trash, where it can be taken back from for a month."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from pydantic import Field

from kernel.types import Fact, Json, Labelled, Payload, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, said, tool
from tools.engine.files.spaces import spot_of
from tools.engine.preview import one_line

KEPT = timedelta(days=30)  # in the trash


class DeleteFile(Arguments):
    """Which file."""

    path: str = Field(description="File in the workspace, like 'reports/march.md'")


async def _preview(args: DeleteFile, ctx: ToolContext) -> Preview:
    spot = spot_of(args.path, ctx)
    content = await asyncio.to_thread(spot.workspace.content, spot.path)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "[It is not a text file.]"
    return Preview(
        headline=one_line(f"Delete {args.path}"),
        facts=(Fact(label="File", value=args.path), Fact(label="Size", value=f"{len(content):,} bytes")),
        payloads=(Payload(title=args.path, content=text, language="text"),),
        warning=f"It can be taken back for {KEPT.days} days.",
    )


async def _undo(args: DeleteFile, data: Json, ctx: ToolContext) -> ToolResult:
    spot = spot_of(args.path, ctx, reads=False)
    if not await asyncio.to_thread(spot.workspace.in_trash, data["trash"]):
        raise CannotDo(f"{args.path} is no longer in the trash.")
    await asyncio.to_thread(spot.workspace.restore, spot.path, data["trash"])
    return said(f"{args.path} is back.", origin="nowhere")


@tool(effect="write", authority=("path",), safe_to_repeat=True, timeout=10, preview=_preview, undo=_undo)
async def delete_file(args: DeleteFile, ctx: ToolContext) -> ToolResult:
    """Delete a file of the team's workspace. It can be undone for 30 days."""
    spot = spot_of(args.path, ctx, reads=False)
    workspace = spot.workspace
    if not await asyncio.to_thread(workspace.in_trash, ctx.call_id) or await asyncio.to_thread(
        workspace.has, spot.path
    ):
        await asyncio.to_thread(workspace.trash, spot.path, ctx.call_id)
    await asyncio.to_thread(workspace.empty_trash, (ctx.clock.now() - KEPT).timestamp())
    sentence = f"{args.path} is in the trash. It can be taken back for {KEPT.days} days."
    return ToolResult(
        content=sentence,
        pieces=(Labelled(text=sentence, origin="nowhere"),),
        data={"path": args.path, "trash": ctx.call_id},
        summary=one_line(f"Deleted {args.path}"),
    )
