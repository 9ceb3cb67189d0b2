"""Opening the database's engine, with the settings that durability needs; docs/decisions says why each."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.util import LRUCache

from kernel.errors import ConfigError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from sqlalchemy import Dialect, Engine
    from sqlalchemy.engine.interfaces import ExceptionContext

COMPILED: LRUCache[Any, Any] = LRUCache(1_000)  # statements of every SQLite file that this process opens
EXPECTED = "Bosun runs on sqlite:///... or postgresql://user:password@host/name."


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path}"


def open_engine(url: str) -> Engine:
    """An engine for the URL. ConfigError where it is none of a database that Bosun runs on."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:  # without the text, in which a password may stand
        raise ConfigError("DATABASE_URL is no address of a database.", hint=EXPECTED) from error
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=10, pool_pre_ping=True
        )
        event.listen(engine, "handle_error", _mark_lost_connection)
        return engine
    raise ConfigError(f"DATABASE_URL names {parsed.get_backend_name()!r}.", hint=EXPECTED)


@functools.cache
def _sqlite_dialect() -> Dialect:
    """The one of this process: SQLAlchemy keeps what it has compiled by dialect."""
    engine = create_engine("sqlite://")
    engine.connect().close()  # which tells the dialect what this SQLite can do
    engine.dispose()
    return engine.dialect


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30}, pool_size=8)
    engine.dialect = _sqlite_dialect()
    engine.update_execution_options(compiled_cache=COMPILED)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves: IMMEDIATE for writes
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=30000",
            "foreign_keys=ON",
            "cache_size=-16000",
            "temp_store=MEMORY",  # a savepoint keeps what it may take back; a file for that would be made each time
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _mark_lost_connection(context: ExceptionContext) -> None:
    """A psycopg error without SQLSTATE (DNS failure, missing socket) is a lost connection, not a statement's fault."""
    import psycopg  # megabytes; SQLite needs none of it

    error = context.original_exception
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        context.is_disconnect = True
