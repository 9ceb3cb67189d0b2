"""Values in a statement that another one can contradict: amounts, numbers with what they count, dates, times, weekdays.

Everything is cautious: what stands in a statement twice, and what cannot be understood for sure, is no value.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from knowledge.engine.query import STOP_WORDS

_MONTHS = "january february march april may june july august september october november december"
MONTHS = tuple(_MONTHS.split())
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SMALL = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
SMALL = dict(zip(_SMALL.split(), range(2, 16), strict=True)) | {"twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90}
SPANS = {  # unit -> what it is counted in, and how many of these it is
    "second": ("second", 1.0),
    "minute": ("second", 60.0),
    "hour": ("second", 3600.0),
    "day": ("day", 1.0),
    "week": ("day", 7.0),
    "month": ("month", 1.0),
    "quarter": ("month", 3.0),
    "year": ("month", 12.0),
}
CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "EURO": "EUR", "EUROS": "EUR", "DOLLARS": "USD"}
UPPER = frozenset({"within", "under", "below", "maximum", "up to", "at most", "no more than", "less than"})
LOWER = frozenset({"above", "over", "minimum", "at least", "more than"})

_NUMBER = r"\d{1,3}(?:[,'’]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_WORDS = "|".join(SMALL)
_MONTH = "|".join(month for name in MONTHS for month in (name, name[:3]))
_CURRENCY = r"€|\$|£|\b(?:EUR|USD|GBP|CHF|euros?|dollars)\b"
_BOUND = "|".join(sorted((*UPPER, *LOWER), key=len, reverse=True))
_EDGE, _END = r"(?<![\w.,#:/'-])", r"(?![\w/'-]|[.,:]\d)"
_VALUE = re.compile(
    rf"""(?:\b(?P<bound>{_BOUND})\s+(?:of\s+)?)?(?:
        {_EDGE}(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d){_END}
      | {_EDGE}(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<month2>{_MONTH})\b\.?(?:,?\s+(?P<year2>\d{{4}}))?
      | \b(?P<month3>{_MONTH})\.?\s+(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?(?!\w)(?:,?\s+(?P<year3>\d{{4}}))?
      | {_EDGE}(?P<hour>\d{{1,2}})(?::(?P<minute>\d\d))?\s?(?P<half>am|pm)\b
      | {_EDGE}(?P<hour2>\d{{1,2}}):(?P<minute2>\d\d){_END}
      | (?:(?P<sign>{_CURRENCY})\s?(?P<sum>{_NUMBER})|{_EDGE}(?P<sum2>{_NUMBER})\s?(?P<sign2>{_CURRENCY}))
        (?:\s?(?:an?|per|/)\s?(?P<per>[a-z]+))?
      | {_EDGE}(?P<percent>{_NUMBER})\s?(?:%|percent\b|per\s?cent\b)
      | {_EDGE}(?P<ordinal>\d{{1,2}})(?:st|nd|rd|th)\b
      | {_EDGE}(?P<count>{_NUMBER}|(?:{_WORDS})\b)(?!\s?[-–]\s?\d)
        (?:[\s-](?P<sort>working|business|calendar|full)(?=[\s-]))?(?:[\s-]?(?P<unit>[a-z]{{2,}}))?(?![\w-])
      | \b(?P<weekday>{"|".join(WEEKDAYS)})s?\b
    )""",
    re.VERBOSE | re.IGNORECASE,
)


class Value(NamedTuple):
    """What a statement says of something that can be counted or dated, as an interval of what it may be."""

    kind: str  # only values of one kind can contradict each other: "day", "money EUR per month"
    low: float
    high: float

    def differs(self, other: Value) -> bool:
        """Whether both cannot be meant: two limits of the same sort that are not the same, or no overlap."""
        ours, theirs = (math.isinf(self.low), math.isinf(self.high)), (math.isinf(other.low), math.isinf(other.high))
        if ours == theirs:
            return (self.low, self.high) != (other.low, other.high)
        return self.low > other.high or other.low > self.high


def values(text: str) -> tuple[dict[str, Value], str]:
    """The values of a statement by kind, without those of a kind that it has several of; and its other words."""
    found: list[Value] = []
    rest, end = [], 0
    for match in _VALUE.finditer(text):
        value = _value(match, text[: match.start()])
        if value is None:
            continue
        found.append(value)
        rest.append(text[end : match.start()])
        end = match.end()
        if (match["unit"] or "").lower() in STOP_WORDS:  # what follows a bare number belongs to the sentence
            end = match.start("unit")
    counted = Counter(value.kind for value in found)
    return {value.kind: value for value in found if counted[value.kind] == 1}, " ".join([*rest, text[end:]])


def _value(match: re.Match[str], before: str) -> Value | None:
    read = next((reader for name, reader in _READERS.items() if match[name] is not None), None)
    found = read(match, before) if read is not None else None
    if found is None:
        return None
    kind, number = found
    bound = (match["bound"] or "").lower()
    if bound in UPPER:
        return Value(kind, -math.inf, number)
    return Value(kind, number, math.inf if bound in LOWER else number)


def _date(match: re.Match[str], _before: str) -> tuple[str, float] | None:
    for year, month, day in (("year", "month", "day"), ("year2", "month2", "day2"), ("year3", "month3", "day3")):
        if match[day] is not None:
            number = int(match[month]) if match[month].isdigit() else _month(match[month])
            if not (1 <= number <= 12 and 1 <= int(match[day]) <= 31):
                return None
            of_year = number * 100.0 + int(match[day])
            return ("date", int(match[year]) * 10_000 + of_year) if match[year] else ("day of the year", of_year)
    return None


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name.lower()))


def _time(match: re.Match[str], _before: str) -> tuple[str, float] | None:
    hour, minute = int(match["hour"] or match["hour2"]), int(match["minute"] or match["minute2"] or 0)
    half = (match["half"] or "").lower()
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        return None
    return "time", (hour % 12 + 12 * (half == "pm") if half else hour) * 60.0 + minute


def _money(match: re.Match[str], _before: str) -> tuple[str, float]:
    sign = (match["sign"] or match["sign2"]).upper()
    per = f" per {singular(match['per'])}" if match["per"] else ""
    return f"money {CURRENCIES.get(sign, sign)}{per}", _number(match["sum"] or match["sum2"])


def _percent(match: re.Match[str], _before: str) -> tuple[str, float]:
    return "percent", _number(match["percent"])


def _ordinal(match: re.Match[str], _before: str) -> tuple[str, float]:
    return "day of the month", float(match["ordinal"])


def _weekday(match: re.Match[str], _before: str) -> tuple[str, float]:
    return "weekday", float(WEEKDAYS.index(match["weekday"].lower()))


def _counted(match: re.Match[str], before: str) -> tuple[str, float] | None:
    """A number with what it counts, or with the word before it: "room 4"."""
    number, unit = _number(match["count"]), singular((match["unit"] or "").lower())
    if unit in SPANS:
        base, size = SPANS[unit]
        sort = f"{match['sort'].lower()} " if match["sort"] else ""
        return f"{sort}{base}", number * size
    if unit and unit not in STOP_WORDS and (match["unit"] or "").lower() not in STOP_WORDS:
        return f"number of {unit}", number
    if re.fullmatch(r"(?:19|20)\d\d", match["count"]):
        return "year", number
    words = re.findall(r"\w+", before)
    return (f"number of {words[-1].lower()}", number) if words and match["count"][0].isdigit() else None


_READERS: dict[str, Callable[[re.Match[str], str], tuple[str, float] | None]] = {
    "day": _date,
    "day2": _date,
    "day3": _date,
    "hour": _time,
    "hour2": _time,
    "sum": _money,
    "sum2": _money,
    "percent": _percent,
    "ordinal": _ordinal,
    "count": _counted,
    "weekday": _weekday,
}


def _number(text: str) -> float:
    return float(SMALL.get(text.lower()) or re.sub(r"[,'’]", "", text))


def singular(word: str) -> str:
    """A word without the s of its plural, in small letters."""
    word = word.lower()
    return word[:-1] if word.endswith("s") and len(word) > 3 else word
