"""Quiet hours: "20:00-08:00", times of day between which nothing that can wait is posted. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


def hours(text: str) -> tuple[int, int]:
    """Begin and end in minutes since midnight. ValueError where the text is no such hours."""
    found = HOURS.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' are no hours: write for example \"20:00-08:00\"")
    begin, begin_minute, end, end_minute = map(int, found.groups())
    return begin * 60 + begin_minute, end * 60 + end_minute


def over_at(text: str, now: datetime, zone: str) -> datetime | None:
    """When the quiet hours that it is now in are over; None where it is in none."""
    begin, end = hours(text)
    local = now.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    inside = begin <= minute < end if begin <= end else minute >= begin or minute < end
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if minute >= end else 0)
    return datetime(day.year, day.month, day.day, end // 60, end % 60, tzinfo=ZoneInfo(zone)).astimezone(UTC)
