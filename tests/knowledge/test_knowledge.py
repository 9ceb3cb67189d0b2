"""The promises of the knowledge base: on SQLite and Postgres, and on three replicas with a Chroma server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest

from kernel.clock import FixedClock, SystemIds
from kernel.store import Session, open_store
from kernel.store import knowledge as rows
from knowledge.engine.embedding import WORDS
from knowledge.engine.ingest import Ingest
from knowledge.engine.knowledge import Knowledge
from tests.knowledge.conftest import Opened
from tests.knowledge.replicas import replicas
from tests.knowledge.team import FINANCE, IN_FINANCE, IN_GENERAL, Audience, channel, document, fact, role


@pytest.fixture(params=["sqlite", "postgres", "replicas"])
async def knowledge(
    request: pytest.FixtureRequest, open_knowledge: Opened, clock: FixedClock, tmp_path: Path
) -> AsyncIterator[Knowledge]:
    if request.param == "replicas":
        database, chroma = (request.getfixturevalue(name) for name in ("postgres_with_tables", "chroma_url"))
        async with replicas(database, chroma, clock, tmp_path) as three:
            yield cast("Knowledge", three)
        return
    store = open_store(request.getfixturevalue(f"{request.param}_with_tables"))
    made = await open_knowledge(store)
    yield made
    await made.stop()
    store.close()


async def test_what_was_added_is_found_by_meaning_and_by_words(knowledge: Knowledge) -> None:
    await knowledge.add(document("refunds", "Refunds are paid within five working days.", title="Refunds"))
    await knowledge.add(document("hours", "The office is open from nine to five.", title="Hours"))
    assert await knowledge.settled(30)
    found = await knowledge.search("When are refunds paid?", IN_GENERAL)
    assert found.ways == ("meaning", "words")
    assert found.passages[0].title == "Refunds"
    assert found.passages[0].url == f"/documents/{found.passages[0].document_id}#c1"
    assert found.passages[0].origin == "member_text"
    assert not found.withheld


async def test_a_citation_opens_for_its_readers_and_for_nobody_else(knowledge: Knowledge) -> None:
    added = await knowledge.add(document("pay", "Salaries rise in May.", channel(FINANCE), title="Pay"))
    opened = await knowledge.document(added.document_id, IN_FINANCE)
    assert opened is not None
    assert [(chunk.number, chunk.text) for chunk in opened.chunks] == [(1, "Salaries rise in May.")]
    assert await knowledge.document(added.document_id, IN_GENERAL) is None
    assert await knowledge.document("nothing", IN_FINANCE) is None


async def test_adding_the_same_again_changes_nothing(knowledge: Knowledge) -> None:
    first = await knowledge.add(document("a", "Refunds are paid in May."))
    again = await knowledge.add(document("a", "Refunds are paid in May."))
    assert (first.changed, again.changed) == (True, False)
    assert first.document_id == again.document_id
    assert (await knowledge.status()).chunks == 1


async def test_a_new_version_replaces_the_old_one_and_keeps_the_vectors_of_what_stayed(knowledge: Knowledge) -> None:
    long = "\n\n".join(f"Paragraph {n}: " + f"word{n} " * 100 for n in range(6))
    await knowledge.add(document("a", long))
    assert await knowledge.settled(30)
    before = await knowledge.status()
    changed = await knowledge.add(document("a", long + "\n\nThe very last line is about unicorns."))
    assert changed.changed
    assert changed.reused >= before.chunks - 1
    assert await knowledge.settled(30)
    after = await knowledge.status()
    assert (after.documents, after.chunks, after.embedded, after.indexed) == (1, *[changed.chunks] * 3)
    assert (await knowledge.search("unicorns", IN_GENERAL)).passages


async def test_forgetting_deletes_row_vector_and_entries(knowledge: Knowledge) -> None:
    added = await knowledge.add(document("a", "The vault opens with seventeen."))
    assert await knowledge.settled(30)
    assert await knowledge.forget(added.document_id)
    assert not (await knowledge.search("vault seventeen", IN_GENERAL)).passages
    assert await knowledge.settled(30)
    status = await knowledge.status()
    assert (status.documents, status.chunks, status.embedded, status.indexed) == (0, 0, 0, 0)
    assert not await knowledge.forget(added.document_id)


async def test_new_readers_of_known_content_count_at_once(knowledge: Knowledge) -> None:
    await knowledge.add(document("a", "Bonuses are paid in June."))
    result = await knowledge.add(document("a", "Bonuses are paid in June.", channel(FINANCE)))
    assert not result.changed
    assert not (await knowledge.search("bonuses June", IN_GENERAL)).passages
    assert (await knowledge.search("bonuses June", IN_FINANCE)).passages


async def test_something_else_may_be_said_to_be_withheld_and_never_what(knowledge: Knowledge) -> None:
    await knowledge.add(document("a", "Bonuses are paid in June.", role("management")))
    await knowledge.add(document("b", "Lunch is at noon."))
    assert await knowledge.settled(30)
    found = await knowledge.search("When are bonuses paid?", IN_GENERAL)
    assert found.passages == ()
    assert found.withheld
    assert found.searched == "Searched 1 document by meaning and by words."


async def test_a_question_that_nothing_is_about_gets_no_passages(knowledge: Knowledge) -> None:
    await knowledge.add(document("a", "Refunds are paid within five working days."))
    assert await knowledge.settled(30)
    found = await knowledge.search("What is the capital of Mongolia?", IN_GENERAL)
    assert found.passages == ()
    assert not found.withheld


async def test_nobody_reads_what_has_unknown_readers(knowledge: Knowledge) -> None:
    added = await knowledge.add(document("a", "Hidden treasure.", "everyone", "", "channel:"))
    everybody = Audience(grants=frozenset({"team", "everyone", "", "channel:", "person:ada"}))
    assert not (await knowledge.search("hidden treasure", everybody)).passages
    assert await knowledge.document(added.document_id, everybody) is None
    nobody = await knowledge.search("hidden treasure", Audience())
    assert nobody.searched == "There are no documents that everybody here may read."


async def test_identifiers_are_found_as_they_are_written(knowledge: Knowledge) -> None:
    for number in range(1040, 1050):
        await knowledge.add(document(f"e{number}", f"ERR-{number} means that step {number - 1000} failed."))
    found = await knowledge.search("what is ERR-1042?", IN_GENERAL)
    assert found.passages[0].text.startswith("ERR-1042 ")


async def test_the_same_text_in_two_documents_is_shown_once(knowledge: Knowledge) -> None:
    await knowledge.add(document("a", "Refunds are paid in May.", title="Refunds"))
    await knowledge.add(document("b", "Refunds are paid in May.", title="Refunds"))
    assert len((await knowledge.search("refunds May", IN_GENERAL)).passages) == 1


async def test_a_memory_carries_author_date_and_labels(knowledge: Knowledge, clock: FixedClock) -> None:
    first = await knowledge.remember(fact("The Acme contract ends in May.", key="call-1"))
    again = await knowledge.remember(fact("The Acme contract ends in May.", key="call-1"))
    assert first.id == again.id
    await knowledge.remember(fact("The Zeta contract ends in June.", origin="outside_text"))
    acme, zeta = [(await knowledge.search(f"{name} contract", IN_GENERAL)).passages[0] for name in ("Acme", "Zeta")]
    assert (acme.kind, acme.origin, acme.author) == ("memory", "member_text", "Ada")
    assert acme.title == "The Acme contract ends in May. (Ada, 2 March 2026)"
    assert zeta.origin == "outside_text"


async def test_a_fact_replaces_what_it_contradicts_for_the_same_readers_alone(knowledge: Knowledge) -> None:
    await knowledge.remember(fact("The tower lift carries 8 people."))
    await knowledge.remember(fact("The tower lift carries 7 people.", channel(FINANCE)))
    await knowledge.remember(fact("I prefer the weekly report at 9:00.", author_id="ben"))
    made = await knowledge.remember(fact("The tower lift carries 9 people."))
    assert [said.startswith("“The tower lift carries 8 people.”") for said in made.replaced] == [True]
    assert (await knowledge.remember(fact("I prefer the weekly report at 10:00."))).replaced == ()
    assert len((await knowledge.remember(fact("I prefer the weekly report at 11:00."))).replaced) == 1
    listed = {each.text for each in await knowledge.memories.listing(IN_FINANCE, "lift")}
    assert listed == {"The tower lift carries 7 people.", "The tower lift carries 9 people."}


async def test_nothing_in_a_query_is_syntax(knowledge: Knowledge) -> None:
    await knowledge.add(document("a", "Refunds are paid in May."))
    for query in (
        "",
        "   ",
        '"',
        "' OR 1=1 --",
        "refunds AND (",
        "NEAR(a b)",
        "a\0b",
        "*",
        "-refunds",
        ":",
        "🙂" * 3000,
    ):
        await knowledge.search(query, IN_GENERAL)
    assert (await knowledge.search('refunds" OR "x', IN_GENERAL)).passages


async def test_writes_of_replicas_that_are_in_each_others_way_are_all_made(
    postgres_with_tables: str, clock: FixedClock
) -> None:
    store = open_store(postgres_with_tables)
    ingest = Ingest(store, clock, SystemIds(), WORDS)
    both = [(await ingest.add(document(key, "Words."))).document_id for key in ("a", "b")]
    have_one = threading.Barrier(2)
    tries: list[str] = []

    def taking(first: str, second: str) -> Callable[[Session], str]:
        def work(session: Session) -> str:
            tries.append(first)
            session.connection().exec_driver_sql("SET LOCAL deadlock_timeout = '20ms'")
            for held in (first, second):
                rows.run(session, "SELECT id FROM document WHERE id = :id FOR UPDATE", id=held)
                if held == first and len(tries) <= 2:
                    have_one.wait(30)
            return first

        return work

    done = await asyncio.gather(ingest.write(taking(*both)), ingest.write(taking(*reversed(both))))
    assert list(done) == both
    assert len(tries) == 3
    store.close()
