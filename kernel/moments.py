"""Moments in texts that people read: plain in UTC as they stand; platforms tell each reader in their own zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WRITTEN = re.compile(rf"\b(\d\d) ({'|'.join(MONTHS)}) (\d{{4}}) (\d\d):(\d\d)(?::(\d\d))? UTC\b")


def written(moment: datetime, *, seconds: bool = False) -> str:
    """ "02 Mar 2026 09:00 UTC", whatever the language of the machine."""
    at = moment.astimezone(UTC)
    time = f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
    return f"{at.day:02} {MONTHS[at.month - 1]} {at.year:04} {time} UTC"


def day(at: date) -> str:
    """ "2 March 2026", the day on which it is where `at` is told."""
    return f"{at.day} {at:%B %Y}"


def rewritten(text: str, show: Callable[[datetime, str], str]) -> str:
    """The text with every moment in it as `show` says it, which gets the moment and how it was written."""

    def one(found: re.Match[str]) -> str:
        day, month, year, hour, minute, second = found.groups()
        try:
            at = datetime(
                int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC
            )
        except ValueError:  # the 31st of February
            return found.group()
        return show(at, found.group())

    return _WRITTEN.sub(one, text)
