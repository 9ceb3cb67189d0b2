"""Calendars: the same promises on our own tables and on a real CalDAV server; recurring events and time zones right."""

from __future__ import annotations

import email
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.store import mail, open_store
from kernel.types import Person, ToolResult
from rules.engine.outcome import Parked
from tests.tools.caldav_server import HOME, PASSWORD, radicale_server
from tests.tools.cases import shows
from tests.tools.office import Office, done
from tools.cancel_event import cancel_event
from tools.engine.calendar import events
from tools.engine.calendar.free import Who, slots
from tools.engine.setup.file import ToolsFile
from tools.invite_to_event import invite_to_event
from tools.move_event import move_event

ZURICH, TOKYO, NEW_YORK = ZoneInfo("Europe/Zurich"), ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
NAMES = ("ann", "bo", "team")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = Path(tmp_path_factory.mktemp("radicale"))
    with radicale_server(folder, *(f"{kind}-{name}" for kind in range(20) for name in NAMES)) as url:
        yield url


_fresh = itertools.count()


@pytest.fixture(params=["local", "caldav"])
async def office(request: pytest.FixtureRequest, tmp_path: Path, sqlite_with_tables: str) -> AsyncIterator[Office]:
    setup, secrets = ToolsFile(), {}
    if request.param == "caldav":
        url, kind = request.getfixturevalue("server"), next(_fresh)
        calendars = {name: f"{url}{HOME}{kind}-{name}/" for name in NAMES}
        calendar = {"url": f"{url}{HOME}", "user": "bosun", "password": "CALENDAR_PASSWORD", "calendars": calendars}
        setup, secrets = ToolsFile.model_validate({"calendar": calendar}), {"CALENDAR_PASSWORD": PASSWORD}
    here = Office(open_store(sqlite_with_tables), tmp_path, setup, **secrets)
    zones = {"ann": "Europe/Zurich", "bo": "Asia/Tokyo"}
    for name, zone in zones.items():
        here.team.people[name] = Person(id=name, name=name, accounts=(f"web:local:{name}",), time_zone=zone)
    yield here
    here.store.close()


async def make(office: Office, calendar: str = "ann", **more: Any) -> ToolResult:
    event = {"title": "Review", "start": "2026-03-23T14:00", "minutes": 60, **more}
    run = office.run(f"put {event['title']} into {calendar}")
    return done(await office.act(run, "create_event", calendar=calendar, **event))


async def listed(
    office: Office, calendar: str = "ann", start: str = "2026-03-01", end: str = "2026-05-01"
) -> list[Any]:
    arguments = {"calendar": calendar, "start": f"{start}T00:00", "end": f"{end}T00:00"}
    found = done(await office.act(office.run("look"), "list_events", **arguments))
    assert not found.error, found.content
    return list(found.data["records"])


# -- the tools -----------------------------------------------------------------------------------------------------


@shows("works", "create_event", "list_events")
async def test_an_event_is_made_found_and_taken_back(office: Office) -> None:
    run = office.run("put Review into ann")
    arguments: dict[str, Any] = {"calendar": "ann", "title": "Review", "start": "2026-03-23T14:00", "minutes": 60}
    made = done(await office.act(run, "create_event", "u1", **arguments))
    assert not made.error, made.content
    again = done(await office.act(run, "create_event", "u1", **arguments))
    assert again == made
    (event,) = await listed(office)
    assert (event["title"], event["start"], event["end"]) == ("Review", "2026-03-23T14:00", "2026-03-23T15:00")
    undone = done(await office.act(office.run(f"undo {run.ref}"), "undo", ref=run.ref))
    assert not undone.error, undone.content
    assert await listed(office) == []


async def test_a_weekly_event_stays_at_its_hour_when_the_clocks_change(office: Office) -> None:
    await make(office, repeat="weekly")
    starts = [event["start"] for event in await listed(office, end="2026-04-08")]
    assert starts == ["2026-03-23T14:00", "2026-03-30T14:00", "2026-04-06T14:00"]
    everything = await listed(office, end="2026-03-24")
    assert everything[0]["recurs"] == "yes"


@shows("works", "move_event", "cancel_event")
async def test_one_time_of_a_series_is_moved_and_another_cancelled(office: Office) -> None:
    made = await make(office, repeat="weekly")
    uid = made.data["event"]
    here = {"calendar": "ann", "event": uid}
    run = office.run(f"move {uid} of ann")
    arguments = {**here, "occurrence": "2026-03-30T14:00", "start": "2026-03-31T09:30", "minutes": 0}
    moved = done(await office.act(run, "move_event", "u1", **arguments))
    assert not moved.error, moved.content
    cancel = office.run(f"cancel {uid} of ann")
    _, gone = await office.approved(cancel, "cancel_event", by="ann", **here, occurrence="2026-04-06T14:00")
    assert not gone.error, gone.content
    starts = [event["start"] for event in await listed(office, end="2026-04-14")]
    assert starts == ["2026-03-23T14:00", "2026-03-31T09:30", "2026-04-13T14:00"]
    assert not done(await office.act(office.run(f"undo {cancel.ref}"), "undo", ref=cancel.ref)).error
    assert len(await listed(office, end="2026-04-14")) == 4
    refused = done(await office.act(run, "move_event", **{**arguments, "occurrence": "2026-03-24T14:00", "minutes": 5}))
    assert refused.content == "The event does not take place at this time."


async def test_a_moved_series_keeps_what_was_said_of_single_times(office: Office) -> None:
    uid = (await make(office, repeat="weekly")).data["event"]
    here = {"calendar": "ann", "event": uid}
    await office.approved(office.run("cancel"), "cancel_event", by="ann", **here, occurrence="2026-03-30T14:00")
    run = office.run(f"move {uid} of ann")
    moved = done(await office.act(run, "move_event", **here, occurrence="", start="2026-03-23T16:00", minutes=30))
    assert not moved.error, moved.content
    found = await listed(office, end="2026-04-08")
    assert [(event["start"], event["end"][-5:]) for event in found] == [
        ("2026-03-23T16:00", "16:30"),
        ("2026-04-06T16:00", "16:30"),
    ]
    assert not done(await office.act(office.run(f"undo {run.ref}"), "undo", ref=run.ref)).error
    assert [event["start"] for event in await listed(office, end="2026-04-08")] == [
        "2026-03-23T14:00",
        "2026-04-06T14:00",
    ]


async def test_undo_does_not_overwrite_what_somebody_changed_since(office: Office) -> None:
    uid = (await make(office)).data["event"]
    first = office.run(f"move {uid} of ann")
    here = {"calendar": "ann", "event": uid, "occurrence": "", "minutes": 0}
    assert not done(await office.act(first, "move_event", **here, start="2026-03-24T14:00")).error
    second = office.run(f"move {uid} of ann again")
    assert not done(await office.act(second, "move_event", **here, start="2026-03-25T14:00")).error
    refused = done(await office.act(office.run(f"undo {first.ref}"), "undo", ref=first.ref))
    assert "Somebody has changed the event since" in refused.content


@shows("works", "find_free_time")
async def test_time_that_suits_people_on_two_continents(office: Office) -> None:
    await make(office, start="2026-03-23T09:00", minutes=30)  # Monday, in Zurich: 17:00 in Tokyo
    arguments: dict[str, Any] = {
        "people": ["ann", "bo"],
        "minutes": 30,
        "start": "2026-03-23T00:00",
        "end": "2026-03-25T00:00",
    }
    found = done(await office.act(office.run("when?"), "find_free_time", **arguments, last_hour=18))
    assert found.content.splitlines()[0].startswith("2026-03-23T09:30 | Mon 23 Mar 2026 09:30 (Europe/Zurich) = 17:30")
    assert len(found.content.splitlines()) == 3  # and twice on Tuesday
    none = done(await office.act(office.run("when?"), "find_free_time", **arguments))
    assert none.content.startswith("There is no time that suits everybody.")


@shows("works", "invite_to_event")
async def test_people_are_invited_once_and_stand_in_the_event(office: Office) -> None:
    uid = (await make(office)).data["event"]
    arguments = {"calendar": "ann", "event": uid, "to": ["maria@example.org"], "message": "Please come."}
    ref, invited = await office.approved(office.run("invite maria"), "invite_to_event", by="ann", **arguments)
    assert not invited.error, invited.content
    assert ref
    (event,) = await listed(office)
    assert event["invited"] == ["maria@example.org"]
    (row,) = office.store.read_now(lambda session: mail.search(session, mail.SENT, [], 10))
    message = email.message_from_bytes(row.raw)
    invitation = next(part for part in message.walk() if part.get_filename() == "invite.ics")
    content = invitation.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert b"METHOD:REQUEST" in content
    assert b"maria@example.org" in content.replace(b"\r\n ", b"")
    assert b"X-BOSUN" not in content


async def test_people_see_in_plain_words_what_happens_to_an_event(office: Office) -> None:
    uid = (await make(office, repeat="weekly", place="Room 5")).data["event"]
    context = office.context("01CALL", office.run("look"))
    context = replace(context, secrets=office.secrets)
    here = {"calendar": "ann", "event": uid, "occurrence": "2026-03-30T14:00"}
    moved = await move_event.preview({**here, "start": "2026-03-31T10:00", "minutes": 30}, context)
    (payload,) = moved.payloads
    assert payload.language == "diff"
    assert "+instead of: Mon 30 Mar 2026 14:00 (Europe/Zurich)" in payload.content
    assert "+until: Tue 31 Mar 2026 10:30 (Europe/Zurich)" in payload.content
    cancelled = await cancel_event.preview(here, context)
    assert "+not on: Mon 30 Mar 2026 14:00 (Europe/Zurich)" in cancelled.payloads[0].content
    invited = await invite_to_event.preview(
        {"calendar": "ann", "event": uid, "to": ["maria@example.org"], "message": "Please come."}, context
    )
    facts = {fact.label: fact.value for fact in invited.facts}
    assert facts == {
        "To": "maria@example.org",
        "Outside the team": "maria@example.org",
        "Subject": "Invitation: Review",
    }
    mail_, event = (payload.content for payload in invited.payloads)
    assert mail_ == "Please come.\n\nReview\nMon 23 Mar 2026 14:00 (Europe/Zurich)\nRoom 5"
    assert "recurs: weekly" in event
    assert "invited: maria@example.org" in event
    for one in (moved, cancelled, invited):
        assert "VEVENT" not in one.model_dump_json()


@shows("hostile", "list_events")
async def test_what_stands_in_a_calendar_is_the_teams_or_the_worlds(office: Office) -> None:
    await make(office)
    arguments = {"calendar": "ann", "start": "2026-03-01T00:00", "end": "2026-04-01T00:00"}
    found = done(await office.act(office.run("look"), "list_events", **arguments))
    expected = "outside_text" if office.setup.calendar.url else "member_text"
    assert {piece.origin for piece in found.pieces if piece.field == "title"} == {expected}


async def test_an_event_found_by_the_requesters_words_is_moved_without_asking(office: Office) -> None:
    await make(office, title="Quarterly numbers")
    await make(office, title="Lunch", start="2026-03-23T12:00")
    run = office.run("move the quarterly numbers of ann to tuesday")
    arguments = {
        "calendar": "ann",
        "start": "2026-03-01T00:00",
        "end": "2026-04-01T00:00",
        "words": "quarterly numbers",
    }
    found = done(await office.act(run, "list_events", **arguments))
    uid = found.data["records"][0]["event"]
    move = {"calendar": "ann", "event": uid, "occurrence": "", "start": "2026-03-24T14:00"}
    informed = run.model_copy(update={"seen": found.pieces})
    assert not done(await office.act(informed, "move_event", **move)).error
    assert isinstance(await office.act(office.run("tidy up"), "move_event", **move), Parked)


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("create_event", {"start": "2026-03-29T02:30"}, "2026-03-29T02:30 does not exist in Europe/Zurich"),
        ("create_event", {"start": "tomorrow"}, "Write the time as 2026-03-02T14:00."),
        ("create_event", {"repeat": "FREQ=SECONDLY"}, "An event recurs daily, weekly, monthly or yearly."),
        ("create_event", {"calendar": "nobody"}, "such calendar"),
        ("move_event", {"event": "none", "occurrence": ""}, "There is no such event in this calendar."),
    ],
)
@shows("not there", "create_event", "move_event")
async def test_what_cannot_be_is_refused_in_a_sentence(
    office: Office, tool: str, arguments: dict[str, Any], says: str
) -> None:
    base: dict[str, Any] = {"calendar": "ann", "start": "2026-03-23T14:00", "minutes": 30}
    base |= {"title": "Review"} if tool == "create_event" else {}
    run = office.run("ann none nobody review")
    given_ = base | arguments
    outcome = await office.act(run, tool, "u1", **given_)
    result = outcome if isinstance(outcome, Parked) else done(outcome)
    assert isinstance(result, ToolResult)
    assert says in result.content


# -- the server ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "WRONG"}, "does not allow this, or does not take the password"),
        ({"path": "nowhere"}, "The calendar server"),
        ({"url": "http://127.0.0.1:9/"}, "The calendar server cannot be reached"),
    ],
)
async def test_a_server_in_trouble_is_a_sentence(
    server: str, tmp_path: Path, sqlite_with_tables: str, change: dict[str, str], says: str
) -> None:
    base = change.get("url", f"{server}{HOME}")
    calendar = {
        "url": base,
        "user": "bosun",
        "password": change.get("password", "RIGHT"),
        "calendars": {"ann": f"{base}{change.get('path', '0-ann')}/"},
    }
    setup = ToolsFile.model_validate({"calendar": calendar})
    here = Office(open_store(sqlite_with_tables), tmp_path, setup, RIGHT=PASSWORD, WRONG="nonsense")
    arguments = {"calendar": "ann", "start": "2026-03-01T00:00", "end": "2026-04-01T00:00"}
    failed = done(await here.act(here.run("look"), "list_events", **arguments))
    here.store.close()
    assert failed.error
    assert says in failed.content


def test_an_event_that_cannot_be_read_hides_no_other() -> None:
    good = events.make(
        uid="1", title="Good", start=datetime(2026, 3, 2, 9, tzinfo=UTC), end=datetime(2026, 3, 2, 10, tzinfo=UTC),
        place="", notes="", repeat="", mark="", now=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    bad = good.replace("DTSTART:20260302T090000Z", "DTSTART:yesterday").replace("UID:1", "UID:2")
    endless = good.replace("SUMMARY:Good", "SUMMARY:Often\r\nRRULE:FREQ=SECONDLY").replace("UID:1", "UID:3")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    found = events.occurrences([bad, "nonsense", endless, good], start, start + timedelta(days=7))
    assert "Good" in {one.title for one in found}
    assert len(found) <= events.MOST


# -- free time -----------------------------------------------------------------------------------------------------

MONDAY = datetime(2026, 3, 23, tzinfo=UTC)
spans = st.tuples(st.integers(0, 5 * 96), st.integers(1, 40))


@settings(max_examples=60, deadline=None)
@given(
    booked=st.lists(st.tuples(st.sampled_from(["z", "t", "n"]), spans), max_size=12),
    minutes=st.sampled_from([15, 30, 60, 120]),
)
def test_a_proposed_time_suits_everybody(booked: list[tuple[str, tuple[int, int]]], minutes: int) -> None:
    zones = {"z": ZURICH, "t": TOKYO, "n": NEW_YORK}
    quarter, length = timedelta(minutes=15), timedelta(minutes=minutes)
    busy: dict[str, list[tuple[datetime, datetime]]] = {name: [] for name in zones}
    for name, (begin, many) in booked:
        busy[name].append((MONDAY + begin * quarter, MONDAY + (begin + many) * quarter))
    hours = (time(6), time(22))
    people = {name: Who(zone=zone, busy=tuple(busy[name])) for name, zone in zones.items()}
    found = slots(people, MONDAY, MONDAY + timedelta(days=5), length, hours=hours, most=10)
    for at in found:
        for name, who in people.items():
            starts, end = at.astimezone(who.zone), (at + length).astimezone(who.zone)
            assert starts.weekday() < 5
            assert time(6) <= starts.time()
            assert end.date() == starts.date()
            assert end.time() <= time(22)
            assert not any(start < at + length and at < until for start, until in busy[name])
    assert all(later - earlier >= length for earlier, later in itertools.pairwise(found))
    assert replace(people["z"]).zone is ZURICH
