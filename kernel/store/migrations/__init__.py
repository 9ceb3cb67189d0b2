"""Brings a database to the tables of this version. Each change is a file in versions/, made with `make migration`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from kernel.store.database import Store

FOLDER = Path(__file__).parent
LOCK = 0x626F73756D  # advisory lock: replicas that start together migrate one after the other


def upgrade(store: Store) -> None:
    """Bring the tables to the newest version; quick where they are there already."""
    import kernel.store.tables  # noqa: F401  registers every table

    if current(store) == newest():
        return
    with store.engine.connect() as connection:
        if store.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        _migrate(connection)
        connection.commit()


def is_current(store: Store) -> bool:
    """Whether the tables are those of this version; changes nothing."""
    if not list((FOLDER / "versions").glob("[0-9]*.py")):
        return inspect(store.engine).has_table("run")
    return current(store) == newest()


def current(store: Store) -> str | None:
    """The version that the database is at; None for an empty one."""
    with store.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newest() -> str:
    """The version of the newest file in versions/; they are named by number."""
    return max(path.stem for path in (FOLDER / "versions").glob("[0-9]*.py")).split("_")[0]


def config() -> Config:
    """Alembic's configuration; there is no ini file."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    return made


def _migrate(connection: Connection) -> None:
    from alembic import command

    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
