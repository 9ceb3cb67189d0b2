"""A statement in SQL: taken apart, judged by what it is, and written anew. What cannot be understood is not run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 10_000  # characters
QUERIES = (exp.Select, exp.SetOperation)  # a set operation is a UNION, for example
# Anything in a query that would change, lock or reach for something else.
FORBIDDEN = (exp.DML, exp.DDL, exp.Into, exp.Lock, exp.Command, exp.Set, exp.Pragma, exp.Placeholder, exp.Parameter)
# Functions that the parser does not know by a class of their own, and that only compute.
PLAIN = frozenset(
    """
    abs age array_agg array_length array_to_string avg bool_and bool_or btrim char_length concat_ws cume_dist date
    date_part datetime dense_rank every first_value format glob group_concat hex ifnull iif initcap instr json_array
    json_build_object json_each json_extract json_extract_path_text json_group_array json_object json_type jsonb_agg
    julianday justify_days justify_interval lag last_value lead left likely ltrim make_date mode mod ntile
    nullif octet_length overlay percent_rank percentile_cont percentile_disc position printf quote random
    regexp_count regexp_match regexp_matches regexp_replace repeat replace reverse right rtrim sign split_part
    starts_with stddev strftime string_agg strpos substr substring substring_index time timediff to_char to_date
    to_number to_timestamp total translate trim typeof unicode unixepoch unlikely upper var_pop var_samp variance
    width_bucket
    """.split()  # noqa: SIM905  a list of a hundred quoted words reads badly
)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A query that only reads."""

    sql: str  # written anew from what was understood
    tables: tuple[str, ...]  # that it reads, as they are named in it


def understood(text: str, dialect: str, tables: Iterable[str]) -> Statement:
    """The query. `tables` are those that may be read; none named: all but the database's own.

    CannotDo says what about it is not allowed.
    """
    if len(text) > LONGEST:
        raise CannotDo(f"The statement is longer than {LONGEST:,} characters.")
    try:
        parsed = [one for one in sqlglot.parse(text, read=dialect) if one is not None]
    except (SqlglotError, RecursionError) as error:
        raise CannotDo("This is no SQL that can be understood.") from error
    if len(parsed) != 1:
        raise CannotDo("Exactly one statement can be run at a time.")
    (query,) = parsed
    if not isinstance(query, QUERIES):
        raise CannotDo("Only a SELECT can be run: the database is never changed from here.")
    for node in query.walk():
        _check(node)
    found = _tables(query)
    _allowed(found, frozenset(name.lower() for name in tables))
    try:
        return Statement(sql=query.sql(dialect=dialect, comments=False), tables=found)
    except (SqlglotError, RecursionError) as error:
        raise CannotDo("This is no SQL that can be understood.") from error


def _check(node: exp.Expr) -> None:
    if isinstance(node, FORBIDDEN) and not isinstance(node, QUERIES):
        raise CannotDo("The statement would change or lock something, or has a parameter without a value.")
    if isinstance(node, exp.Anonymous) and node.name.lower() not in PLAIN:
        raise CannotDo(f"The function {node.name[:60]} is not one of those that may be used.")
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        raise CannotDo("Functions of another schema may not be used.")


def _tables(query: exp.Expr) -> tuple[str, ...]:
    """The tables that the query reads, without those that it defines itself."""
    own = {cte.alias_or_name.lower() for cte in query.find_all(exp.CTE)}
    names = []
    for table in query.find_all(exp.Table):
        if isinstance(table.this, exp.Func):
            continue
        name = ".".join(part.name for part in table.parts)
        if name.lower() not in own:
            names.append(name)
    return tuple(dict.fromkeys(names))


def _allowed(found: Iterable[str], tables: frozenset[str]) -> None:
    for name in found:
        schema, _, last = name.lower().rpartition(".")
        if tables:
            if name.lower() not in tables and not (schema in {"", "public", "main"} and last in tables):
                raise CannotDo(
                    f"The table {name[:80]} is not one of those that may be read: {', '.join(sorted(tables))}."
                )
        elif last.startswith(("pg_", "sqlite_")) or schema in {"pg_catalog", "information_schema"}:
            raise CannotDo("The database's own tables are not read from here. Use describe_database.")
