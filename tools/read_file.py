"""read_file: a text file of the workspace."""

from __future__ import annotations

import asyncio

from pydantic import Field

from kernel.types import Labelled, Source, ToolResult
from tools.engine import Arguments, CannotDo, ToolContext, tool
from tools.engine.files.documents import text_of
from tools.engine.files.spaces import label_of, spot_of


class ReadFile(Arguments):
    """Which file, which part of it."""

    path: str = Field(description="File in the workspace, like 'reports/march.md' or 'channel/prices.xlsx'")
    first_line: int = Field(default=1, ge=1, description="Line to start with, counted from 1")
    lines: int = Field(default=400, ge=1, le=2000, description="How many lines to read")


@tool(effect="read", authority=("path",), timeout=90)
async def read_file(args: ReadFile, ctx: ToolContext) -> ToolResult:
    """Read a file of the team's workspace: text, CSV, PDF, Word, Excel or PowerPoint; a long one in parts."""
    spot = spot_of(args.path, ctx)
    content = await asyncio.to_thread(spot.workspace.content, spot.path)
    text = await text_of(args.path, content, ctx)
    origin, is_personal = await label_of(spot, content, ctx)
    every = text.splitlines()
    part = every[args.first_line - 1 : args.first_line - 1 + args.lines]
    if not part and every:
        raise CannotDo(f"The file has {len(every)} lines.")
    body = "\n".join(part)
    piece = Labelled(
        text=body,
        origin=origin,
        source=f"file:{args.path}",
        personal=is_personal,
        readers=spot.readers,
    )
    last = args.first_line - 1 + len(part)
    note = f"\n\n[Lines {args.first_line} to {last} of {len(every)}.]" if len(part) < len(every) else ""
    return ToolResult(
        content=(body or "The file is empty.") + note,
        pieces=(piece,),
        sources=(Source(number=1, title=args.path, quote=body[:300]),),
        summary=f"Read {args.path}",
    )
