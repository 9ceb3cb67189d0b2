"""Brings a database to the tables of this version. Each change is a file in versions/, made with `make migration`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from kernel.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from kernel.store.database import Store

FOLDER = Path(__file__).parent
LOCK = 0x626F73756D  # advisory lock: replicas that start together migrate one after the other

NO_SERVER = "Check DATABASE_URL, and that the server runs and lets this user in."
NO_FILE = "Check that bosun.sqlite3 in the data folder is Bosun's and may be written, or restore a backup of it."


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
    """The version that the database is at; None for an empty one. StoreError where it cannot be opened."""
    try:
        with store.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except (DBAPIError, sqlite3.Error) as error:  # the latter from what each new connection is told first
        reason = str(getattr(error, "orig", error)).strip().split("\n", 1)[0]
        hint = NO_FILE if store.is_sqlite else NO_SERVER
        raise StoreError(f"The database cannot be opened: {reason}.", hint=hint) from error


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
