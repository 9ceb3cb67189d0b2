"""What a run begins with: what helps and may be read here, within a budget, and how useful it was is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.engine import background
from agents.engine.background import related, usefulness
from kernel.clock import FixedClock, SystemIds
from kernel.store import Session, memory
from kernel.store.work_done import Earlier
from kernel.types import Place
from knowledge.engine.audience import TEAM, channel, person
from knowledge.engine.documents import Document
from knowledge.engine.embedding import WORDS
from knowledge.engine.knowledge import Knowledge
from knowledge.memory import Fact
from tests.agents.bench import Bench
from tests.fakes.anthropic import FakeAnthropic, Reply
from tests.tools.team import GENERAL

FINANCE = Place(platform="web", tenant="local", channel="c-finance")


@pytest.fixture
async def knowledge(bench: Bench, tmp_path: Path) -> Knowledge:
    """The knowledge base of the bench; its index of meanings is not started."""
    made = Knowledge(bench.store, FixedClock(), SystemIds(), tmp_path / "knowledge", embedder=WORDS)
    await made.start()
    await made.stop()
    bench.recall = made
    return made


async def know(knowledge: Knowledge, text: str, *readers: str, **more: Any) -> None:
    known: dict[str, Any] = {"source": "upload", "key": text, "title": "Paper", "origin": "member_text"}
    await knowledge.add(Document(text=text, format="text", readers=readers or (TEAM,), **(known | more)))


def fact(text: str, reader: str, by: str = "mia") -> Fact:
    return Fact(
        key=text,
        text=text,
        readers=(reader,),
        origin="member_text",
        author=by.capitalize(),
        author_id=by,
        at=FixedClock().now(),
    )


def asked(fake: FakeAnthropic, index: int = -1) -> str:
    blocks = fake.requests[index]["messages"][-1]["content"]
    return "\n".join(str(block.get("text") or block) for block in blocks)


async def test_a_request_begins_with_what_helps_and_may_be_read_here(
    bench: Bench, fake: FakeAnthropic, knowledge: Knowledge
) -> None:
    await know(knowledge, "Refunds of a broken kettle take five days.")
    await know(knowledge, "Refunds of a broken kettle: the secret margin is 40.", channel(FINANCE))
    await know(knowledge, "Refunds of a broken kettle, says a stranger.", origin="outside_text")
    await knowledge.remember(fact("I prefer short answers.", channel(GENERAL)))
    await knowledge.remember(fact("I prefer long answers.", channel(GENERAL), by="leo"))
    await knowledge.remember(fact("I prefer to be called M.", person("mia")))
    fake.queue(Reply("Five days [1]."))
    run = await bench.ask("Refunds of a broken kettle?")
    told = asked(fake)
    assert "[1] Paper" in told
    assert "five days" in told
    assert "I prefer short answers." in told
    assert not [word for word in ("margin", "stranger", "long answers", "called M") if word in told]
    assert [source.quote for source in bench.said(run.id).sources] == ["Refunds of a broken kettle take five days."]


async def test_what_was_cited_is_measured(bench: Bench, fake: FakeAnthropic, knowledge: Knowledge) -> None:
    await know(knowledge, "Refunds of a broken kettle take five days.")
    for answer in ("Five days [1].", "I would not know."):
        fake.queue(Reply(answer))
        await bench.ask("Refunds of a broken kettle?")
    assert await bench.store.read(memory.uses) == {"file": (2, 1)}
    assert usefulness(0, 0) == 0.5
    assert usefulness(100, 0) < usefulness(2, 1) < usefulness(100, 100)


async def test_what_does_not_fit_is_left_out_the_less_useful_first(
    bench: Bench, fake: FakeAnthropic, knowledge: Knowledge
) -> None:
    long = "Refunds of a broken kettle take five days. " * 30
    for number in range(8):
        await know(knowledge, f"{long} {number}", kind="web" if number % 2 else "file")

    def count(session: Session) -> None:
        memory.count_use(session, "web", 100, 90)
        memory.count_use(session, "file", 100, 1)

    await bench.store.write(count)
    fake.queue(Reply("Five days."))
    run = await bench.ask("Refunds of a broken kettle?")
    kept = bench.lines(run.id)[1].content["background"]
    assert sum(len(source["quote"]) + len(source["title"]) for source in kept["sources"]) <= background.BUDGET + 200
    assert kept["kinds"] == ["web"] * 4
    assert "4 more passages that fit are left out; search_knowledge finds them." in asked(fake)


async def test_earlier_requests_like_it_are_named_of_this_channel_alone(
    bench: Bench, fake: FakeAnthropic, knowledge: Knowledge
) -> None:
    for place, request in (
        (GENERAL, "Which supplier sells the blue kettle?"),
        (FINANCE, "Which supplier sells the blue kettle at a secret price?"),
        (GENERAL, "What is the weather like?"),
    ):
        fake.queue(Reply("Done."))
        await bench.ask(request, place=place.in_thread("an earlier one"))
    fake.queue(Reply("ACME."))
    await bench.ask("Order the blue kettle from the supplier.")
    told = asked(fake)
    assert "Which supplier sells the blue kettle?" in told
    assert "secret price" not in told
    assert "weather" not in told


def test_rare_words_tell_what_is_related() -> None:
    earlier = [
        Earlier(ref=f"R-{number}", requester="Ann", request=text, asked=0)
        for number, text in enumerate(["pay invoice 17 of ACME", "pay invoice 18 of Bolt", "plan the summer party"])
    ]
    assert [one.ref for one in related("was invoice 17 of ACME paid?", earlier)] == ["R-0"]
    assert related("who is on call?", earlier) == []
