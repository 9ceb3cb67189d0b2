"""Column types that behave the same on SQLite and Postgres."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BigInteger, Float, Index, LargeBinary, String, text
from sqlalchemy import Text as SqlText
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows of which `where` is true."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds since 1970: exact, sortable, the same everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        delta = value - EPOCH
        return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(microseconds: int) -> datetime:
    """The UTC datetime so long after 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


class JsonText(TypeDecorator[Any]):
    """Any JSON value, stored as text. Reading gives plain values; nothing is tracked for change in place."""

    impl = SqlText
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


__all__ = ["BigInteger", "Float", "JsonText", "LargeBinary", "Moment", "SqlText", "String", "moment", "partial"]
