"""Progress: one object, shown after some work, edited at the platform's pace, never over an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from agents.engine.ports import Timing
from kernel.store import runs
from kernel.types import Place, Progress, Text, ToolResult
from tests.agents.bench import Bench
from tests.fakes.anthropic import FakeAnthropic, Reply

AT_ONCE = Timing(edit_interval=0.01, time_to_progress=0)


async def test_a_quick_answer_shows_no_progress(bench: Bench) -> None:
    versions = watch(bench)
    run = await bench.ask("Hello")
    assert isinstance(bench.said(run.id), Text)
    assert versions == ["text"]


async def test_steps_are_shown_and_the_answer_takes_their_place(bench: Bench, fake: FakeAnthropic) -> None:
    bench.timing = AT_ONCE
    seen = asyncio.Event()

    async def slow(arguments: dict[str, Any]) -> ToolResult:
        await seen.wait()
        return ToolResult(content="ok", summary="Three orders found.")

    bench.door.tools["check_orders"] = slow
    fake.queue(Reply(calls=[("check_orders", {})], ids=["u1"]), Reply("All is well."))
    run = bench.begin("Check the orders.")
    bench.store.on("outbox", lambda _lane: seen.set())
    work = asyncio.create_task(bench.loop().segment(run.id, 1))
    await seen.wait()
    (body,) = bench.shown(run.id)
    assert isinstance(body, Progress)
    assert (body.title, body.run) == ("Lead is working on it", run.ref)
    assert [(step.title, step.status) for step in body.steps] == [("Check orders", "running")]
    await work
    assert bench.said(run.id).markdown == "All is well."


async def test_text_goes_the_light_way_where_there_is_one(bench: Bench, fake: FakeAnthropic) -> None:
    bench.timing = AT_ONCE
    partial: list[str] = []
    first = asyncio.Event()

    def live(run_id: str, place: Place, progress: Progress) -> bool:
        partial.append(progress.partial)
        first.set()
        return True

    bench.live = live
    versions = watch(bench)
    fake.queue(Reply("One two three four", pieces=4, hold_after=5))
    run = bench.begin("Count.")
    work = asyncio.create_task(bench.loop().segment(run.id, 1))
    await first.wait()
    fake.release()
    await work
    assert partial[0]
    assert "One two three four".startswith(partial[0])
    assert versions == ["text"]


async def test_waiting_for_people_is_a_row_of_its_own(bench: Bench, fake: FakeAnthropic) -> None:
    bench.timing = AT_ONCE
    bench.door.asked = {"write_file"}
    shown = asyncio.Event()

    async def look(arguments: dict[str, Any]) -> ToolResult:
        await shown.wait()
        return ToolResult(content="seen")

    bench.door.tools["look"] = look
    bench.store.on("outbox", lambda _lane: shown.set())
    fake.queue(Reply(calls=[("look", {})]), Reply(calls=[("write_file", {"path": "a"})], ids=["u2"]), Reply("Written."))
    run = await bench.ask("Look, then write.")
    assert run.state == runs.WAITING
    (body,) = bench.shown(run.id)
    assert isinstance(body, Progress)
    assert [(step.title, step.status) for step in body.steps][-1] == ("Waiting for approval AP-u2", "waiting")

    bench.door.approved.add("u2")  # whose card stands below: so does the answer, as a message of its own
    bench.store.write_now(lambda session: runs.next_segment(session, run.id, bench.clock.now()))
    await bench.loop().segment(run.id, 2)
    before, answer = bench.shown(run.id)
    assert (before.type, answer.type) == ("text", "text")
    assert isinstance(before, Text)
    assert "went on below:\n- Look" in before.markdown
    assert isinstance(answer, Text)
    assert answer.markdown == "Written."


async def test_many_steps_are_folded(bench: Bench, fake: FakeAnthropic) -> None:
    bench.timing = AT_ONCE
    latest: list[Progress] = []
    full = asyncio.Event()

    def live(run_id: str, place: Place, progress: Progress) -> bool:
        latest.append(progress)
        if len(progress.steps) == 12:
            full.set()
        return True

    bench.live = live

    async def wait(arguments: dict[str, Any]) -> ToolResult:
        await full.wait()
        return ToolResult(content="ok")

    bench.door.tools["wait"] = wait
    calls = [("write_file", {"path": str(n)}) for n in range(14)]
    fake.queue(Reply(calls=[*calls, ("wait", {})]), Reply("Done."))
    await bench.ask("Do much.")
    assert len(latest[-1].steps) == 12
    assert latest[-1].steps[0].title == "4 earlier steps"


def watch(bench: Bench) -> list[str]:
    """What kind of body each write of the outbox left, in order."""
    seen: list[str] = []

    def note(_lane: str) -> None:
        from sqlmodel import select

        from kernel.store.outbox import OutboxRow

        rows = bench.store.read_now(lambda session: list(session.exec(select(OutboxRow))))
        seen.extend(row.body["type"] for row in rows)

    bench.store.on("outbox", note)
    return seen
