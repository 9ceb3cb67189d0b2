"""Running a query: on a connection that cannot write, for a limited time, up to a number of rows."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from tools.engine.aside import aside
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = 10_000  # of SQLite's machine between two looks at the time
CONNECT = 10  # seconds
CELL = 500  # characters of one value
READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
NEEDED = {  # what the tools themselves ask for
    "sqlite": "SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p "
    "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid",
    "postgres": "SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema || '.' END || table_name, "
    "column_name, data_type FROM information_schema.columns "
    "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
    "ORDER BY table_schema, table_name, ordinal_position",
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """What came out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    cut: bool  # there were more rows


class Database(Protocol):
    """A database that is only read."""

    dialect: str

    def run(self, sql: str, rows: int, seconds: float) -> Table:
        """The result. CannotDo where it cannot be had in time, or at all."""
        ...


def opened(url: str) -> Database:
    """The database behind an address: sqlite:///file, postgresql://... CannotDo for any other kind."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return Sqlite(Path(url.removeprefix("sqlite:///")))
    if parts.scheme in {"postgresql", "postgres"}:
        return Postgres(url)
    raise CannotDo("Only databases at sqlite:/// and postgresql:// can be asked.")


async def run(database: Database, sql: str, rows: int, seconds: float, *, grace: float = CONNECT + 5) -> Table:
    """The result, without stopping anything else meanwhile, also where the database ignores its limits.

    CannotDo where it cannot be had in time, `grace` for connecting included, or at all.
    """
    try:
        return await aside(functools.partial(database.run, sql, rows, seconds), seconds + grace)
    except TimeoutError as error:
        raise CannotDo("The database did not answer in time.") from error


class Sqlite:
    """A SQLite file."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, sql: str, rows: int, seconds: float) -> Table:
        """The result."""
        until = time.monotonic() + seconds
        try:
            with self._connection(own=sql == NEEDED["sqlite"]) as connection:
                connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
                cursor = connection.execute(sql)
                found = cursor.fetchmany(rows + 1)
                return _table([column[0] for column in cursor.description], found, rows)
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise CannotDo(f"The query took longer than {seconds:g} seconds.") from error
            raise CannotDo(_said(error)) from error
        except sqlite3.Error as error:
            raise CannotDo(_said(error)) from error

    @contextlib.contextmanager
    def _connection(self, *, own: bool) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True, timeout=2)
        try:
            connection.execute("PRAGMA query_only = ON")
            if not own:
                connection.set_authorizer(
                    lambda action, *_: sqlite3.SQLITE_OK if action in READS else sqlite3.SQLITE_DENY
                )
            yield connection
        finally:
            connection.close()


class Postgres:
    """A Postgres database."""

    dialect = "postgres"

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, sql: str, rows: int, seconds: float) -> Table:
        """The result."""
        import psycopg  # megabytes; most teams ask no Postgres

        settings = f"-c default_transaction_read_only=on -c statement_timeout={int(seconds * 1000)}"
        try:
            with psycopg.connect(self.url, connect_timeout=CONNECT, options=settings) as connection:
                connection.read_only = True
                with connection.cursor(name="bosun") as cursor:  # of the server: it sends no more than is fetched
                    cursor.execute(sql.encode())
                    found = cursor.fetchmany(rows + 1)
                    return _table([column.name for column in cursor.description or ()], found, rows)
        except psycopg.errors.QueryCanceled as error:
            raise CannotDo(f"The query took longer than {seconds:g} seconds.") from error
        except psycopg.OperationalError as error:
            raise CannotDo("The database cannot be reached.") from error
        except psycopg.Error as error:
            raise CannotDo(_said(error)) from error


def _table(columns: list[str], found: list[Any], rows: int) -> Table:
    shown = tuple(tuple(None if cell is None else _cell(cell) for cell in row) for row in found[:rows])
    return Table(columns=tuple(columns), rows=shown, cut=len(found) > rows)


def _cell(value: object) -> str:
    text = f"[{len(value)} bytes]" if isinstance(value, bytes | memoryview) else str(value)
    text = text.replace("\0", "\ufffd")
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def _said(error: Exception) -> str:
    """What the database says of a statement. It names tables and columns, and quotes the statement at most."""
    first = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
    return f"The database does not take the statement: {first}"
