"""The digest of a channel: what it says, what it leaves out, and that it never says it twice."""

from kernel.clock import FixedClock
from kernel.store import Store, approvals, runs
from tests.workflows.world import FINANCE, GENERAL, World, at, starter


async def test_it_says_what_was_asked_decided_and_what_waits(store: Store) -> None:
    clock = FixedClock(at("2026-03-02 07:00"))
    world = World(store, clock, starter())
    await world.happened("What is our refund policy?")
    asked = await world.happened("Pay ACME", state=runs.WAITING)
    await world.asked_for(asked, "Queue EUR 420 for ACME", approvals.PENDING)
    paid = await world.happened("Pay Globex")
    await world.asked_for(paid, "Queue EUR 90 for Globex", approvals.CONSUMED, by="Bo")
    await world.asked_for(paid, "Queue EUR 9,000 for Globex", approvals.REJECTED, by="Bo", reason="too much")
    await world.happened("Something else", state=runs.FAILED)
    clock.advance(hours=1)
    run = await world.run_now("digest")
    assert run.state == runs.DONE
    [text] = await world.posts()
    assert "### Digest of #general, Monday 2 March" in text
    assert "**Needs you** (1)\n\n- Queue EUR 420 for ACME, asked for by Ann, expires Mon 02 Mar 12:00 ([AP-" in text
    assert "Ann: “What is our refund policy?”, answered by Lead ([R-" in text
    assert "- Approved by Bo: Queue EUR 90 for Globex ([AP-" in text
    assert "- Rejected by Bo (“too much”): Queue EUR 9,000 for Globex" in text
    assert "- Ann: “Something else”, failed ([R-" in text
    assert "Pay ACME" not in text.replace("Queue EUR 420 for ACME", "")


async def test_what_happened_in_another_channel_is_not_told(store: Store) -> None:
    world = World(store, FixedClock(), starter())
    secret = await world.happened("What does Bo earn?", place=FINANCE)
    await world.asked_for(secret, "Raise Bo's salary", approvals.PENDING)
    run = await world.run_now("digest")
    assert run.answer is not None
    assert run.answer.startswith("Nothing to report in #general since ")
    assert await world.posts() == []


async def test_nothing_to_report_is_recorded_and_not_posted_but_told_to_who_asked(store: Store) -> None:
    world = World(store, FixedClock(), starter())
    run = await world.run_now("digest", report_to=FINANCE.in_thread("t1"))
    assert run.state == runs.DONE
    assert await world.posts(GENERAL) == []
    [told] = await world.posts(FINANCE)
    assert told.startswith("Nothing to report in #general")


async def test_the_next_one_begins_where_the_last_one_ended(store: Store) -> None:
    clock = FixedClock(at("2026-03-02 07:00"))
    world = World(store, clock, starter())
    await world.happened("First question")
    await world.run_now("digest")
    clock.advance(hours=2)
    await world.happened("Second question")
    clock.advance(hours=1)
    await world.run_now("digest")
    first, second = await world.posts()
    assert "First question" in first
    assert "First question" not in second
    assert "Second question" in second


async def test_run_again_within_ten_minutes_it_replaces_its_message(store: Store) -> None:
    clock = FixedClock(at("2026-03-02 07:00"))
    world = World(store, clock, starter())
    await world.happened("First question")
    await world.run_now("digest")
    clock.advance(minutes=5)
    await world.happened("Second question")
    await world.run_now("digest")
    [text] = await world.posts()
    assert "First question" in text
    assert "Second question" in text


async def test_what_people_write_stays_text(store: Store) -> None:
    world = World(store, FixedClock(), starter())
    await world.happened("# Big\n\n- [x](javascript:alert(1)) <!channel> *bold* {steps.facts.text} " + "x" * 500)
    await world.run_now("digest")
    [text] = await world.posts()
    [line] = [line for line in text.splitlines() if "Big" in line]
    assert "“\\# Big - \\[x\\](javascript:alert(1)) \\<!channel\\> \\*bold\\* {steps.facts.text} xxx" in line
    assert len(line) < 250


async def test_a_long_list_is_cut_and_says_so(store: Store) -> None:
    world = World(store, FixedClock(), starter())
    for number in range(13):
        await world.happened(f"Question {number}")
    await world.run_now("digest")
    [text] = await world.posts()
    assert "**Done** (13)" in text
    assert "- and 3 more" in text


async def test_what_goes_on_for_days_is_still_told(store: Store) -> None:
    clock = FixedClock()
    world = World(store, clock, starter())
    await world.happened("A long piece of work", state=runs.QUEUED)
    clock.advance(days=3)
    await world.happened("A question")
    await world.run_now("digest")
    [text] = await world.posts()
    assert "**Still going on** (1)" in text
