"""The hours of a person's day in which nothing that can wait disturbs them. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.types import Person


def quiet_until(person: Person, now: datetime) -> datetime | None:
    """When the quiet hours end in which it is now for this person; None where it is not."""
    if person.quiet is None or person.quiet[0] == person.quiet[1]:
        return None
    begin, end = person.quiet
    local = now.astimezone(ZoneInfo(person.time_zone or "UTC"))
    minute = local.hour * 60 + local.minute
    quiet = begin <= minute < end if begin < end else minute >= begin or minute < end
    if not quiet:
        return None
    morning = local.replace(hour=end // 60 % 24, minute=end % 60, second=0, microsecond=0)
    if morning <= local:
        morning += timedelta(days=1)
    return morning.astimezone(now.tzinfo)
