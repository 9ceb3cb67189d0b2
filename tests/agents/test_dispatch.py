"""Who answers: the addressed, the channel's, the thread's, the closest, the lead."""

from __future__ import annotations

import pytest

from agents.engine.definition import Roster
from agents.engine.dispatch import choose
from kernel.store import runs
from tests.agents.bench import ROSTER, Bench, agent
from tests.fakes.anthropic import FakeAnthropic, Reply


@pytest.mark.parametrize(
    ("text", "agent", "rest"),
    [
        ("finance: pay it", "finance", "pay it"),
        ("Finance, pay it", "finance", "pay it"),
        ("@finance: pay it", "finance", "pay it"),
        ("ask research: who is Bo?", "research", "who is Bo?"),
        ("finance:\nline one\nline two", "finance", "line one\nline two"),
    ],
)
def test_an_address_decides(text: str, agent: str, rest: str) -> None:
    choice = choose(ROSTER, text, channel="#finance", thread_agent="research")
    assert (choice.agent, choice.text, choice.how) == (agent, rest, "addressed")


@pytest.mark.parametrize("text", ["Note: pay it", "finance", "finance:", "the finance: x", "10:30 is fine", "Hi, all"])
def test_what_is_no_address(text: str) -> None:
    choice = choose(ROSTER, text)
    assert (choice.agent, choice.text, choice.how) == ("lead", text, "lead")


def test_the_channel_and_the_thread() -> None:
    assert choose(ROSTER, "pay it", channel="#finance").agent == "finance"
    assert choose(ROSTER, "go on", channel="#finance", thread_agent="research").agent == "research"
    assert choose(ROSTER, "go on", thread_agent="gone").agent == "lead"


def test_without_a_model_the_closest_description_decides() -> None:
    assert choose(ROSTER, "Which invoice is the largest?", thinks=False).agent == "finance"
    assert choose(ROSTER, "Look it up on the web", thinks=False).agent == "research"
    assert choose(ROSTER, "Good morning", thinks=False).agent == "lead"
    assert choose(ROSTER, "please pay 200 to Acme", thinks=False).agent == "finance"


SPECIALISTS = Roster(
    [agent("lead", tools=("remember",)), agent("finance", tools=("pay",)), agent("ops", tools=("x_*",))]
)


@pytest.mark.parametrize(
    ("text", "name", "how"),
    [
        ("pay amount=5", "finance", "words"),
        ("ops: pay amount=5", "finance", "call"),
        ("ops: pay amount=5\npay amount=6", "finance", "call"),
        ("/tool x_list", "ops", "call"),
        ("finance: /tool x_list", "ops", "call"),
        ("finance: pay amount=5", "finance", "addressed"),
        ("ops: please pay 5", "ops", "addressed"),
        ("/tool nobody_has_it a=1", "lead", "lead"),
        ("pay amount=5\nremember fact=x", "finance", "words"),  # nobody has both
    ],
)
def test_a_call_that_is_written_out_goes_to_somebody_who_has_the_tool(text: str, name: str, how: str) -> None:
    choice = choose(SPECIALISTS, text, thinks=False)
    assert (choice.agent, choice.how) == (name, how)


def test_a_model_is_asked_about_everything_that_is_not_marked_as_a_call() -> None:
    assert choose(SPECIALISTS, "/tool pay amount=5").how == "call"
    assert choose(SPECIALISTS, "pay amount=5").how == "lead"


async def test_the_lead_hands_on_and_the_specialist_answers(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(
        Reply(
            thinking="money",
            calls=[("ask_agent", {"agent": "finance", "task": "Pay the invoice."}), ("write_file", {"path": "n.md"})],
        ),
        Reply("It is paid."),
    )
    run = await bench.ask("Pay it.")
    assert (run.agent, run.answer, bench.said(run.id).agent) == ("finance", "It is paid.", "Finance")
    assert bench.kinds(run.id) == ["user", "assistant", "results", "note", "assistant"]
    first, second = fake.requests
    assert "ask_agent" in [tool["name"] for tool in first["tools"]]
    assert "tools" not in second  # finance has a list of its own, and none of those is there
    assert "You do finance." in second["system"][-1]["text"]
    told = " ".join(block["text"] for block in second["messages"][-1]["content"])
    assert "lead hands this request to you, finance: Pay the invoice." in told
    assert "Wrote n.md." in told
    assert fake.faults == []
    conversation = bench.store.read_now(lambda session: session.get(runs.Conversation, run.conversation_id))
    assert conversation is not None
    assert conversation.agent is None


async def test_a_specialist_that_does_not_exist_comes_back_as_an_error(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply(calls=[("ask_agent", {"agent": "finanse", "task": "x"})]), Reply("Then I do it."))
    run = await bench.ask("Pay it.")
    assert (run.agent, run.answer) == ("lead", "Then I do it.")
    assert "did you mean 'finance'" in fake.requests[1]["messages"][-1]["content"][0]["content"]
    assert fake.faults == []


async def test_a_specialist_cannot_hand_on(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply(calls=[("ask_agent", {"agent": "finance", "task": "x"})]), Reply("Well then."))
    run = await bench.ask("Pay it.", agent="research")
    assert (run.agent, run.answer) == ("research", "Well then.")
    assert "ask_agent" not in [tool["name"] for tool in fake.requests[0]["tools"]]
