"""An event in plain lines, for people who decide about it: what a calendar's own format says, without the format."""

from __future__ import annotations

import difflib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kernel.types import Payload
from tools.engine.calendar import events
from tools.engine.calendar.shown import in_words

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

WHOLE = 1_000  # lines around a change: all of them


def lines(text: str, zone: ZoneInfo) -> list[str]:
    """The event, and each of its times that differs. CannotDo where it cannot be read."""
    told: list[str] = []
    for event in events.parsed(text):
        told += ["", *_one(event, zone)] if told else _one(event, zone)
    return told


def difference(before: str, after: str, zone: ZoneInfo) -> Payload:
    """What a change does to an event; either may be empty."""
    old, new = (lines(text, zone) if text else [] for text in (before, after))
    changed = difflib.unified_diff(old, new, "before", "after", n=WHOLE, lineterm="")
    return Payload(title="Event", content="\n".join(changed), language="diff")


def _one(event: Any, zone: ZoneInfo) -> list[str]:
    instead = _moment(event["RECURRENCE-ID"].dt, zone) if "RECURRENCE-ID" in event else ""
    rule = event["RRULE"].to_ical().decode() if "RRULE" in event else ""
    words = {spelled: word for word, spelled in events.WORDS.items()}
    told = {
        "title": str(event.get("SUMMARY", "")),
        "instead of": instead,
        "from": _moment(event.start, zone),
        "until": _moment(event.end, zone),
        "recurs": words.get(rule, rule),
        "not on": "; ".join(_moment(moment, zone) for moment in events.skipped(event)),
        "place": str(event.get("LOCATION", "")),
        "invited": ", ".join(events.invited(event)),
    }
    notes = str(event.get("DESCRIPTION", "")).splitlines()
    return [*(f"{name}: {events.line(value)}" for name, value in told.items() if value), *(f"| {one}" for one in notes)]


def _moment(moment: Any, zone: ZoneInfo) -> str:
    if isinstance(moment, datetime):
        return in_words(events.aware(moment), zone)
    return f"{moment:%a %d %b %Y} (all day)"
