"""What happens when the model service fails: the person is told, nothing is lost, and the run goes on later."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agents.engine.ports import Timing
from kernel.store import runs
from kernel.types import Place, Progress, Text
from tests.agents.bench import Bench
from tests.fakes.anthropic import FakeAnthropic, Reply, Tokens

BUSY = [Reply(status=429), Reply(status=529), Reply(status=500)]
SAVED = "I can't think right now; your request is saved and will run when I'm back."


async def again(bench: Bench, run: runs.Run) -> runs.Run:
    await bench.loop().segment(run.id, bench.run(run.id).segment)
    return bench.run(run.id)


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(status=429),
        Reply(status=529),
        Reply(status=500),
        Reply("cut", drop_after=0),
        Reply("cut", drop_after=4),
        Reply("cut", end_after=4),
        Reply("cut", error_after=(4, "overloaded_error")),
    ],
    ids=["429", "529", "500", "no event", "dropped", "ended early", "error event"],
)
async def test_a_passing_trouble_is_not_noticed(bench: Bench, fake: FakeAnthropic, trouble: Reply) -> None:
    fake.queue(trouble, trouble, Reply("Here I am."))
    run = await bench.ask("Hello")
    assert (run.state, run.answer, run.model_calls) == (runs.DONE, "Here I am.", 1)
    assert bench.naps == [0.5, 1.0]


async def test_the_run_waits_while_the_service_is_down_and_goes_on_when_it_is_back(
    bench: Bench, fake: FakeAnthropic
) -> None:
    fake.queue(*BUSY)
    run = await bench.ask("Hello")
    assert (run.state, run.segment) == (runs.QUEUED, 2)
    assert run.retry_at == bench.clock.now() + timedelta(seconds=5)
    told = bench.said(run.id)
    assert told.markdown == SAVED
    assert [(action.verb, action.subject) for action in told.actions] == [("stop", run.ref)]
    fake.queue(*BUSY)
    run = await again(bench, run)
    assert run.retry_at == bench.clock.now() + timedelta(seconds=10)
    fake.queue(Reply("Back again."))
    run = await again(bench, run)
    assert (run.state, run.answer, run.retry_at) == (runs.DONE, "Back again.", None)
    assert bench.said(run.id).markdown == "Back again."


async def test_waits_grow_up_to_five_minutes_and_end_after_a_day(bench: Bench, fake: FakeAnthropic) -> None:
    fake.script = lambda _: Reply(status=529)
    run = await bench.ask("Hello")
    waits = []
    while run.state == runs.QUEUED:
        assert run.retry_at is not None
        waits.append(round((run.retry_at - bench.clock.now()).total_seconds()))
        bench.clock.advance(hours=3)
        run = await again(bench, run)
    assert waits[:7] == [5, 10, 20, 40, 80, 160, 300]
    assert run.state == runs.FAILED
    assert "24 hours" in bench.said(run.id).markdown
    assert bench.said(run.id).actions[0].verb == "retry"


async def test_a_long_retry_after_is_not_waited_for_in_the_process(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply(status=429, retry_after=120))
    run = await bench.ask("Hello")
    assert bench.naps == []
    assert run.retry_at == bench.clock.now() + timedelta(seconds=120)


async def test_an_effect_before_the_failure_is_not_repeated_after_it(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply(calls=[("write_file", {"path": "a.md"})]), *BUSY)
    run = await bench.ask("Write a.md.")
    assert run.state == runs.QUEUED
    fake.queue(Reply("Written."))
    run = await again(bench, run)
    assert (run.answer, len(bench.door.performed)) == ("Written.", 1)
    assert fake.faults == []


async def test_a_request_that_the_service_refuses_fails_with_words_and_can_be_retried(
    bench: Bench, fake: FakeAnthropic
) -> None:
    fake.queue(Reply(status=403, detail="Your key may not use this model."))
    run = await bench.ask("Hello")
    assert run.state == runs.FAILED
    said = bench.said(run.id)
    assert "Your key may not use this model" in said.markdown
    assert "saved" in said.markdown
    assert (said.footer, said.actions[0].verb, said.actions[0].subject) == (run.ref, "retry", run.ref)
    fake.queue(Reply("Now it works."))
    bench.store.write_now(lambda s: runs.next_segment(s, run.id, bench.clock.now(), from_states=(runs.FAILED,)))
    run = await again(bench, run)
    assert (run.answer, run.error) == ("Now it works.", None)


async def test_a_refusal_is_told(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply("I w", stop="refusal", detail="This could enable harm."))
    run = await bench.ask("Something bad")
    assert run.state == runs.FAILED
    assert "declined to answer this: This could enable harm." in bench.said(run.id).markdown
    assert run.tokens_out == 20


async def test_an_answer_that_is_too_long_goes_on_where_it_stopped(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply("One, two, ", stop="max_tokens"), Reply("three.", tokens=Tokens(output_tokens=3)))
    run = await bench.ask("Count.")
    assert run.answer == "One, two, three."
    assert "Go on exactly" in fake.requests[1]["messages"][-1]["content"][0]["text"]
    assert fake.faults == []


async def test_an_answer_without_end_is_shown_as_cut(bench: Bench, fake: FakeAnthropic) -> None:
    fake.script = lambda _: Reply("more ", stop="max_tokens")
    run = await bench.ask("Never end.")
    assert run.state == runs.DONE
    assert bench.said(run.id).markdown.startswith("more more more more")
    assert "cut at the length limit" in bench.said(run.id).markdown


async def test_a_call_that_was_cut_is_never_made(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(
        Reply("I write. ", calls=[("write_file", '{"path": "a.md", "content": "half')], stop="max_tokens"),
        Reply(calls=[("write_file", {"path": "a.md"})]),
        Reply("Written."),
    )
    run = await bench.ask("Write a long file.")
    assert run.answer == "Written."
    assert bench.door.performed == [("write_file", {"path": "a.md"})]
    assert fake.faults == []


async def test_nothing_but_thoughts_gets_twice_the_room(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply(thinking="hm " * 9, stop="max_tokens"), Reply("Thought enough."))
    run = await bench.ask("Think.")
    assert run.answer == "Thought enough."
    assert [request["max_tokens"] for request in fake.requests] == [8192, 16384]
    assert run.model_calls == 2


async def test_an_empty_answer_is_asked_for_once_more_and_then_told(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply(""), Reply("There."))
    assert (await bench.ask("Hello")).answer == "There."
    fake.queue(Reply(""), Reply(""))
    run = await bench.ask("Hello")
    assert run.state == runs.FAILED
    assert "empty answer twice" in bench.said(run.id).markdown


async def test_a_reason_to_stop_that_nobody_knows_is_told_and_its_calls_are_not_made(
    bench: Bench, fake: FakeAnthropic
) -> None:
    fake.queue(Reply("Half of it.", calls=[("write_file", {"path": "a"})], stop="moon_phase"))
    run = await bench.ask("Hello")
    assert "Half of it." in bench.said(run.id).markdown
    assert "moon_phase" in bench.said(run.id).markdown
    assert bench.door.performed == []


async def test_a_thinking_block_that_the_service_no_longer_takes_is_left_out(bench: Bench, fake: FakeAnthropic) -> None:
    """Another key or model since: the run goes on without the thought."""
    fake.queue(Reply(thinking="deep", calls=[("write_file", {"path": "a"})]))
    bench.door.asked = {"write_file"}
    run = await bench.ask("Write a.")
    bench.door.asked = set()
    line = bench.lines(run.id)[1]

    def tamper(session: object) -> None:
        raw = [{**block, "signature": "old"} if block["type"] == "thinking" else block for block in line.content["raw"]]
        line.content = {**line.content, "raw": raw}
        session.merge(line)  # type: ignore[attr-defined]  # a Session

    bench.store.write_now(tamper)
    bench.store.write_now(lambda session: runs.next_segment(session, run.id, bench.clock.now()))
    fake.queue(Reply("Written."))
    run = await again(bench, run)
    assert run.answer == "Written."
    assert len(fake.faults) == 1


async def test_thinking_goes_back_as_long_as_nothing_before_it_changed(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(
        Reply(thinking="first", calls=[("write_file", {"path": "a"})]),
        Reply(thinking="second", calls=[("write_file", {"path": "b"})]),
        Reply("Both."),
    )
    run = await bench.ask("Write a and b.")
    assert run.answer == "Both."
    kinds = [[block["type"] for block in message["content"]] for message in fake.requests[2]["messages"]]
    assert kinds[1] == kinds[3] == ["thinking", "tool_use"]
    assert fake.faults == []


async def test_a_change_of_the_charter_in_the_middle_of_a_run_leaves_the_thoughts_out(
    bench: Bench, fake: FakeAnthropic
) -> None:
    bench.door.asked = {"write_file"}
    fake.queue(Reply(thinking="first", calls=[("write_file", {"path": "a"})]), Reply("Done."))
    run = await bench.ask("Write a.")
    bench.door.asked = set()
    bench.door.tools["another"] = bench.door.tools["write_file"]
    bench.store.write_now(lambda session: runs.next_segment(session, run.id, bench.clock.now()))
    run = await again(bench, run)
    assert run.answer == "Done."
    assert fake.faults == []


async def test_stop_cuts_the_model_off_and_keeps_what_was_said(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(
        Reply(calls=[("write_file", {"path": "a.md"})]),
        Reply("A long answer that goes on.", pieces=9, hold_after=6),
    )
    said_something = asyncio.Event()

    def live(run_id: str, place: Place, progress: Progress) -> bool:
        if progress.partial:
            said_something.set()
        return True

    bench.live, bench.timing = live, Timing(edit_interval=0, time_to_progress=0)
    run = bench.begin("Write much.")
    loop = bench.loop()
    loop.listen()
    work = asyncio.create_task(loop.segment(run.id, 1))
    await fake.holding.wait()
    await said_something.wait()
    await bench.stop(run.id)
    await asyncio.wait_for(work, 5)
    run = bench.run(run.id)
    assert run.state == runs.STOPPED
    said = bench.said(run.id)
    assert isinstance(said, Text)
    assert said.markdown.startswith("A long answer"[:4])
    assert "**Stopped by Mia Brandt.**" in said.markdown
    assert "`write_file`: Wrote a.md." in said.markdown


async def test_a_stop_before_the_first_turn_costs_nothing(bench: Bench, fake: FakeAnthropic) -> None:
    run = bench.begin("Hello")
    await bench.stop(run.id)
    await bench.loop().segment(run.id, 1)
    assert bench.run(run.id).state == runs.STOPPED
    assert fake.requests == []


async def test_a_stop_asked_elsewhere_is_seen_before_the_calls_are_made(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply(calls=[("write_file", {"path": "a.md"})], hold_after=2))
    run = bench.begin("Write a.md.")
    work = asyncio.create_task(bench.loop().segment(run.id, 1))
    await fake.holding.wait()
    await bench.stop(run.id)  # another process: this one does not listen
    fake.release()
    await work
    assert bench.run(run.id).state == runs.STOPPED
    assert bench.door.performed == []
    assert "Not done: `write_file`" in bench.said(run.id).markdown


async def test_a_segment_that_cannot_be_run_ends_with_a_message(bench: Bench, fake: FakeAnthropic) -> None:
    run = bench.begin("Hello")
    await bench.loop().broken(run.id, 1, RuntimeError("secret details"))
    run = bench.run(run.id)
    assert run.state == runs.FAILED
    assert "secret" not in bench.said(run.id).markdown
    assert bench.said(run.id).actions[0].verb == "retry"
