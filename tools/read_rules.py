"""read_rules: what rules may name, how they are written, and which are in force."""

from __future__ import annotations

from pydantic import Field

from kernel.types import ToolResult
from tools.engine import Arguments, ToolContext, said, tool
from tools.engine.ruling import ruling_of


class ReadRules(Arguments):
    """Which rules."""

    tool: str = Field(default="", max_length=100, description="Name of a tool; empty for all rules")


@tool(effect="read")
async def read_rules(args: ReadRules, ctx: ToolContext) -> ToolResult:
    """Read the decision rights in force: what agents may do alone and who decides the rest. Use it before a draft."""
    return said(ruling_of(ctx).guide(args.tool), origin="member_text")
