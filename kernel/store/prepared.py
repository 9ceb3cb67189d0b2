"""Statements of the hot path: compiled once, and on SQLite run by the driver itself.

SQLAlchemy makes a plan for every execution, also of a statement that it has compiled before; measured, that costs ten
times what SQLite needs for the statement. A mention runs some forty. What a statement means stays SQLAlchemy's
business: its text, its parameters, the types of its columns, its errors.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import BindParameter
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.visitors import iterate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import ClauseElement, Dialect, Executable, Result
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlmodel import Session

    Process = Callable[[Any], Any]
    Values = Mapping[str, Any]

DRIVER = "bosun.driver"  # of a session's info: the connection of sqlite3 in which its transaction runs


class Prepared:
    """A statement of SQLAlchemy's that never changes but for the values of its parameters.

    As with `session.connection().execute`, what the session has not flushed yet is not seen. The names of the values
    decide which columns an INSERT has. TypeError where an IN would be made of a list among the values: its length would
    change the statement.
    """

    def __init__(self, statement: Executable) -> None:
        parts = iterate(cast("ClauseElement", statement))
        if any(isinstance(part, BindParameter) and part.expanding and part.required for part in parts):
            raise TypeError("An IN of a prepared statement cannot be of values that change.")
        # Without preserve_rowcount psycopg's count of an INSERT is gone before it can be read.
        self.statement = statement.execution_options(preserve_rowcount=True)
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def run(self, session: Session, values: Values | None = None) -> Result[*tuple[Any, ...]]:
        """The rows that it gives."""
        values = values or {}
        driver = session.info.get(DRIVER)
        if driver is None:
            return session.connection().execute(self.statement, values)
        plan = self._plan(session, values)
        return plan.result(execute(driver, plan.sql, plan.parameters(values)))

    def count(self, session: Session, values: Values | None = None) -> int:
        """How many rows it has changed."""
        values = values or {}
        driver = session.info.get(DRIVER)
        if driver is None:
            return session.connection().execute(self.statement, values).rowcount
        plan = self._plan(session, values)
        return execute(driver, plan.sql, plan.parameters(values)).rowcount

    def many(self, session: Session, rows: Sequence[Values]) -> None:
        """Run it for each of `rows`, which have the same names."""
        driver = session.info.get(DRIVER)
        if driver is None:
            session.connection().execute(self.statement, rows)
            return
        plan = self._plan(session, rows[0])
        for values in rows:
            execute(driver, plan.sql, plan.parameters(values))

    def _plan(self, session: Session, values: Values) -> _Plan:
        names = tuple(values)
        plan = self._plans.get(names)
        if plan is None:
            plan = self._plans[names] = _Plan(self.statement, session.get_bind().dialect, values)
        return plan


class _Plan:
    """How a statement runs on SQLite with parameters of these names."""

    def __init__(self, statement: Executable, dialect: Dialect, values: Values) -> None:
        compiled = cast(
            "SQLCompiler", cast("ClauseElement", statement).compile(dialect=dialect, column_keys=list(values))
        )
        defaults = {column.key: getattr(column.default, "arg", None) for column in compiled.insert_prefetch}
        expanded = compiled.construct_expanded_state({**defaults, **values})
        self.sql = expanded.statement
        self._slots: list[tuple[str, Process | None, Any]] = []  # name, or a value that stands in the statement
        for name in expanded.positiontup or ():
            bound = compiled.binds.get(name)  # None: one of the values of an IN
            process = (
                expanded.processors.get(name)
                if bound is None
                else bound.type.dialect_impl(dialect).bind_processor(dialect)
            )
            if name in values:
                self._slots.append((name, process, None))
            else:
                fixed = expanded.parameters[name]
                self._slots.append(("", None, process(fixed) if process else fixed))
        columns = getattr(statement, "exported_columns", ())
        readers = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
        self._readers = [(number, read) for number, read in enumerate(readers) if read is not None]
        self._columns: SimpleResultMetaData | None = None

    def parameters(self, values: Values) -> tuple[Any, ...]:
        """What the driver gets, in the order of the statement."""
        return tuple(
            (process(values[name]) if process else values[name]) if name else fixed
            for name, process, fixed in self._slots
        )

    def result(self, cursor: sqlite3.Cursor) -> Result[*tuple[Any, ...]]:
        """All rows, as the types of their columns have them."""
        rows = cursor.fetchall()
        if self._columns is None:
            self._columns = SimpleResultMetaData([name for name, *_ in cursor.description or ()])
        return IteratorResult(self._columns, iter([self._read(row) for row in rows] if self._readers else rows))

    def _read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        changed = list(row)
        for number, read in self._readers:
            changed[number] = read(row[number])
        return tuple(changed)


def execute(driver: Any, sql: str, parameters: tuple[Any, ...] = ()) -> sqlite3.Cursor:
    """Run a statement in a connection of sqlite3; its errors are SQLAlchemy's, as everywhere else."""
    try:
        return cast("sqlite3.Connection", driver).execute(sql, parameters)
    except sqlite3.Error as error:
        raise DBAPIError.instance(sql, parameters, error, sqlite3.Error) from error
