"""move_file: give a file of the workspace another path."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import files as labels_of
from kernel.types import Fact, Json, Labelled, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, attempts, said, tool
from tools.engine.files.spaces import spot_of
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from tools.engine.files.spaces import Spot


class MoveFile(Arguments):
    """From where to where."""

    path: str = Field(description="File in the workspace, like 'reports/march.md'")
    to: str = Field(description="Its new path, where nothing is yet; in the same workspace")


async def _preview(args: MoveFile, _ctx: ToolContext) -> Preview:
    return Preview(
        headline=one_line(f"Move {args.path}"),
        facts=(Fact(label="From", value=args.path), Fact(label="To", value=args.to)),
    )


async def _undo(args: MoveFile, _data: Json, ctx: ToolContext) -> ToolResult:
    await _move(spot_of(args.to, ctx, reads=False), spot_of(args.path, ctx, reads=False), ctx)
    return said(f"{args.path} is where it was.", origin="nowhere")


@tool(effect="write", authority=("path", "to"), safe_to_repeat=True, timeout=10, preview=_preview, undo=_undo)
async def move_file(args: MoveFile, ctx: ToolContext) -> ToolResult:
    """Move or rename a file of the team's workspace. It never replaces another file."""
    await _move(spot_of(args.path, ctx, reads=False), spot_of(args.to, ctx, reads=False), ctx)
    return ToolResult(
        content=f"{args.path} is now {args.to}.",
        pieces=(Labelled(text=args.to, origin="made_here", source=f"file:{args.to}"),),
        data={"path": args.path, "to": args.to},
        summary=f"Moved {args.path}",
    )


async def _move(source: Spot, target: Spot, ctx: ToolContext) -> None:
    if source.prefix != target.prefix:
        raise CannotDo("A file is moved within one workspace: the team's, or this channel's.")
    before = await attempts.begin(ctx, "move_file")
    await ctx.store.write(lambda session: labels_of.copy(session, source.key, target.key))
    try:
        await asyncio.to_thread(source.workspace.move, source.path, target.path)
    except CannotDo:
        gone = not await asyncio.to_thread(source.workspace.has, source.path)
        if before is None or not gone or not await asyncio.to_thread(target.workspace.has, target.path):
            raise
