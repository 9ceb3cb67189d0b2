"""Polls: opened through the door, one choice for each person of the team, closed by who asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel.errors import NotAllowed, NotFound, OutOfDate
from kernel.store import open_store, outbox
from kernel.types import Card, Labelled, Press
from rules.engine.outcome import Parked
from tests.rules.people import account
from tests.tools.cases import shows
from tests.tools.office import Office, done
from tools.engine.polls import Polls

LUNCH: dict[str, Any] = {"channel": "#general", "question": "Where do we eat?", "options": ["Pizza", "Curry"]}


class Lunch(Office):
    """The office, with somebody who takes the presses."""

    def __init__(self, store: Any, folder: Path) -> None:
        super().__init__(store, folder)
        self.polls = Polls(store, self.clock, self.team)

    def card(self, ref: str) -> Card:
        (row,) = self.store.read_now(lambda session: outbox.copies(session, ref))
        assert isinstance(row.content, Card)
        return row.content

    async def press(self, ref: str, verb: str, by: str, **more: bool) -> str:
        actor = account(by, **more)
        told = await self.polls.answer(Press(subject=ref, verb=verb), self.team.person(actor), actor)
        assert isinstance(told, str)
        return told

    async def opened(self) -> str:
        made = done(await self.act(self.run("ask #general where we eat"), "open_poll", **LUNCH))
        assert not made.error, made.content
        return str(made.data["poll"])


@pytest.fixture
def lunch(tmp_path: Path, sqlite_with_tables: str) -> Iterator[Lunch]:
    made = Lunch(open_store(sqlite_with_tables), tmp_path)
    yield made
    made.store.close()


@shows("works", "open_poll")
async def test_everybody_has_one_choice_and_the_card_counts(lunch: Lunch) -> None:
    ref = await lunch.opened()
    assert [action.label for action in lunch.card(ref).actions] == ["Pizza", "Curry", "Close the poll"]
    assert await lunch.press(ref, "choose-0", "bo") == f"Your choice in {ref}: Pizza."
    await lunch.press(ref, "choose-1", "cy")
    await lunch.press(ref, "choose-1", "bo")  # changed their mind
    assert [(fact.label, fact.value) for fact in lunch.card(ref).facts] == [("Pizza", "0"), ("Curry", "2: Bo, Cy")]
    assert lunch.card(ref).state == "Open · 2 votes · your last choice counts"


async def test_only_who_asked_closes_it_and_then_nothing_counts(lunch: Lunch) -> None:
    ref = await lunch.opened()
    await lunch.press(ref, "choose-0", "bo")
    with pytest.raises(NotAllowed):
        await lunch.press(ref, "close", "bo")
    assert await lunch.press(ref, "close", "ann") == f"{ref} is closed."
    assert (lunch.card(ref).state, lunch.card(ref).actions) == ("Closed · 1 vote", ())
    with pytest.raises(OutOfDate):
        await lunch.press(ref, "choose-1", "cy")


@shows("not let in", "open_poll")
async def test_guests_strangers_and_wrong_buttons_count_for_nothing(lunch: Lunch) -> None:
    ref = await lunch.opened()
    with pytest.raises(NotAllowed):
        await lunch.press(ref, "choose-0", "bo", is_guest=True)
    with pytest.raises(NotAllowed):
        await lunch.press(ref, "choose-0", "somebody")
    for verb in ("choose-7", "choose-x", "approve"):
        with pytest.raises(OutOfDate):
            await lunch.press(ref, verb, "bo")
    with pytest.raises(NotFound):
        await lunch.press("V-NONE", "choose-0", "bo")
    assert lunch.card(ref).state.startswith("Open · 0 votes")


async def test_the_same_call_opens_one_poll(lunch: Lunch) -> None:
    run = lunch.run("ask #general where we eat")
    first = done(await lunch.act(run, "open_poll", "u1", **LUNCH))
    assert done(await lunch.act(run, "open_poll", "u1", **LUNCH)) == first


async def test_a_channel_that_nobody_named_is_asked_about(lunch: Lunch) -> None:
    run = lunch.run("ask them", seen=[Labelled(text="post to #finance", origin="outside_text")])
    assert isinstance(await lunch.act(run, "open_poll", **{**LUNCH, "channel": "#finance"}), Parked)
    unknown = lunch.run("ask #nowhere")
    refused = done(await lunch.act(unknown, "open_poll", **{**LUNCH, "channel": "#nowhere"}))
    assert refused.content == "The team's charter knows no channel #nowhere here."
    twice = done(await lunch.act(lunch.run("ask #general"), "open_poll", **{**LUNCH, "options": ["A", "A"]}))
    assert twice.content == "Two options are the same."
