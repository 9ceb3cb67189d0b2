"""What an audience may read, and that what it may not read never stands in the way of what it may."""

from __future__ import annotations

import pytest

from kernel.store import Store
from knowledge.engine.audience import is_reader
from tests.knowledge.conftest import Opened
from tests.knowledge.team import (
    ADA,
    DM,
    FINANCE,
    GENERAL,
    GUEST,
    IN_GENERAL,
    SHARED,
    TEAM,
    Audience,
    channel,
    document,
    person,
    role,
)
from tests.rules.people import account

READERS = [TEAM, channel(FINANCE), channel(GENERAL), channel(SHARED), person("ada"), person("ben"), role("finance")]
UNKNOWN = ["everyone", "", "TEAM", "channel:", "person: ", "role"]


def test_an_audience_grants_what_all_of_it_may_read() -> None:
    assert Audience.of_channel(GENERAL).grants == {TEAM, "channel:web:local:general"}
    assert Audience.of_channel(SHARED).grants == {"channel:slack:T1:C9"}
    assert Audience.of_person(ADA, ["finance"], ["web:local:finance"]).grants == {
        TEAM,
        "person:ada",
        "role:finance",
        "channel:web:local:finance",
    }
    assert TEAM not in Audience.of_person(GUEST).grants
    assert Audience.of(DM, ADA, ["finance"]) == Audience.of_person(ADA, ["finance"])
    assert Audience.of(GENERAL, ADA, ["finance"]) == Audience.of_channel(GENERAL)
    guest = Audience.of(GENERAL, GUEST, (), [FINANCE.lane], actor=account("gus", is_guest=True))
    assert guest.grants == {"channel:web:local:general"}
    assert Audience.of(GENERAL, GUEST, actor=account("robo", is_bot=True)) == Audience.of_channel(GENERAL)
    with pytest.raises(ValueError, match="of_person"):
        Audience.of_channel(DM)


def test_only_four_forms_are_readers() -> None:
    assert all(is_reader(reader) for reader in READERS)
    assert not any(is_reader(reader) for reader in UNKNOWN)


def _crowd(count: int, words: str, title: str) -> str:
    return "\n\n".join(f"# {title} {number}\n\n{words} {title}{number}." for number in range(count))


async def test_what_may_not_be_read_never_crowds_out_what_may(open_knowledge: Opened, store: Store) -> None:
    knowledge = await open_knowledge(store)
    near = document("near", _crowd(700, "secret budget plan", "near"), channel(FINANCE))
    await knowledge.add(near.model_copy(update={"format": "markdown"}))
    await knowledge.add(document("far", "Our budget is reviewed by the board, the plan is not secret, and so on."))
    assert await knowledge.settled(60)
    found = await knowledge.search("secret budget plan", IN_GENERAL)
    assert [passage.title for passage in found.passages] == ["far"]
    assert found.withheld


async def test_more_is_asked_for_while_too_few_may_be_read(open_knowledge: Opened, sqlite_store: Store) -> None:
    knowledge = await open_knowledge(sqlite_store)
    near = document("near", _crowd(400, "secret budget plan", "near"), channel(FINANCE))
    far = document("far", _crowd(2100, "apples pears plums secret", "far"))
    for crowd in (near, far):
        await knowledge.add(crowd.model_copy(update={"format": "markdown"}))
    assert await knowledge.settled(100)
    found = await knowledge.search("secret budget plan", IN_GENERAL, limit=10)
    assert [passage.title for passage in found.passages] == ["far"] * 10
