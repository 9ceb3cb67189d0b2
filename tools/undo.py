"""undo: take back what an earlier call did, by the reference on its card or of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Labelled, Payload, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, tool, undoing
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from tools.engine.setup.file import ToolsFile


class Undo(Arguments):
    """What is taken back."""

    ref: str = Field(
        pattern=r"^(?i:AP|R)-[0-9A-Za-z]{4,26}$", description="AP-7F3K: what was approved there; R-7F3K: a whole run"
    )


def _secrets(setup: ToolsFile) -> tuple[str, ...]:
    """Taking back an event or a customer's record needs what making it needed."""
    return tuple(name for name in (setup.calendar.password, setup.crm.token, setup.mail.password) if name)


async def _preview(args: Undo, ctx: ToolContext) -> Preview:
    found = await undoing.undoable(args.ref, ctx)
    lines = [call.result["summary"] or call.tool for call in found]
    return Preview(
        headline=one_line(f"Undo {args.ref.upper()}: {lines[0]}" if len(lines) == 1 else f"Undo {args.ref.upper()}"),
        facts=(Fact(label="Takes back", value=one_line("; ".join(lines), 300)),),
        payloads=(Payload(title="What was done", content="\n".join(lines), language="text"),),
        reversible=False,
    )


@tool(effect="write", authority=("ref",), safe_to_repeat=True, may_use=_secrets, timeout=60, preview=_preview)
async def undo(args: Undo, ctx: ToolContext) -> ToolResult:
    """Take back what an earlier call did, where that is possible. Use it when somebody says that it was wrong."""
    found = await undoing.undoable(args.ref, ctx)
    done, refused = await undoing.take_all_back(found, ctx)
    if not done:
        raise CannotDo(" ".join(refused))
    content = "\n".join([*done, *(f"Not undone: {line}" for line in refused)])
    return ToolResult(
        content=content,
        pieces=(Labelled(text=content, origin="nowhere"),),
        data={"undone": [call.id for call in found]},
        summary=one_line(f"Undid {args.ref.upper()}"),
    )
