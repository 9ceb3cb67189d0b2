"""describe_database: which databases of the team there are, and which tables and columns they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Labelled, ToolResult
from tools.engine import Arguments, ToolContext, tool
from tools.engine.data import databases, reading

if TYPE_CHECKING:
    from tools.engine.setup.file import DatabaseSetup

MOST = 4_000  # columns


class DescribeDatabase(Arguments):
    """Which database."""

    database: str = Field(max_length=40, description="Its name; '' for a list of the databases")


@tool(effect="read", may_use=databases.secrets, timeout=60, on=databases.are_set_up)
async def describe_database(args: DescribeDatabase, ctx: ToolContext) -> ToolResult:
    """List the databases that can be asked, or the tables and columns of one. Use it before query_database."""
    if not args.database:
        lines = [f"{name}: {setup.purpose or 'no description'}" for name, setup in ctx.setup.databases.items()]
        return _told("\n".join(lines), "Listed the databases", "member_text")
    setup, database = databases.database_of(args.database, ctx)
    found = await reading.run(database, reading.NEEDED[database.dialect], MOST, setup.seconds)
    tables: dict[str, list[str]] = {}
    for table, column, kind in found.rows:
        if _is_open(str(table), setup):
            tables.setdefault(str(table), []).append(f"{column} {kind}".strip())
    lines = [f"{table}({', '.join(columns)})" for table, columns in tables.items()]
    heading = f"{args.database} ({database.dialect}): {setup.purpose}".rstrip(": ")
    return _told("\n".join([heading, *(lines or ["It has no tables."])]), f"Looked at {args.database}", "outside_text")


def _is_open(table: str, setup: DatabaseSetup) -> bool:
    named = {name.lower().removeprefix("public.").removeprefix("main.") for name in setup.tables}
    return not named or table.lower() in named


def _told(text: str, summary: str, origin: str) -> ToolResult:
    piece = Labelled(text=text, origin="member_text" if origin == "member_text" else "outside_text")
    return ToolResult(content=text, pieces=(piece,), summary=summary)
