"""Being away: what the charter says, and what people say about themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from bot.commands.away import COMMANDS
from bot.engine.commands import Commands
from bot.engine.directory import TeamDirectory
from bot.engine.text_command import Office
from kernel.clock import FixedClock, SystemIds
from kernel.errors import RefusedError
from kernel.store import Store, open_store
from kernel.types import Actor, Inbound, Place
from rules.engine.absences import Absences
from tests.charter.conftest import Change, load
from tests.charter.test_load import problems

PLACE = Place(platform="web", tenant="local", channel="general")


@pytest.fixture
def store(sqlite_with_tables: str) -> Iterator[Store]:
    opened = open_store(sqlite_with_tables)
    yield opened
    opened.close()


class Desk:
    """Somebody says a command."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.clock = FixedClock()
        self.directory = TeamDirectory(lambda: load(folder), self.clock)
        self.absences = Absences(store, self.clock, SystemIds(), self.directory)
        office: Any = type("Only", (), {"directory": self.directory, "absences": self.absences})()
        self.commands = Commands(cast("Office", office), COMMANDS)

    async def say(self, who: str, text: str) -> str:
        actor = Actor(platform="web", tenant="local", user=who)
        command = self.commands.recognise(text)
        assert command is not None, text
        inbound = Inbound(key="k", kind="message", place=PLACE, actor=actor, text=text)
        return str(await self.commands.run(command, self.directory.person(actor), inbound, PLACE))


async def test_somebody_names_who_decides_for_them_and_is_back(folder: Path, store: Store) -> None:
    desk = Desk(folder, store)
    said = await desk.say("bo", "delegate to @Ann until 2026-03-05")
    assert said == "Ann decides for you until 05 Mar 2026 00:00. Say `back` when you are here again."
    [bo] = (await desk.absences.by_person()).values()
    assert (bo.person, bo.delegate) == ("bo", "ann")
    assert bo.until == datetime(2026, 3, 4, 23, 0, tzinfo=UTC)  # the day begins where the person is
    assert "- Bo until 05 Mar 2026 00:00, Ann decides for them" in await desk.say("ann", "away")
    assert "Welcome back" in await desk.say("bo", "back")
    assert await desk.say("ann", "away") == "Nobody is away."
    assert await desk.say("bo", "back") == "You were not away."


async def test_somebody_is_away_without_a_delegate(folder: Path, store: Store) -> None:
    desk = Desk(folder, store)
    assert "nobody decides for you" in await desk.say("bo", "away until 2026-03-05")
    assert "nobody decides for them" in await desk.say("ann", "away")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("delegate to Nobody until 2026-03-05", "not exactly one person"),
        ("delegate to Ann until 2026-02-30", "no day 2026-02-30"),
        ("delegate to Ann until 2026-03-01", "has passed"),
        ("delegate to Bo until 2026-03-05", "for yourself"),
        ("delegate to Cy until 2026-03-05", "cannot decide"),
    ],
)
async def test_what_makes_no_sense_is_said_to_the_person(folder: Path, store: Store, text: str, says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        await Desk(folder, store).say("bo", text)


async def test_the_charter_says_who_is_away(folder: Path, store: Store, change: Change) -> None:
    change("people.yaml", "bo: {name: Bo,", "bo: {name: Bo, delegate: {to: ann, until: 2026-03-05},")
    desk = Desk(folder, store)
    [bo] = (await desk.absences.by_person()).values()
    assert (bo.person, bo.delegate) == ("bo", "ann")
    assert "people.yaml says that you are away" in await desk.say("bo", "back")
    desk.clock.advance(days=3)
    assert await desk.absences.by_person() == {}


@pytest.mark.parametrize(
    ("delegate", "says"),
    [
        ("{to: eve, until: 2026-03-05}", "unknown person 'eve'"),
        ("{to: bo, until: 2026-03-05}", "nobody can decide for themselves"),
        ("{to: ann}", "until"),
        ("{to: ann, until: soon}", "date"),
    ],
)
def test_a_delegate_that_makes_no_sense_is_an_error_with_its_line(
    folder: Path, change: Change, delegate: str, says: str
) -> None:
    change("people.yaml", "bo: {name: Bo,", f"bo: {{name: Bo, delegate: {delegate},")
    [problem] = problems(folder)
    assert problem.startswith("people.yaml:")
    assert says in problem


def test_quiet_hours_are_the_teams_or_a_persons_own(folder: Path, change: Change) -> None:
    change("bosun.yaml", "operators:", 'quiet_hours: "20:00-08:00"\noperators:')
    change("people.yaml", "bo: {name: Bo,", 'bo: {name: Bo, quiet_hours: "22:30-06:00",')
    directory = TeamDirectory(lambda: load(folder), FixedClock())
    quiet = {person.id: person.quiet for person in directory.everybody()}
    assert quiet["ann"] == (20 * 60, 8 * 60)
    assert quiet["bo"] == (22 * 60 + 30, 6 * 60)
    change("bosun.yaml", "20:00-08:00", "at night")
    assert "are no hours" in problems(folder)[0]
