"""query_database: rows of a database of the team, by a SELECT that is understood before it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Labelled, ToolResult
from tools.engine import Arguments, ToolContext, tool
from tools.engine.data import databases, reading

if TYPE_CHECKING:
    from tools.engine.data.reading import Table


class QueryDatabase(Arguments):
    """What is asked of which database."""

    database: str = Field(min_length=1, max_length=40, description="Its name; describe_database lists them")
    sql: str = Field(min_length=8, max_length=10_000, description="One SELECT, in the database's own dialect")


@tool(
    effect="read",
    free_text=("sql",),
    may_use=databases.secrets,
    timeout=150,
    max_output=60_000,
    on=databases.are_set_up,
)
async def query_database(args: QueryDatabase, ctx: ToolContext) -> ToolResult:
    """Ask a database of the team with a SELECT; the rows come as CSV. Look at its tables with describe_database first.

    Aggregate in the statement rather than reading many rows: their number and the time are limited.
    """
    from tools.engine.data.statement import understood  # a parser of megabytes

    setup, database = databases.database_of(args.database, ctx)
    statement = understood(args.sql, database.dialect, setup.tables)
    found = await reading.run(database, statement.sql, setup.rows, setup.seconds)
    text = databases.as_csv(found)
    return ToolResult(
        content=f"{text}{_note(found, setup.rows)}",
        pieces=(Labelled(text=text, origin="outside_text", source=f"database:{args.database}"),),
        data={"tables": list(statement.tables), "rows": len(found.rows)},
        summary=f"Read {len(found.rows)} row{'' if len(found.rows) == 1 else 's'} of {args.database}",
    )


def _note(found: Table, limit: int) -> str:
    if not found.rows:
        return "\n[No row fits.]"
    return f"\n[Cut here: only the first {limit:,} rows are shown.]" if found.cut else ""
