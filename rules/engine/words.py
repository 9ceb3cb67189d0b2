"""The small words of the rule language: durations, times of day, scalars, lists that may be written as one word."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from kernel.types import Json

DURATION = re.compile(r"([1-9][0-9]{0,4})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=366)
PERCENT = re.compile(r"(100|[1-9]?[0-9])\s?%")
TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

Scalar = str | int | float | bool | None


class Word(BaseModel):
    """A part of a rule file: closed, immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


def parse_duration(text: str) -> timedelta:
    """ "90m", "4h", "7d" as a timedelta; ValueError otherwise."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a duration: write for example 30m, 4h or 7d")
    duration = timedelta(**{UNITS[match[2]]: int(match[1])})
    if duration > LONGEST:
        raise ValueError(f"'{text}' is longer than a year")
    return duration


def seconds(text: str) -> int:
    """The same in seconds."""
    return int(parse_duration(text).total_seconds())


def in_time(amount: int) -> str:
    """Seconds as they are written: "4h", "90m", "2d"."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if amount >= size and amount % size == 0:
            return f"{amount // size}{unit}"
    return f"{amount}s"


def parse_percent(text: str) -> int:
    """ "10%" as 10; ValueError otherwise."""
    match = PERCENT.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a percentage: write for example 10%")
    return int(match[1])


def parse_time(text: str) -> int:
    """ "09:30" as minutes since midnight; "24:00" is the end of the day. ValueError otherwise."""
    match = TIME.fullmatch(text)
    minutes = int(match[1]) * 60 + int(match[2]) if match else 0
    if match is None or minutes > 24 * 60:
        raise ValueError(f'\'{text}\' is not a time of day: write for example "09:30" or "24:00"')
    return minutes


def _one_or_many(value: Json) -> Json:
    """`tool: pay_invoice` means `tool: [pay_invoice]`."""
    return value if isinstance(value, list | tuple) else [value]


def _not_empty(value: tuple[Json, ...]) -> tuple[Json, ...]:
    if not value:
        raise ValueError("the list is empty, so this could never hold")
    return value


def _duration_text(text: str) -> str:
    parse_duration(text)
    return text


def _percent_text(text: str) -> str:
    parse_percent(text)
    return text


def _distinct(values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    twice = next((value for number, value in enumerate(values) if value in values[:number]), None)
    if twice is not None:
        raise ValueError(f"'{twice}' stands here twice")
    return values


def _time_text(text: str) -> str:
    parse_time(text)
    return text


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(f"'{text}' is not a time zone: write for example Europe/Zurich")
    return str(ZoneInfo(text))


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"'{text}' is not a name: small letters, digits, - and _, at most 64")
    return text


ONE_OR_MANY = (BeforeValidator(_one_or_many), AfterValidator(_not_empty))
DISTINCT = AfterValidator(_distinct)

Names = Annotated[tuple[str, ...], *ONE_OR_MANY]
Durations = Annotated[tuple[Annotated[str, AfterValidator(_duration_text)], ...], *ONE_OR_MANY]
Values = Annotated[tuple[Scalar, ...], *ONE_OR_MANY]
Duration = Annotated[str, AfterValidator(_duration_text)]
Percent = Annotated[str, AfterValidator(_percent_text)]
TimeOfDay = Annotated[str, AfterValidator(_time_text)]
Zone = Annotated[str, AfterValidator(_zone)]
Name = Annotated[str, AfterValidator(_name)]
