"""Alembic's entry point: runs migrations on the connection that it is given."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel

import kernel.store.tables  # noqa: F401  registers every table
from kernel.store import columns


def _render(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write our own column types as `columns.NAME()` and SQLModel's text as a plain string."""
    if kind == "type" and type(item).__module__ == columns.__name__:
        autogenerate.imports.add("from kernel.store import columns")
        return f"columns.{type(item).__name__}()"
    if kind == "type" and type(item).__name__ == "AutoString":
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=_render,
    render_as_batch=True,
    transactional_ddl=False,  # the caller holds the transaction
    include_name=lambda name, kind, _parents: kind != "table" or name in SQLModel.metadata.tables,
)
context.run_migrations()
