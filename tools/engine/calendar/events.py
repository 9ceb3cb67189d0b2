"""Events as iCalendar text (RFC 5545): made, read with their recurrences, moved and cancelled. No I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from kernel.store.calendar import ORIGIN
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 500  # occurrences of one answer
OFTEN = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
MOST_A_DAY = 24  # times of one series
WORDS = {
    "daily": "FREQ=DAILY",
    "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "weekly": "FREQ=WEEKLY",
    "monthly": "FREQ=MONTHLY",
    "yearly": "FREQ=YEARLY",
}


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """Something that happens once: an event, or one time of a recurring one."""

    uid: str
    title: str
    start: datetime  # aware
    end: datetime
    place: str
    recurs: bool
    all_day: bool
    busy: bool  # it takes the time of whose calendar it is in
    mark: str
    invited: tuple[str, ...]  # addresses


def make(
    *,
    uid: str,
    title: str,
    start: datetime,
    end: datetime,
    place: str,
    notes: str,
    repeat: str,
    mark: str,
    now: datetime,
) -> str:
    """A new event. CannotDo where `repeat` is no rule."""
    event = icalendar.Event()
    event.add("uid", uid)
    event.add("dtstamp", now)
    event.add("summary", title)
    event.add("dtstart", start)
    event.add("dtend", end)
    if place:
        event.add("location", place)
    if notes:
        event.add("description", notes)
    if repeat:
        event.add("rrule", _rule(repeat))
    event.add(ORIGIN, mark)
    return _text([event])


def _rule(repeat: str) -> icalendar.vRecur:
    text = WORDS.get(repeat, repeat)
    try:
        rule: icalendar.vRecur = icalendar.vRecur.from_ical(text)
    except ValueError as error:
        raise CannotDo("This is no rule of recurrence. Write weekly, for example, or FREQ=WEEKLY;BYDAY=MO.") from error
    if rule.get("FREQ", [""])[0] not in OFTEN:
        raise CannotDo("An event recurs daily, weekly, monthly or yearly.")
    return rule


def local(text: str, zone: ZoneInfo) -> datetime:
    """ "2026-03-02T14:00" in that zone. CannotDo if there is no such time there: the clocks skip it."""
    try:
        naive = datetime.fromisoformat(text)
    except ValueError as error:
        raise CannotDo("Write the time as 2026-03-02T14:00.") from error
    if naive.tzinfo is not None:
        return naive.astimezone(zone)
    aware = naive.replace(tzinfo=zone)
    if aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise CannotDo(f"{text} does not exist in {zone.key}: the clocks skip it.")
    return aware


def occurrences(texts: Iterable[str], start: datetime, end: datetime) -> list[Occurrence]:
    """What happens between the two times, in order. Events that cannot be read are left out."""
    found: list[Occurrence] = []
    for text in texts:
        try:
            whole = icalendar.Calendar.from_ical(text)
            if any(_is_dense(event) for event in whole.walk("VEVENT")):
                continue
            query = recurring_ical_events.of(whole, skip_bad_series=True)
            recurring = any("RRULE" in event or "RDATE" in event for event in whole.walk("VEVENT"))
            for number, event in enumerate(query.between(start, end)):
                if number >= MOST:
                    break
                found.append(_occurrence(event, recurring))
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
    return sorted(found, key=lambda one: (one.start, one.end, one.uid))[:MOST]


def _is_dense(event: Any) -> bool:
    """Whether it recurs so often that nobody means it: counting its times would take minutes."""
    listed = event.get("RRULE", [])
    for rule in listed if isinstance(listed, list) else [listed]:
        often = math.prod(max(1, len(rule.get(part, []))) for part in ("BYHOUR", "BYMINUTE", "BYSECOND"))
        if str(rule.get("FREQ", [""])[0]).upper() not in OFTEN or often > MOST_A_DAY:
            return True
    return False


def _occurrence(event: Any, recurs: bool) -> Occurrence:
    start, end = event.start, event.end
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    return Occurrence(
        uid=str(event.get("UID", "")),
        title=line(event.get("SUMMARY", "")),
        start=aware(start),
        end=aware(end),
        place=line(event.get("LOCATION", "")),
        recurs=recurs,
        all_day=not isinstance(start, datetime),
        busy=str(event.get("TRANSP", "OPAQUE")).upper() != "TRANSPARENT" and not cancelled,
        mark=str(event.get(ORIGIN, "")),
        invited=invited(event),
    )


def span(text: str) -> tuple[datetime, datetime | None]:
    """When it begins first, and when it ends; None where it recurs."""
    events = parsed(text)
    first = min(aware(event.start) for event in events)
    if any("RRULE" in event or "RDATE" in event for event in events):
        return first, None
    return first, max(aware(event.end) for event in events)


def move(text: str, occurrence: datetime | None, start: datetime, minutes: int | None, now: datetime) -> str:
    """The event at another time: all of it, or only the time that would begin at `occurrence`.

    CannotDo where there is no such time, or where a whole series would come to lie on other days than its rule says.
    """
    events = parsed(text)
    series = _series(events)
    if occurrence is None:
        return _move_all(events, series, start, minutes, now)
    known = _at(text, occurrence)
    others = [event for event in events if not _overrides(event, known.recurrence)]
    length = timedelta(minutes=minutes) if minutes else known.end - known.start
    moved = icalendar.Event.from_ical(series.to_ical())
    for name in ("RRULE", "RDATE", "EXDATE", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"):
        moved.pop(name, None)
    moved.add("recurrence-id", known.recurrence)
    _place_at(moved, start, start + length, now)
    return _text([*others, moved])


def cancel(text: str, occurrence: datetime, now: datetime) -> str:
    """The series without one time. CannotDo where there is no such time."""
    events = parsed(text)
    series = _series(events)
    known = _at(text, occurrence)
    series.add("exdate", known.recurrence)
    _touch(series, now)
    return _text([event for event in events if not _overrides(event, known.recurrence)])


def invite(text: str, addresses: Iterable[str], organizer: str, now: datetime) -> str:
    """The event with these people invited to it."""
    events = parsed(text)
    for event in events:
        if "ORGANIZER" not in event:
            event.add("organizer", f"mailto:{organizer}")
        known = set(invited(event))
        new = [address for address in addresses if address.lower() not in known]
        for address in new:
            attendee = icalendar.vCalAddress(f"mailto:{address}")
            attendee.params["RSVP"] = "TRUE"
            attendee.params["PARTSTAT"] = "NEEDS-ACTION"
            event.add("attendee", attendee, encode=0)
        if new:
            _touch(event, now)
    return _text(events)


def request(text: str) -> bytes:
    """The event as an invitation that is sent by mail (RFC 5546)."""
    whole = icalendar.Calendar.from_ical(text)
    whole.add("method", "REQUEST")
    for event in whole.walk("VEVENT"):
        event.pop(ORIGIN, None)
    return bytes(whole.to_ical())


def first(text: str) -> Occurrence:
    """The event itself, at its first time."""
    events = parsed(text)
    return _occurrence(_series(events), len(events) > 1 or "RRULE" in _series(events))


@dataclass(frozen=True, kw_only=True)
class _Known:
    """One time of a series."""

    recurrence: Any  # its RECURRENCE-ID: when it would begin by the rule
    start: datetime
    end: datetime


def _at(text: str, occurrence: datetime) -> _Known:
    whole = icalendar.Calendar.from_ical(text)
    query = recurring_ical_events.of(whole, keep_recurrence_attributes=True)
    day = timedelta(days=1)
    for event in query.between(occurrence - day, occurrence + day):
        if aware(event.start) == occurrence:
            recurrence = event["RECURRENCE-ID"].dt if "RECURRENCE-ID" in event else event.start
            return _Known(recurrence=recurrence, start=aware(event.start), end=aware(event.end))
    raise CannotDo("The event does not take place at this time.")


def _move_all(events: list[Any], series: Any, start: datetime, minutes: int | None, now: datetime) -> str:
    before = series.start
    if not isinstance(before, datetime):
        raise CannotDo("An event of whole days cannot be moved to an hour. Cancel it and make a new one.")
    zone = before.tzinfo or start.tzinfo
    start = start.astimezone(zone)
    if "RRULE" in series and (start.weekday() != before.weekday()) and "BYDAY" in series["RRULE"]:
        raise CannotDo("The series says on which days it takes place. Cancel it and make a new one.")
    shift = start.replace(tzinfo=None) - before.replace(tzinfo=None)
    length = timedelta(minutes=minutes) if minutes else series.end - before
    if len(events) > 1 or "EXDATE" in series:
        _shift_exceptions(events, series, shift)
    _place_at(series, start, start + length, now)
    return _text(events)


def _shift_exceptions(events: list[Any], series: Any, shift: timedelta) -> None:
    """What was said of single times is said of the same times after the move."""
    if "EXDATE" in series:
        listed = series.pop("EXDATE")
        for each in listed if isinstance(listed, list) else [listed]:
            series.add("exdate", [moment.dt + shift for moment in each.dts])
    for event in events:
        if event is not series and "RECURRENCE-ID" in event:
            moment = event.pop("RECURRENCE-ID").dt + shift
            event.add("recurrence-id", moment)


def _place_at(event: Any, start: datetime, end: datetime, now: datetime) -> None:
    for name in ("DTSTART", "DTEND", "DURATION"):
        event.pop(name, None)
    event.add("dtstart", start)
    event.add("dtend", end.astimezone(start.tzinfo))
    _touch(event, now)


def _touch(event: Any, now: datetime) -> None:
    number = int(event.pop("SEQUENCE", 0)) + 1
    event.add("sequence", number)
    event.pop("DTSTAMP", None)
    event.add("dtstamp", now)


def _overrides(event: Any, recurrence: Any) -> bool:
    return "RECURRENCE-ID" in event and aware(event["RECURRENCE-ID"].dt) == aware(recurrence)


def parsed(text: str) -> list[Any]:
    """The event and its exceptions, as the library has them. CannotDo where it cannot be read."""
    try:
        found = list(icalendar.Calendar.from_ical(text).walk("VEVENT"))
    except (ValueError, TypeError) as error:
        raise CannotDo("The event cannot be read.") from error
    if not found:
        raise CannotDo("The event cannot be read.")
    if any(_is_dense(event) for event in found):
        raise CannotDo("The event recurs too often to be handled.")
    return found


def _series(events: list[Any]) -> Any:
    return next((event for event in events if "RECURRENCE-ID" not in event), events[0])


def skipped(event: Any) -> list[Any]:
    """The times or days of a series at which it does not take place."""
    listed = event.get("EXDATE", [])
    return [moment.dt for each in (listed if isinstance(listed, list) else [listed]) for moment in each.dts]


def invited(event: Any) -> tuple[str, ...]:
    """The addresses of who is invited."""
    listed = event.get("ATTENDEE", [])
    each = listed if isinstance(listed, list) else [listed]
    return tuple(str(one).lower().removeprefix("mailto:") for one in each)


def _text(events: list[Any]) -> str:
    whole = icalendar.Calendar()
    whole.add("prodid", "-//Bosun//EN")
    whole.add("version", "2.0")
    for event in events:
        whole.add_component(event)
    whole.add_missing_timezones()
    return str(whole.to_ical().decode())


def aware(moment: datetime | date) -> datetime:
    """A day begins at midnight UTC; a time without a zone counts as UTC."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def line(text: object) -> str:
    """The text on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:300]


def meaning(text: str) -> list[tuple[str, str, str, str]]:
    """What an event comes to, whatever order and spelling a server has given its text."""
    found = []
    for event in parsed(text):
        rule = event["RRULE"].to_ical().decode() if "RRULE" in event else ""
        without = " ".join(sorted(map(str, map(aware, skipped(event)))))
        when = f"{aware(event.start).isoformat()} {aware(event.end).isoformat()}"
        found.append((str(event.get("SUMMARY", "")), when, rule, without))
    return sorted(found)
