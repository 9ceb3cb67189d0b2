"""Who reads what, against the obvious reference."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.clock import FixedClock, SystemIds
from kernel.store import Store, open_store
from knowledge.engine.audience import is_reader
from knowledge.engine.embedding import WORDS
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.vector_lines import ThreadLine
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

DOCUMENTS = 24
READERS = [TEAM, channel(FINANCE), channel(GENERAL), channel(SHARED), person("ada"), person("ben"), role("finance")]
UNKNOWN = ["everyone", "", "TEAM", "channel:", "person: ", "role"]
AUDIENCES = [
    Audience(),
    IN_GENERAL,
    Audience.of_channel(FINANCE),
    Audience.of_channel(SHARED),
    Audience.of_person(ADA),
    Audience.of_person(ADA, roles=["finance"], channels=[FINANCE.lane, SHARED.lane]),
    Audience.of_person(GUEST, channels=[GENERAL.lane]),
    Audience(grants=frozenset(UNKNOWN)),
]


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
    with pytest.raises(ValueError, match="of_person"):
        Audience.of_channel(DM)


def test_only_four_forms_are_readers() -> None:
    assert all(is_reader(reader) for reader in READERS)
    assert not any(is_reader(reader) for reader in UNKNOWN)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def library(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> AsyncIterator[Knowledge]:
    folder = tmp_path_factory.mktemp("library")
    store = open_store(f"sqlite:///{shutil.copy(sqlite_template, folder / 'bosun.sqlite3')}")
    knowledge = Knowledge(
        store,
        FixedClock(),
        SystemIds(),
        folder / "knowledge",
        embedder=WORDS,
        line=ThreadLine,
        pace=Pace(settle=0.0),
        patience=60.0,
    )
    await knowledge.start()
    yield knowledge
    await knowledge.stop()
    store.close()


@pytest.mark.asyncio(loop_scope="module")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    readers=st.lists(st.lists(st.sampled_from(READERS + UNKNOWN), max_size=3), min_size=DOCUMENTS, max_size=DOCUMENTS)
)
async def test_a_search_returns_exactly_what_the_audience_may_read(
    library: Knowledge, readers: list[list[str]]
) -> None:
    for number, named in enumerate(readers):
        text = f"The policy about topic {number}."
        await library.add(document(f"d{number}", text, title=f"d{number}").model_copy(update={"readers": tuple(named)}))
    assert await library.settled(30)
    for audience in AUDIENCES:
        allowed = {reader for reader in READERS if reader in audience.grants}
        expected = {f"d{number}" for number, named in enumerate(readers) if allowed & set(named)}
        found = await library.search("the policy about a topic", audience, limit=DOCUMENTS)
        assert {passage.title for passage in found.passages} == expected
        assert found.documents == len(expected)
        for passage in found.passages:
            assert await library.document(passage.document_id, audience) is not None


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
