"""read_skill: how the team does something, from the skills of the charter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import Field

from tools.engine import Arguments, CannotDo, ToolContext, said, skills, tool

if TYPE_CHECKING:
    from kernel.types import ToolResult


class ReadSkill(Arguments):
    """Which skill, and which part of it."""

    name: str = Field(max_length=64, description="The skill's name; '' for a list of all with what each is for")
    file: str = Field(default=skills.MAIN, max_length=200, description="A file of the skill")


@tool(effect="read", timeout=10)
async def read_skill(args: ReadSkill, ctx: ToolContext) -> ToolResult:
    """Read how the team wants something done. Look at the list before a task that has a usual way, then read it."""
    folder = ctx.skills
    if folder is None:
        raise CannotDo("The charter has no skills.")
    if not args.name:
        found = await asyncio.to_thread(skills.listed, folder)
        text = "\n".join(f"{one.name}: {one.description}" for one in found) or "The charter has no skills."
        return said(text, origin="member_text", summary=f"Looked at {len(found)} skills")
    text = await asyncio.to_thread(skills.text_of, folder, args.name, args.file)
    others = await asyncio.to_thread(skills.files_of, folder, args.name) if args.file == skills.MAIN else []
    more = f"\n\n[Other files of this skill: {', '.join(others)}]" if others else ""
    return said(
        f"{text}{more}", origin="member_text", source=f"skill:{args.name}", summary=f"Read the skill {args.name}"
    )
