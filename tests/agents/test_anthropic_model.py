"""The client: what it sends, what it counts, what it makes of errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agents.engine.anthropic_model import AnthropicModel, request_body
from agents.engine.model import Message, ModelRequest, Usage
from agents.engine.prices import Price, PriceTable
from kernel.errors import ModelBusy, ModelError
from kernel.types import ToolSchema
from tests.fakes.anthropic import FakeAnthropic, Reply, Tokens
from tests.fakes.anthropic_rules import marks

ASK = ModelRequest(
    model="claude-sonnet-5-5",
    system=("You help.", "The team is Acme."),
    messages=(Message(role="user", content=({"type": "text", "text": "Hello"},)),),
)
TOOL = ToolSchema(name="look", description="Looks.", arguments={"type": "object", "properties": {}})


async def test_text_arrives_as_it_grows(fake: FakeAnthropic) -> None:
    fake.queue(Reply("Good morning.", pieces=3))
    seen: list[str] = []
    model = AnthropicModel(api_key=fake.key, base_url=fake.url)
    answer = await model.answer(ASK, seen.append)
    assert seen == ["Good ", "Good morni", "Good morning."]
    assert (answer.text, answer.stop) == ("Good morning.", "end")
    await model.close()


async def test_a_second_try_begins_the_text_anew(fake: FakeAnthropic) -> None:
    fake.queue(Reply("Good morning.", pieces=3, drop_after=4), Reply("Good day.", pieces=2))
    seen: list[str] = []
    model = AnthropicModel(api_key=fake.key, base_url=fake.url, sleep=no_sleep)
    await model.answer(ASK, seen.append)
    assert seen == ["Good ", "Good ", "Good day."]
    await model.close()


async def no_sleep(seconds: float) -> None:
    return None


def test_the_stable_prefix_is_marked_for_the_cache() -> None:
    plain, with_tools = request_body(ASK), request_body(ASK.model_copy(update={"tools": (TOOL, TOOL)}))
    assert [("cache_control" in part) for part in plain["system"]] == [False, True]
    assert marks(plain) == 1
    assert marks(with_tools) == 3
    assert "cache_control" in with_tools["tools"][-1]
    assert "cache_control" in with_tools["messages"][-1]["content"][-1]
    assert "cache_control" not in ASK.messages[0].content[0]


async def test_tokens_are_counted_once_and_priced(fake: FakeAnthropic) -> None:
    fake.queue(
        Reply(
            "Hi",
            tokens=Tokens(
                input_tokens=10, output_tokens=20, cache_read_input_tokens=3000, cache_creation_input_tokens=400
            ),
        )
    )
    model = AnthropicModel(api_key=fake.key, base_url=fake.url)
    answer = await model.answer(ASK)
    assert answer.usage == Usage(input=10, output=20, cache_read=3000, cache_write=400)
    assert answer.cost_usd == pytest.approx((10 * 2 + 20 * 10 + 3000 * 0.1 + 400 * 2.5) / 1e6)
    await model.close()


def test_prices_of_dated_unknown_and_own_models() -> None:
    own = Price(input=1, output=2, cache_read=0, cache_write=1)
    table = PriceTable({"house-model": own})
    assert table.of("claude-haiku-4-5-20251001") == table.of("claude-haiku-4-5")
    assert table.of("house-model") == (own, True)
    assert table.of("somebody-elses")[1] is False
    haiku, _ = table.of("claude-haiku-5-5")
    assert haiku.cost(Usage(input=200_000)) == pytest.approx(5 * haiku.cost(Usage(input=100_000)) * 2)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, ModelError), (401, ModelError), (404, ModelError), (503, ModelBusy)]
)
async def test_errors_say_whether_another_try_is_worth_it(
    fake: FakeAnthropic, status: int, kind: type[ModelError]
) -> None:
    fake.script = lambda _: Reply(status=status, detail="because")
    model = AnthropicModel(api_key=fake.key, base_url=fake.url, sleep=no_sleep)
    with pytest.raises(ModelError) as caught:
        await model.answer(ASK)
    assert type(caught.value) is kind
    assert "because" in caught.value.message
    assert len(fake.requests) == (3 if kind is ModelBusy else 1)
    await model.close()


async def test_a_service_that_is_not_there_is_busy() -> None:
    gone = FakeAnthropic()
    url = await gone.start()
    await gone.stop()
    model = AnthropicModel(api_key="k", base_url=url, sleep=no_sleep)
    with pytest.raises(ModelBusy, match="cannot be reached"):
        await model.answer(ASK)
    await model.close()


async def test_whether_the_service_is_there_and_takes_the_key_can_be_asked(fake: FakeAnthropic) -> None:
    for key, url, why in (
        ("sk-wrong", fake.url, "does not accept ANTHROPIC_API_KEY"),
        (fake.key, "http://127.0.0.1:1", "cannot be reached"),
    ):
        model = AnthropicModel(api_key=key, base_url=url)
        with pytest.raises(ModelError, match=why):
            await model.reach()
        await model.close()
    model = AnthropicModel(api_key=fake.key, base_url=fake.url)
    await model.reach()
    await model.close()
    assert fake.requests == []  # nothing that costs


async def test_the_key_never_stands_in_an_error(fake: FakeAnthropic) -> None:
    model = AnthropicModel(api_key="sk-very-secret", base_url=fake.url)
    with pytest.raises(ModelError) as caught:
        await model.answer(ASK)
    assert "sk-very-secret" not in repr(caught.value)
    await model.close()


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, agents.engine.anthropic_model, agents.engine.loop; sys.exit('anthropic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
