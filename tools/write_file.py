"""write_file: put a text file into the workspace; people see the difference before it is written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import files as labels_of
from kernel.store import personal
from kernel.types import Fact, Json, Labelled, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, attempts, labels, said, tool
from tools.engine.files.difference import change_of
from tools.engine.files.spaces import spot_of
from tools.engine.files.workspace import digest_of
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.store import Session
    from tools.engine.files.spaces import Spot


class WriteFile(Arguments):
    """Where and what."""

    path: str = Field(
        description="File in the workspace, like 'reports/march.md'; 'channel/notes.md' is in this channel's own folder"
    )
    content: str = Field(description="The whole new text of the file")


async def _preview(args: WriteFile, ctx: ToolContext) -> Preview:
    spot = spot_of(args.path, ctx)
    before = await asyncio.to_thread(spot.workspace.read_if_there, spot.path)
    size = f"{len(args.content.encode()):,} bytes"
    size += ", new file" if before is None else f" instead of {len(before.encode()):,}"
    return Preview(
        headline=one_line(f"{'Create' if before is None else 'Change'} {args.path}"),
        facts=(Fact(label="File", value=args.path), Fact(label="Size", value=size)),
        payloads=(await asyncio.to_thread(change_of, args.path, before, args.content),),
    )


async def _undo(args: WriteFile, data: Json, ctx: ToolContext) -> ToolResult:
    spot = spot_of(args.path, ctx, reads=False)
    now = await asyncio.to_thread(spot.workspace.read_if_there, spot.path)
    before: str | None = data["before"]
    if now == before:
        return said(f"{args.path} is as it was before.", origin="nowhere")
    if now is None or digest_of(now) != data["digest"]:
        raise CannotDo(f"{args.path} was changed since, so the earlier text is not put back.")
    if before is None:
        await asyncio.to_thread(spot.workspace.trash, spot.path, ctx.call_id)
        return said(f"{args.path}, which was new, is in the trash.", origin="nowhere")
    await _write(spot, before, data.get("origin", "outside_text"), ctx)
    return said(f"{args.path} has its earlier text again.", origin="nowhere")


@tool(
    effect="write",
    authority=("path",),
    free_text=("content",),
    safe_to_repeat=True,
    timeout=10,
    preview=_preview,
    undo=_undo,
)
async def write_file(args: WriteFile, ctx: ToolContext) -> ToolResult:
    """Write a text file into the team's workspace. It replaces the file if there is one, so pass the whole text."""
    spot = spot_of(args.path, ctx, reads=False)
    plan = await attempts.planned(ctx, "write_file", lambda: _plan(spot, ctx))
    before, origin = plan["before"], labels.of_run(ctx.facts)
    now = await asyncio.to_thread(spot.workspace.read_if_there, spot.path)
    if now == args.content and origin == "member_text":
        return _done(args, before, plan["origin"], "is as asked already")  # and keeps its label, maybe a worse one
    await _write(spot, args.content, origin, ctx)
    return _done(args, before, plan["origin"], "is written")


async def _plan(spot: Spot, ctx: ToolContext) -> Json:
    """What the file is before, and where that came from."""
    before = await asyncio.to_thread(spot.workspace.read_if_there, spot.path)
    known = None
    if before is not None:
        version = digest_of(before)
        known = await ctx.store.read(lambda session: labels_of.label(session, spot.key, version))
    return {"before": before, "origin": known.origin if known is not None else "outside_text"}


async def _write(spot: Spot, text: str, origin: str, ctx: ToolContext) -> None:
    """The label first: a crash in between leaves a label without a file, never a file without its label."""
    version = digest_of(text)

    def label(session: Session) -> None:
        labels_of.record(session, spot.key, version, origin=origin, run_id=ctx.facts.run_id, now=ctx.clock.now())
        if ctx.facts.personal_data_read:
            personal.mark(session, personal.of_file(spot.key, version))

    await ctx.store.write(label)
    await asyncio.to_thread(spot.workspace.write, spot.path, text, ctx.call_id)
    await ctx.store.write(lambda session: labels_of.forget_others(session, spot.key, version))


def _done(args: WriteFile, before: str | None, was: str, what: str) -> ToolResult:
    sentence = f"{args.path} {what}: {len(args.content.encode()):,} bytes."
    piece = Labelled(text=args.path, origin="made_here" if before is None else "nowhere", source=f"file:{args.path}")
    return ToolResult(
        content=sentence,
        pieces=(piece,),
        data={"path": args.path, "before": before, "origin": was, "digest": digest_of(args.content)},
        summary=f"{'Created' if before is None else 'Changed'} {args.path}",
    )
