"""write_file: put a text file into the workspace; people see the difference before it is written."""

from __future__ import annotations

import asyncio
import difflib

from pydantic import Field

from kernel.store import files as labels_of
from kernel.types import Fact, Labelled, Payload, ToolResult
from tools.engine import Arguments, Preview, ToolContext, labels, tool
from tools.engine.preview import one_line
from tools.engine.workspace import Workspace, digest_of

MOST_COMPARED = 5_000  # lines: comparing takes time in the square of them


class WriteFile(Arguments):
    """Where and what."""

    path: str = Field(description="File in the workspace, like 'reports/march.md'; folders are made as needed")
    content: str = Field(description="The whole new text of the file")


async def _preview(args: WriteFile, ctx: ToolContext) -> Preview:
    before = await asyncio.to_thread(Workspace(ctx.workspace).read_if_there, args.path)
    verb = "Create" if before is None else "Change"
    if before is None:
        payload = Payload(title=args.path, content=args.content, language="text")
        size = f"{len(args.content.encode()):,} bytes, new file"
    else:
        difference = await asyncio.to_thread(_difference, args.path, before, args.content)
        payload = Payload(title=args.path, content=difference, language="diff")
        size = f"{len(args.content.encode()):,} bytes instead of {len(before.encode()):,}"
    return Preview(
        headline=one_line(f"{verb} {args.path}"),
        facts=(Fact(label="File", value=args.path), Fact(label="Size", value=size)),
        payloads=(payload,),
    )


@tool(effect="write", authority=("path",), free_text=("content",), safe_to_repeat=True, timeout=10, preview=_preview)
async def write_file(args: WriteFile, ctx: ToolContext) -> ToolResult:
    """Write a text file into the team's workspace. It replaces the file if there is one, so pass the whole text."""
    workspace = Workspace(ctx.workspace)
    before = await asyncio.to_thread(workspace.read_if_there, args.path)
    version, origin = digest_of(args.content), labels.of_run(ctx.facts)
    if before == args.content and origin == "member_text":
        return _done(args, before, "is as asked already")  # and keeps its label, which may be a worse one
    # The label first: a crash in between leaves a label without a file, never a file without its label.
    await ctx.store.write(
        lambda session: labels_of.record(
            session, args.path, version, origin=origin, run_id=ctx.facts.run_id, now=ctx.clock.now()
        )
    )
    await asyncio.to_thread(workspace.write, args.path, args.content, ctx.call_id)
    await ctx.store.write(lambda session: labels_of.forget_others(session, args.path, version))
    return _done(args, before, "is written")


def _done(args: WriteFile, before: str | None, what: str) -> ToolResult:
    sentence = f"{args.path} {what}: {len(args.content.encode()):,} bytes."
    piece = Labelled(text=args.path, origin="made_here" if before is None else "nowhere", source=f"file:{args.path}")
    return ToolResult(
        content=sentence,
        pieces=(piece,),
        data={"path": args.path, "before": before, "digest": digest_of(args.content)},
        summary=f"{'Created' if before is None else 'Changed'} {args.path}",
    )


def _difference(path: str, before: str, after: str) -> str:
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > MOST_COMPARED:
        return f"The file is too long to be compared. The whole new text:\n\n{after}"
    lines = list(difflib.unified_diff(old, new, f"{path} (now)", f"{path} (new)", lineterm="", n=3))
    return "\n".join(lines) or "Nothing changes but the ends of lines."
