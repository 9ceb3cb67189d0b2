"""Tools for the tests. What they did to the world is written into a file, so that other processes can count it."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel.errors import ToolError
from kernel.types import ToolResult
from tools.engine import Arguments, Catalogue, ToolContext, said, tool

if TYPE_CHECKING:
    from tools.engine import Tool


class Pay(Arguments):
    account: str = Field(description="Account to pay to")
    amount: float = Field(description="In EUR", ge=0)
    memo: str = Field(default="", description="What for")


class Note(Arguments):
    text: str = Field(description="What to look for")


class Mail(Arguments):
    to: list[str] = Field(description="Addresses")
    cc: str | None = Field(default=None, description="Copy")
    body: str = Field(description="Text")


class Deploy(Arguments):
    environment: Literal["staging", "production"] = Field(description="Where to")
    build: int = Field(description="Number")


def happened(ctx: ToolContext, what: str) -> None:
    with (ctx.workspace / "world.txt").open("a") as world:
        world.write(f"{what}\n")


@tool(effect="spend", authority=("account",), free_text=("memo",))
async def pay(args: Pay, ctx: ToolContext) -> ToolResult:
    """Pay money."""
    happened(ctx, f"pay {args.account} {args.amount:g}")
    if args.memo == "die":
        os._exit(9)
    if args.memo == "fail":
        raise ToolError("The bank refused.")
    if args.memo == "explode":
        raise RuntimeError("boom")
    return said(f"paid {args.amount:g} to {args.account}", origin="made_here")


@tool(effect="read")
async def look(args: Note, ctx: ToolContext) -> ToolResult:
    """Look something up."""
    happened(ctx, f"look {args.text}")
    return said(f"found {args.text}", origin="member_text")


@tool(effect="send", authority=("to",), free_text=("body",))
async def mail(args: Mail, ctx: ToolContext) -> ToolResult:
    """Send a mail."""
    happened(ctx, f"mail {','.join(args.to)}")
    return said("sent", origin="made_here")


@tool(effect="write", authority=("environment",), safe_to_repeat=True)
async def deploy(args: Deploy, ctx: ToolContext) -> ToolResult:
    """Deploy a build."""
    happened(ctx, f"deploy {args.environment} {args.build} {ctx.call_id}")
    if args.build == 666:
        os._exit(9)
    return said("deployed", origin="made_here")


@tool(effect="fetch", authority=("text",), secrets=("KEY",))
async def peek(args: Note, ctx: ToolContext) -> ToolResult:
    """Fetch a page."""
    happened(ctx, f"peek {args.text} {ctx.secrets['KEY']}")
    return said(f"page {args.text} {ctx.secrets['KEY']}", origin="outside_text")


TOOLS: tuple[Tool, ...] = (pay, look, mail, deploy, peek)


@cache
def catalogue() -> Catalogue:
    return Catalogue(TOOLS)
