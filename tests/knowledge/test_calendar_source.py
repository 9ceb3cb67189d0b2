"""Calendars as sources: an .ics, and those that Bosun keeps itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kernel.clock import FixedClock
from kernel.store import Store
from knowledge import calendars
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.source_settings import Surroundings
from tests.knowledge.conftest import Opened
from tests.knowledge.team import ADA, IN_GENERAL, Audience
from tools.engine.calendar import events
from tools.engine.calendar.local import LocalAgenda


@pytest.fixture
async def knowledge(sqlite_store: Store, open_knowledge: Opened) -> Knowledge:
    return await open_knowledge(sqlite_store)


async def words(knowledge: Knowledge, query: str, audience: Audience = IN_GENERAL) -> list[str]:
    return [passage.text for passage in (await knowledge.search(query, audience)).passages]


async def test_events_of_a_calendar_are_found(knowledge: Knowledge, around: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "charter" / "knowledge").mkdir(parents=True)
    (tmp_path / "charter" / "knowledge" / "team.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260301T080000Z\r\n"
        "DTSTART:20260310T130000Z\r\nDTEND:20260310T140000Z\r\nSUMMARY:Budget review\r\nLOCATION:Room 4\r\n"
        "ATTENDEE;CN=Jo Meyer:mailto:jo@acme.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "utf-8",
    )
    settings = calendars.Settings(name="team", kind="calendar", url="team.ics")
    assert (await knowledge.sync(calendars.open_source(settings, around))).added == 1
    [text] = await words(knowledge, "where is the budget review")
    assert "Where: Room 4" in text
    assert "With: Jo Meyer" in text
    assert "10 March 2026, 13:00" in text


async def test_events_of_bosuns_own_calendars_are_found_with_the_label_of_who_wrote_them(
    knowledge: Knowledge, around: Surroundings, clock: FixedClock
) -> None:
    agenda = LocalAgenda(around.store, clock)

    async def put(calendar: str, uid: str, title: str, mark: str) -> None:
        start = clock.now() + timedelta(days=1)
        ics = events.make(
            uid=uid,
            title=title,
            start=start,
            end=start + timedelta(hours=1),
            place="",
            notes="",
            repeat="weekly",
            mark=mark,
            now=clock.now(),
        )
        await agenda.put(calendar, uid, ics)

    await put("team", "one", "Budget review", "member_text")
    await put("team", "two", "Visit of the auditors", "outside_text")
    await put("ada", "one", "Dentist appointment", "member_text")
    own = calendars.Settings(name="ours", kind="calendar", calendars=("team",))
    adas = calendars.Settings(name="hers", kind="calendar", calendars=("ada",), readers=("person:ada",))
    assert (await knowledge.sync(calendars.open_source(own, around))).added == 2
    assert (await knowledge.sync(calendars.open_source(adas, around))).added == 1
    found = (await knowledge.search("budget review", IN_GENERAL)).passages[0]
    assert (found.origin, found.kind) == ("member_text", "event")
    assert "Repeats: FREQ=WEEKLY" in found.text
    assert (await knowledge.search("visit of the auditors", IN_GENERAL)).passages[0].origin == "outside_text"
    assert not any("Dentist" in text for text in await words(knowledge, "dentist appointment"))
    assert (await words(knowledge, "dentist appointment", Audience.of_person(ADA)))[0].startswith("Dentist")
    await agenda.remove("team", "one")
    report = await knowledge.sync(calendars.open_source(own, around))
    assert (report.forgotten, report.unchanged) == (1, 1)


@pytest.mark.parametrize("more", [{}, {"url": "team.ics", "calendars": ["team"]}])
def test_a_calendar_is_bosuns_own_or_has_an_address(more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="needs a url, or calendars"):
        calendars.Settings.model_validate({"name": "x", "kind": "calendar", **more})
