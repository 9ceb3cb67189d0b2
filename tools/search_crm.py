"""search_crm: companies, contacts, deals, notes and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tools.engine import Arguments, ToolContext, records, tool
from tools.engine.crm.customers import customers_of, secrets
from tools.engine.crm.records import CrmRow, Kind, row

if TYPE_CHECKING:
    from kernel.types import ToolResult


class SearchCrm(Arguments):
    """What is looked for."""

    words: str = Field(max_length=200, description="Words that the record contains; '' for the last changed ones")
    kind: Kind | Literal[""] = Field(default="", description="Of which kind; '' for all")
    about: str = Field(default="", max_length=40, description="Only what belongs to this record: its ref; '' for all")
    limit: int = Field(default=20, ge=1, le=100, description="How many")


@tool(effect="read", look_up=("words",), returns=CrmRow, secrets=secrets, timeout=60)
async def search_crm(args: SearchCrm, ctx: ToolContext) -> ToolResult:
    """Find customers and what is known of them: companies, contacts, deals, notes, tasks. Use it before you add one."""
    found = await customers_of(ctx).search(args.kind, args.words.split(), args.about, args.limit + 1)
    shown = found[: args.limit]
    return records(
        [row(one) for one in shown],
        summary=f"Found {len(shown)} record{'' if len(shown) == 1 else 's'}",
        more=len(found) > args.limit,
        empty="No record fits." if args.words else "There are no records.",
    )
