"""draw_chart: a chart as a PNG in the workspace, from rows of CSV."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel.types import Fact, Json, Labelled, Payload, ToolResult
from tools.engine import Arguments, CannotDo, OneLine, Preview, ToolContext, said, tool
from tools.engine.files.spaces import spot_of
from tools.engine.files.workspace import bytes_digest
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from tools.engine.files.spaces import Spot


class DrawChart(Arguments):
    """What is drawn, and where it is put."""

    path: str = Field(pattern=r"^.+\.png$", max_length=200, description="The new file, like 'charts/sales.png'")
    kind: Literal["bar", "line", "scatter", "pie"] = Field(description="How it is drawn")
    title: OneLine = Field(min_length=1, max_length=80, description="What it shows")
    data: str = Field(
        min_length=3, max_length=100_000, description="CSV: a line of names, then rows of a label and numbers"
    )


def _drawn(args: DrawChart) -> bytes:
    from tools.engine.data import chart  # matplotlib takes long to import

    return chart.draw(chart.read(args.data), args.kind, args.title)


async def _preview(args: DrawChart, ctx: ToolContext) -> Preview:
    content = await asyncio.to_thread(_drawn, args)
    there = await asyncio.to_thread(_there, spot_of(args.path, ctx))
    return Preview(
        headline=one_line(f"Draw a chart: {args.title}"),
        facts=(
            Fact(label="File", value=f"{args.path}{' (it is there already)' if there else ', new'}"),
            Fact(label="Size", value=f"{len(content):,} bytes"),
        ),
        payloads=(Payload(title="Data", content=args.data, language="text"),),
    )


def _there(spot: Spot) -> bytes | None:
    return spot.workspace.content(spot.path) if spot.workspace.has(spot.path) else None


async def _undo(args: DrawChart, data: Json, ctx: ToolContext) -> ToolResult:
    spot = spot_of(args.path, ctx, reads=False)
    there = await asyncio.to_thread(_there, spot)
    if there is None or bytes_digest(there) != data["digest"]:
        raise CannotDo(f"{args.path} was changed or moved since, so it is left as it is.")
    await asyncio.to_thread(spot.workspace.trash, spot.path, ctx.call_id)
    return said(f"{args.path} is in the trash.", origin="nowhere")


@tool(
    effect="write",
    authority=("path",),
    free_text=("title", "data"),
    safe_to_repeat=True,
    timeout=60,
    preview=_preview,
    undo=_undo,
)
async def draw_chart(args: DrawChart, ctx: ToolContext) -> ToolResult:
    """Draw a chart as a PNG into the team's workspace, from numbers as CSV. It replaces no other file."""
    spot = spot_of(args.path, ctx, reads=False)
    content = await asyncio.to_thread(_drawn, args)
    there = await asyncio.to_thread(_there, spot)
    if there is not None and there != content:
        raise CannotDo(f"There is a file {args.path} already. Choose another name.")
    await asyncio.to_thread(spot.workspace.put, spot.path, content, ctx.call_id)
    return ToolResult(
        content=f"The chart is at {args.path}: {len(content):,} bytes.",
        pieces=(Labelled(text=args.path, origin="made_here", source=f"file:{args.path}"),),
        data={"path": args.path, "digest": bytes_digest(content)},
        summary=one_line(f"Drew {args.path}"),
    )
