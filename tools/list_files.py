"""list_files: what is in the workspace."""

from __future__ import annotations

import asyncio

from pydantic import Field

from kernel.store import files as labels_of
from kernel.types import Labelled, ToolResult
from tools.engine import Arguments, ToolContext, tool
from tools.engine.files.spaces import spot_of
from tools.engine.files.workspace import MOST_LISTED


class ListFiles(Arguments):
    """Which folder."""

    folder: str = Field(
        description="Folder in the workspace, like 'reports'; '.' for all of it; 'channel' for this channel's own"
    )


@tool(effect="read", authority=("folder",), timeout=10)
async def list_files(args: ListFiles, ctx: ToolContext) -> ToolResult:
    """List the files of the team's workspace with their sizes. Use it to find out what read_file can read."""
    spot = spot_of(args.folder, ctx)
    found = await asyncio.to_thread(spot.workspace.listing, spot.path)
    keys = {file.path: f"{spot.prefix}{file.path}" for file in found}
    known = await ctx.store.read(lambda session: labels_of.labels(session, keys.values()))
    inside = {row.path for row in known} - {row.path for row in known if row.origin == "outside_text"}
    lines = [
        Labelled(
            text=f"{spot.named(file.path)} ({file.size:,} bytes)",
            origin="member_text" if keys[file.path] in inside else "outside_text",
            source=f"file:{spot.named(file.path)}",
        )
        for file in found
    ]
    content = "\n".join(line.text for line in lines) or "There are no files here."
    if len(found) == MOST_LISTED:
        content += f"\n[Only the first {MOST_LISTED} files are listed. Ask for a folder to see others.]"
    summary = f"{len(found)} file{'' if len(found) == 1 else 's'}"
    pieces = tuple(lines) or (Labelled(text=content, origin="nowhere"),)
    return ToolResult(content=content, pieces=pieces, summary=summary)
