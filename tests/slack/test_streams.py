"""Progress grows as one message in Slack, within Slack's limits, and the final text is whole whatever happens to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.adapter import Sign
from bot.slack.steady import steady
from bot.slack.streams import Minute
from kernel.errors import OutcomeUnknown, RateLimited
from kernel.types import Place, Progress, Step, Text
from tests.document.test_document import marked
from tests.document.texts import texts
from tests.fakes.slack import TEAM
from tests.slack.conftest import ANN, GENERAL, Bench
from tests.slack.test_render import PING
from tests.slack.test_render import texts as slack_texts

if TYPE_CHECKING:
    from bot.slack.adapter import SlackAdapter
    from kernel.store.outbox import Claimed
    from kernel.types import Body, Json

GROWING = st.tuples(slack_texts, texts).map("".join)
WORDS = " ".join(f"word{number}" for number in range(300))


class Turn:
    """One request that is worked on, in a thread of #general."""

    def __init__(self, bench: Bench, slack: SlackAdapter) -> None:
        self.bench = bench
        self.slack = slack
        root = bench.slack.write(GENERAL, ANN, "hi")["ts"]
        self.place = Place(platform="slack", tenant=TEAM, channel=GENERAL, thread=root)
        self.remote: str | None = None

    async def works(self) -> None:
        """The thread shows that there is work."""
        await self.slack.status(Sign(where=self.place, extra={"state": "processing", "title": "", "initiator": ANN}))

    def row(self, body: Body) -> Claimed:
        """The turn's row."""
        return self.bench.row(body, self.place, id=f"{self.place.thread}-answer", remote_id=self.remote)

    async def shows(self, partial: str = "", *steps: Step) -> None:
        """Progress, as the sender brings it."""
        row = self.row(Progress(title="Ops is working on it", partial=partial, steps=steps, run="R-1"))
        if self.remote is None:
            self.remote = await self.slack.post(row)
        else:
            await self.slack.edit(row)

    async def ends(self, text: str) -> None:
        """The answer."""
        await self.slack.edit(self.row(Text(markdown=text, agent="ops")))

    @property
    def message(self) -> Json:
        """The only message of ours in the thread."""
        (said,) = self.bench.slack.replies(GENERAL, self.place.thread or "")
        return said

    def called(self, method: str) -> int:
        """How often."""
        return self.bench.slack.counts[method]


async def begun(bench: Bench) -> Turn:
    """A turn whose progress is a stream."""
    turn = Turn(bench, await bench.connect())
    await turn.works()
    await turn.shows("", Step(id="1", title="Reading <!channel>", status="running"))
    assert turn.message["stream"]["open"]
    return turn


async def test_one_message_grows_and_becomes_the_answer(bench: Bench) -> None:
    turn = await begun(bench)
    await turn.shows("Refunds take two days.\n\nThat is", Step(id="1", title="Reading <!channel>", status="done"))
    await turn.shows("Refunds take two days.\n\nThat is all. And more")
    assert turn.message["stream"]["text"] == "Refunds take two days.\n\nThat is all. And"
    assert "<!channel>" not in turn.message["text"]
    assert "(complete)" in turn.message["text"]
    await turn.ends("Refunds take **two** days.")
    assert "stream" not in turn.message
    assert turn.message["visible"] == "*ops*\nRefunds take **two** days."
    assert (turn.called("chat.startStream"), turn.called("chat.postMessage")) == (1, 0)
    assert bench.slack.statuses(GENERAL, turn.place.thread or "")[-1] == "active"


async def test_what_the_model_says_after_a_tool_goes_on_in_the_same_stream(bench: Bench) -> None:
    turn = await begun(bench)
    await turn.shows("Let me look. ")
    await turn.shows("")
    await turn.shows("Found it, it says ")
    assert turn.message["stream"]["text"] == "Let me look.\n\nFound it, it says"


@pytest.mark.parametrize("refusal", ["message_not_in_streaming_state", "drop", "drop_before", "500_after", "500"])
async def test_a_stream_that_breaks_is_recovered_and_the_text_is_whole(bench: Bench, refusal: str) -> None:
    turn = await begun(bench)
    await turn.shows("One. ")
    bench.slack.faults.fail("chat.appendStream", refusal)
    await turn.shows("One. Two. ")
    assert "One. Two." in turn.message["visible"]
    await turn.ends("One. Two. Three.")
    assert turn.message["visible"].endswith("One. Two. Three.")
    assert not turn.message.get("stream")


async def test_a_stream_that_slack_has_closed_is_ended_by_an_edit(bench: Bench) -> None:
    turn = await begun(bench)
    bench.slack.world.skew += 301
    await turn.ends("Done.")
    assert turn.message["visible"].endswith("Done.")


async def test_a_stream_is_left_before_slack_closes_it_and_while_people_are_asked(bench: Bench) -> None:
    turn = await begun(bench)
    turn.slack.outgoing.streams.life = 0.0
    await turn.shows("Still at it. ")
    assert "Still at it." in turn.message["visible"]
    assert bench.slack.statuses(GENERAL, turn.place.thread or "")[-1] == "processing"
    waiting = await begun(bench)
    await waiting.shows("", Step(id="AP-1", title="Waiting for approval AP-1", status="waiting"))
    assert "waiting for you" in waiting.message["visible"]
    assert bench.slack.statuses(GENERAL, waiting.place.thread or "")[-1] == "suspended"


async def test_another_process_ends_a_stream_that_it_did_not_begin(bench: Bench) -> None:
    turn = await begun(bench)
    turn.slack = await bench.connect()
    await turn.ends("Done by another.")
    assert turn.message["visible"].endswith("Done by another.")


async def test_a_stream_whose_begin_was_not_answered_is_found_again(bench: Bench) -> None:
    turn = Turn(bench, await bench.connect())
    await turn.works()
    bench.slack.faults.fail("chat.startStream", "drop")
    with pytest.raises(OutcomeUnknown):
        await turn.shows("One. ")
    row = turn.row(Progress(title="Ops is working on it", run="R-1"))
    turn.remote = await turn.slack.find(row)
    await turn.ends("One. Two.")
    assert turn.message["visible"].endswith("One. Two.")


async def test_where_the_plan_has_no_streams_progress_is_an_ordinary_message(bench: Bench) -> None:
    bench.slack.world.agent_features = False
    turn = Turn(bench, await bench.connect())
    await turn.works()
    await turn.shows("One. ")
    assert turn.called("chat.postMessage") == 1
    await turn.shows("One. Two. ")
    with pytest.raises(RateLimited):
        await turn.shows("One. Two. Three. ")
    await turn.ends("One. Two. Three.")
    assert turn.message["visible"].endswith("One. Two. Three.")
    assert turn.called("chat.startStream") == 0


async def test_an_answer_that_is_too_long_for_a_stream_comes_whole_at_the_end(bench: Bench) -> None:
    turn = await begun(bench)
    text = "\n\n".join([WORDS] * 8)
    for end in range(1000, len(text), 3000):
        try:
            await turn.shows(text[:end])
        except RateLimited:
            assert not (turn.message.get("stream") or {}).get("open")
    await turn.ends(text)
    files = [file for file in bench.slack.world.files.values() if str(file["name"]).endswith(".md")]
    assert [file["content"].decode() for file in files] == [text]


async def test_more_streams_than_slack_takes_are_ordinary_messages(bench: Bench) -> None:
    slack = await bench.connect()
    turns = [Turn(bench, slack) for _ in range(20)]
    for turn in turns:
        await turn.works()
        await turn.shows("One. ")
    assert bench.slack.counts["chat.startStream"] == 15
    assert bench.slack.counts["chat.postMessage"] == 5
    await asyncio.gather(*(turn.ends("Done.") for turn in turns))
    assert all(turn.message["visible"].endswith("Done.") for turn in turns)


def test_all_that_happens_in_a_minute_counts_together() -> None:
    minute = Minute(3)
    assert [minute.wait(now) for now in (0.0, 10.0, 20.0)] == [0.0, 0.0, 0.0]
    assert minute.wait(30.0) == 30.0
    assert minute.wait(60.0) == 0.0
    assert minute.wait(65.0) == 5.0


@given(GROWING)
@settings(max_examples=30, deadline=None)
def test_of_a_growing_text_nothing_is_shown_that_pings_or_that_was_not_said(text: str) -> None:
    said = set(marked(text))
    for end in range(0, len(text), 7):
        shown = steady(text[:end])
        assert set(marked(shown)) <= said
        assert not PING.search(shown)


def test_prose_lists_and_code_grow_as_they_come() -> None:
    text = (
        "Two steps:\n\n1. Open the door\n2. Go in\n3. Sit down\n\n```python\na = 1\nb = 2\n```\n\nThat is all there is."
    )
    seen: list[str] = []
    for end in range(len(text) + 1):
        shown = steady(text[:end])
        assert shown.startswith(seen[-1] if seen else "")
        seen.append(shown)
    assert any(one.endswith("a = 1") for one in seen)
    assert any(one.endswith("2. Go in") for one in seen)
