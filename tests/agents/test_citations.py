"""What an answer rests on: native citations become numbered sources, contradictions and old sources are said to be."""

from __future__ import annotations

from typing import Any

import pytest

from agents.engine.anthropic_model import AnthropicModel
from agents.engine.model import Message, ModelRequest
from agents.engine.offline_model import OfflineModel
from agents.engine.quoting import source_blocks
from kernel.store import Store
from kernel.types import Source, ToolResult
from tests.agents.bench import Bench
from tests.fakes.anthropic import FakeAnthropic, Reply
from tests.fakes.anthropic_rules import search_results

FIVE = Source(
    number=1, title="Refunds", url="/a", quote="Refunds take five days.", document="a", kind="file", dated="2025-12-01"
)
TEN = Source(
    number=2, title="FAQ", url="/b", quote="Refunds take ten days.", document="b", kind="file", dated="2026-02-03"
)
HOURS = Source(
    number=3, title="Hours", url="/c", quote="We are open from nine.", document="c", kind="file", dated="2024-01-15"
)
DIFFER = (
    "**Note:** These sources differ: [1] says “Refunds take five days.” (1 December 2025), "
    "[2] says “Refunds take ten days.” (3 February 2026, newer)."
)
LOOK = Reply(calls=[("search_knowledge", {"query": "How long do refunds take?"})])


def searching(store: Store, fake: FakeAnthropic | None, *sources: Source) -> Bench:
    async def search(arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(content="passages", sources=sources)

    return Bench(store, fake, search_knowledge=search)


async def test_native_citations_become_numbered_sources(store: Store, fake: FakeAnthropic) -> None:
    bench = searching(store, fake, FIVE, HOURS)
    cited = (
        ("Refunds take five days", (0,)),
        (". ", ()),
        ("We open at nine.", (1, 0)),
        (" Ask if in doubt, please.", ()),
    )
    fake.queue(LOOK, Reply(cited=cited), Reply("You are welcome."))
    run = await bench.ask("How long do refunds take?")
    said = bench.said(run.id)
    assert said.markdown.startswith("Refunds take five days [1]. We open at nine. [2][1] Ask if in doubt, please.")
    assert [(source.number, source.title, source.url) for source in said.sources] == [
        (1, "Refunds", "/a"),
        (2, "Hours", "/c"),
    ]
    assert said.footer.endswith("What has no number is the model's own.")
    assert [result["title"] for result in search_results(fake.requests[1])] == [
        "[1] Refunds (1 December 2025)",
        "[2] Hours (15 January 2024)",
    ]
    await bench.ask("Thanks!")
    assert "Refunds take five days [1]." in str(fake.requests[2]["messages"])
    assert fake.faults == []
    await bench.close()


async def test_what_is_cited_before_a_call_goes_back_as_text_with_its_number(store: Store, fake: FakeAnthropic) -> None:
    bench = searching(store, fake, FIVE)
    again = Reply(cited=(("Refunds take five days.", (0,)),), calls=[("write_file", {"path": "a.md"})])
    fake.queue(LOOK, again, Reply("It is written down."))
    await bench.ask("How long do refunds take? Write it down.")
    [text, _call] = fake.requests[2]["messages"][-2]["content"]
    assert text == {"type": "text", "text": "Refunds take five days. [1]"}
    assert fake.faults == []
    await bench.close()


async def test_a_number_that_the_model_writes_as_well_stands_there_once(store: Store, fake: FakeAnthropic) -> None:
    bench = searching(store, fake, FIVE)
    fake.queue(LOOK, Reply(cited=(("Refunds take five days", (0, 0)), (" [1].", ()), (" [1]", (0,)))))
    run = await bench.ask("How long do refunds take?")
    assert bench.said(run.id).markdown == "Refunds take five days [1]. [1]"
    await bench.close()


async def test_a_service_that_knows_no_search_results_gets_text_and_is_not_asked_again(
    store: Store, fake: FakeAnthropic
) -> None:
    bench = searching(store, fake, FIVE)
    unknown = Reply(status=400, detail="messages.2.content.0.tool_result: Input tag 'search_result' is not supported")

    def older(body: dict[str, Any]) -> Reply:
        if search_results(body):
            return unknown
        has_read = any(block["type"] == "tool_result" for block in body["messages"][-1]["content"])
        return Reply("It takes five days [1].") if has_read else LOOK

    fake.script = older
    run = await bench.ask("How long do refunds take?")
    assert [source.title for source in bench.said(run.id).sources] == ["Refunds"]
    told = fake.requests[-1]["messages"][-1]["content"][0]["content"]
    assert told.endswith("[1] Refunds (1 December 2025)\n> Refunds take five days.")
    asked = len(fake.requests)
    assert asked == 3
    await bench.ask("And once more: how long do refunds take?")
    assert len(fake.requests) == asked + 2
    await bench.close()


async def test_numbers_stand_behind_a_statement_once_it_is_complete(fake: FakeAnthropic) -> None:
    asked = {"type": "text", "text": "How long do refunds take?"}
    request = ModelRequest(
        model="claude-sonnet-5-5",
        system=("You help.",),
        messages=(Message(role="user", content=(*source_blocks([FIVE]), asked)),),
    )
    fake.queue(Reply(cited=(("Five days", (0,)), (", I think.", ()))))
    model = AnthropicModel(api_key=fake.key, base_url=fake.url)
    seen: list[str] = []
    answer = await model.answer(request, seen.append)
    assert seen == ["Five days", "Five days [1]", "Five days [1], I think."]
    assert answer.text == "Five days [1], I think."
    await model.close()


@pytest.mark.parametrize("is_offline", [False, True])
async def test_sources_that_differ_are_said_to_whatever_the_model_makes_of_them(
    store: Store, fake: FakeAnthropic, is_offline: bool
) -> None:
    bench = searching(store, fake, FIVE, TEN)
    if is_offline:
        bench.model = OfflineModel()
    fake.queue(LOOK, Reply("It takes five days [1]."))
    run = await bench.ask("How long do refunds take?")
    said = bench.said(run.id)
    assert said.markdown.endswith(DIFFER)
    assert [source.number for source in said.sources] == [1, 2]
    assert run.answer is not None
    assert "Note" not in run.answer
    if not is_offline:
        assert "These sources differ: [1] says" in str(fake.requests[1]["messages"][-1]["content"][0]["content"][0])
        assert "Where sources contradict each other, say so" in fake.requests[1]["system"][0]["text"]
    await bench.close()


async def test_sources_of_two_searches_are_compared_and_those_that_are_not_cited_say_nothing(
    store: Store, fake: FakeAnthropic
) -> None:
    found = {"refunds": (FIVE,), "how long do refunds take": (TEN,), "when do you open": (HOURS,)}

    async def search(arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(content="passages", sources=found[arguments["query"]])

    bench = Bench(store, fake, search_knowledge=search)
    looks = [Reply(calls=[("search_knowledge", {"query": query})]) for query in found]
    fake.queue(*looks, Reply("We open at nine [3]."), *looks[:2], Reply("Ten days [2]."))
    run = await bench.ask("When do you open?")
    assert bench.said(run.id).markdown == (
        "We open at nine [3].\n\n**Note:** “Hours” is of 15 January 2024: it may be out of date."
    )
    run = await bench.ask("And refunds?")
    assert bench.said(run.id).markdown == f"Ten days [2].\n\n{DIFFER}"
    await bench.close()


async def test_an_older_version_that_is_cited_is_said_to_be(store: Store, fake: FakeAnthropic) -> None:
    newer = TEN.model_copy(update={"title": "Refunds", "quote": "Money comes back."})
    bench = searching(store, fake, FIVE, newer)
    fake.queue(LOOK, Reply("It takes five days [1]."))
    run = await bench.ask("How long do refunds take?")
    assert bench.said(run.id).markdown.endswith(
        "**Note:** There are several versions of “Refunds”: of 1 December 2025, and newer of 3 February 2026."
    )
    await bench.close()


@pytest.mark.parametrize(
    ("calls", "answer", "told"),
    [
        ([], "I would say so.", "Cites no source: the model's own words."),
        ([LOOK], "I would say so all the same.", "Cites no source: the model's own words."),
        ([LOOK], "It takes five days [1]. Most people wait for less.", "What has no number is the model's own."),
        ([LOOK], "It takes five days. [1]\n\n- For all of our customers [1]\n- Always:", ""),
        ([Reply(calls=[("write_file", {"path": "a.md"})])], "I have written it down for you.", ""),
    ],
)
async def test_what_has_no_source_is_marked_as_the_models_own(
    store: Store, fake: FakeAnthropic, calls: list[Reply], answer: str, told: str
) -> None:
    bench = searching(store, fake, FIVE)
    fake.queue(*calls, Reply(answer))
    run = await bench.ask("How long do refunds take?")
    assert bench.said(run.id).footer == " · ".join(filter(None, ["AI-generated · Lead · claude-sonnet-5-5", told]))
    await bench.close()
