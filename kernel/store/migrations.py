"""Bringing the database to the tables of this version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import SQLModel

if TYPE_CHECKING:
    from kernel.store.database import Store


def upgrade(store: Store) -> None:
    """Create what is missing."""
    import kernel.store.tables  # noqa: F401  registers every table

    SQLModel.metadata.create_all(store.engine)
