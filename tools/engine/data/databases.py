"""The databases of tools.yaml, and what they need."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tools.engine.data.reading import opened
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from tools.engine.context import ToolContext
    from tools.engine.data.reading import Database, Table
    from tools.engine.setup.file import DatabaseSetup, ToolsFile


def are_set_up(setup: ToolsFile) -> bool:
    """Whether there is one."""
    return bool(setup.databases)


def secrets(setup: ToolsFile) -> tuple[str, ...]:
    """The addresses, which hold passwords."""
    return tuple(database.url for database in setup.databases.values())


def database_of(name: str, ctx: ToolContext) -> tuple[DatabaseSetup, Database]:
    """The database of that name. CannotDo names those that there are."""
    setup = ctx.setup.databases.get(name)
    if setup is None:
        raise CannotDo(f"There is no database of this name. There are: {', '.join(sorted(ctx.setup.databases))}.")
    if setup.url not in ctx.secrets:
        raise CannotDo(f"The database {name} needs {setup.url}, which is not set on this installation.")
    return setup, opened(ctx.secrets[setup.url])


def as_csv(table: Table) -> str:
    """The rows as CSV, with a line of names first. Nothing is an empty field."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return lines.getvalue()
