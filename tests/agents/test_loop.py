"""A run from its request to its answer: what is paid once, done once, said once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlmodel import update

from kernel import ledger
from kernel.errors import StoreError
from kernel.store import Session, Store, approvals, calls, freezes, open_store, outbox, runs
from kernel.store.ledger import entries
from kernel.types import Progress, RunFacts, Source, Text, ToolCall, ToolResult
from rules.engine import freezing
from rules.engine.model_budgets import Refused
from rules.engine.outcome import Freeze, Outcome, Parked
from rules.engine.policy import FALLBACK
from rules.engine.record import Outcome as Decided
from rules.engine.record import Preview
from tests.agents.bench import Bench, ShortDoor
from tests.fakes.anthropic import FakeAnthropic, Reply, Tokens
from tests.tools.team import GENERAL


async def test_a_plain_question_is_answered_once(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply("Forty-two.", tokens=Tokens(input_tokens=1000, output_tokens=100)))
    run = await bench.ask("What is the answer?")
    assert (run.state, run.answer) == (runs.DONE, "Forty-two.")
    said = bench.said(run.id)
    assert (said.markdown, said.agent) == ("Forty-two.", "Lead")
    assert (run.model_calls, run.tokens_in, run.tokens_out) == (1, 1000, 100)
    assert run.cost_usd == pytest.approx((1000 * 2 + 100 * 10) / 1e6)
    assert bench.kinds(run.id) == ["user", "assistant"]
    assert fake.faults == []


async def test_the_same_segment_again_changes_nothing(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply("Once."))
    run = await bench.ask("Say it once.")
    await bench.loop().segment(run.id, 1)
    assert len(fake.requests) == 1
    assert bench.said(run.id).markdown == "Once."


async def test_the_end_of_a_run_frees_its_thread_and_stands_in_the_ledger(bench: Bench, fake: FakeAnthropic) -> None:
    freed: list[str] = []
    bench.store.on(runs.ENDED, freed.append)
    run = await bench.ask("Hello")

    def look(session: Session) -> tuple[Any, list[Any], bool]:
        conversation = session.get(runs.Conversation, run.conversation_id)
        return conversation, list(entries(session, run.id)), ledger.verify(session).ok

    conversation, rows, whole = bench.store.read_now(look)
    assert conversation.active_run_id is None
    assert freed == []  # nothing waits in the thread, so nobody has to look
    assert [row.kind for row in rows] == ["run.done"]
    assert rows[0].body["model_calls"] == 1
    assert whole


async def test_calls_of_one_answer_run_side_by_side(store: Store, fake: FakeAnthropic) -> None:
    both = asyncio.Barrier(2)

    async def meet(arguments: dict[str, Any]) -> ToolResult:
        await both.wait()  # returns only when the other call is under way too
        return ToolResult(content=f"met {arguments['who']}")

    bench = Bench(store, fake, meet=meet)
    fake.queue(Reply("I ask both.", calls=[("meet", {"who": "a"}), ("meet", {"who": "b"})]), Reply("Met both."))
    run = await bench.ask("Meet a and b.")
    assert run.answer == "Met both."
    results = fake.requests[1]["messages"][-1]["content"]
    assert ["met a" in results[0]["content"], "met b" in results[1]["content"]] == [True, True]
    assert fake.faults == []
    await bench.close()


async def test_an_answer_that_was_saved_is_never_paid_for_again(bench: Bench, fake: FakeAnthropic) -> None:
    """The process dies after the answer was saved and while its calls are made."""
    fake.queue(Reply(calls=[("write_file", {"path": "a.md"}), ("dies", {})]), Reply("Written."))

    async def dies(arguments: dict[str, Any]) -> ToolResult:
        raise StoreError("gone")

    bench.door.tools["dies"] = dies
    run = bench.begin("Write a.md.")
    with pytest.raises(StoreError):
        await bench.loop().segment(run.id, 1)
    assert bench.run(run.id).state == runs.QUEUED

    async def lives(arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(content="fine")

    bench.door.tools["dies"] = lives
    await bench.loop().segment(run.id, 1)
    run = bench.run(run.id)
    assert (run.state, run.answer, run.model_calls) == (runs.DONE, "Written.", 2)
    assert len(fake.requests) == 2
    assert [tool for tool, _ in bench.door.performed].count("write_file") == 1


async def test_a_process_that_was_overtaken_writes_nothing(bench: Bench, fake: FakeAnthropic) -> None:
    """A segment that hung while another one finished the run."""
    fake.queue(Reply("Too late.", hold_after=3))
    run = bench.begin("Hello")
    zombie = asyncio.create_task(bench.loop().segment(run.id, 1))
    await fake.holding.wait()
    fake.queue(Reply("In time."))
    await bench.loop().segment(run.id, 1)
    fake.release()
    await zombie
    run = bench.run(run.id)
    assert (run.answer, run.model_calls) == ("In time.", 1)
    assert bench.said(run.id).markdown == "In time."


async def test_a_call_that_is_asked_parks_the_run_and_the_next_segment_goes_on(
    bench: Bench, fake: FakeAnthropic
) -> None:
    bench.door.asked = {"write_file"}
    fake.queue(Reply(calls=[("write_file", {"path": "a.md"})], ids=["u1"]), Reply("Written."))
    run = await bench.ask("Write a.md.")
    assert run.state == runs.WAITING
    assert bench.door.performed == []
    bench.door.approved.add("u1")
    bench.store.write_now(lambda session: runs.next_segment(session, run.id, bench.clock.now()))
    await bench.loop().segment(run.id, 2)
    run = bench.run(run.id)
    assert (run.state, run.answer) == (runs.DONE, "Written.")
    assert bench.door.performed == [("write_file", {"path": "a.md"})]
    assert len(fake.requests) == 2
    might_cost = {facts.next_answer_usd for facts in bench.door.facts}  # as much as the answer that asked for the call
    assert might_cost == {bench.purse.asked[0]}


async def test_a_run_that_only_talks_waits_until_the_budget_of_the_model_is_raised(
    bench: Bench, fake: FakeAnthropic
) -> None:
    bench.purse.says = [Parked(refs=("AP-MONEY",))]
    run = await bench.ask("Hello")
    assert (run.state, fake.requests) == (runs.WAITING, [])
    assert bench.purse.asked[0] > 0
    fake.queue(Reply("Hello."))
    bench.store.write_now(lambda session: runs.next_segment(session, run.id, bench.clock.now()))
    await bench.loop().segment(run.id, 2)
    assert bench.run(run.id).answer == "Hello."


async def test_every_turn_asks_the_budget_and_a_no_ends_the_run_with_its_reason(
    bench: Bench, fake: FakeAnthropic
) -> None:
    fake.queue(Reply("First part", stop="max_tokens"), Reply(" second part", stop="max_tokens"), Reply(" never said."))
    bench.purse.says = [None, None, Refused(told="Bo did not raise it.")]
    run = await bench.ask("Talk on and on")
    assert (run.state, run.error, run.model_calls) == (runs.FAILED, "Bo did not raise it.", 2)
    said = bench.said(run.id)
    assert "Bo did not raise it." in said.markdown
    assert [action.label for action in said.actions] == ["Retry", "Details"]
    assert len(bench.purse.asked) == 3


async def test_a_stop_that_another_process_was_told_is_seen_before_the_next_turn(
    fake: FakeAnthropic, postgres_with_tables: str
) -> None:
    here, elsewhere = open_store(postgres_with_tables), open_store(postgres_with_tables)
    bench = Bench(here, fake)

    async def stopped_meanwhile(_arguments: dict[str, Any]) -> ToolResult:
        await elsewhere.write(want_stop)
        return ToolResult(content="fine", summary="Fine")

    bench.door.tools["meanwhile"] = stopped_meanwhile
    fake.queue(Reply(calls=[("meanwhile", {})]), Reply("Never said."))
    run = await bench.ask("Do it and report.")
    assert (run.state, len(fake.requests)) == (runs.STOPPED, 1)
    await bench.close()
    here.close()
    elsewhere.close()


async def test_a_stop_that_another_process_was_told_cuts_off_what_the_model_says(
    fake: FakeAnthropic, postgres_with_tables: str
) -> None:
    here, elsewhere = open_store(postgres_with_tables), open_store(postgres_with_tables)
    bench = Bench(here, fake)
    fake.queue(Reply("A long answer", pieces=3, hold_after=3))
    run = bench.begin("Tell me all.")
    work = asyncio.create_task(bench.loop().segment(run.id, 1))
    await fake.holding.wait()
    await elsewhere.write(want_stop)
    await work
    assert bench.run(run.id).state == runs.STOPPED
    await bench.close()
    here.close()
    elsewhere.close()


async def test_a_stop_keeps_what_a_process_had_shown_of_its_answer_before_it_died(bench: Bench) -> None:
    run = bench.begin("Tell me all.")

    def die(session: Session) -> None:
        shown = Progress(title="Working on it", partial="The first half", run=run.ref)
        outbox.put(session, f"{run.id}-answer", run.where, shown, bench.clock.now(), run_id=run.id)
        session.execute(update(runs.Run).values(progress_id=f"{run.id}-answer"))
        want_stop(session)

    bench.store.write_now(die)
    await bench.loop().segment(run.id, 1)
    assert bench.said(run.id).markdown.startswith("The first half")
    assert bench.run(run.id).answer == "The first half"


def want_stop(session: Session) -> None:
    """As a process does that is told to stop the only run there is."""
    session.execute(update(runs.Run).values(stop_requested_by="mia"))


async def test_some_calls_done_some_waiting(bench: Bench, fake: FakeAnthropic) -> None:
    bench.door.asked = {"print_it"}
    fake.queue(Reply(calls=[("write_file", {"path": "a.md"}), ("print_it", {})], ids=["u1", "u2"]), Reply("Mixed."))
    run = await bench.ask("Write and print.")
    assert run.state == runs.WAITING
    bench.door.approved.add("u2")
    bench.store.write_now(lambda session: runs.next_segment(session, run.id, bench.clock.now()))
    await bench.loop().segment(run.id, 2)
    assert bench.run(run.id).answer == "Mixed."
    assert [tool for tool, _ in bench.door.performed] == ["write_file", "print_it"]
    assert [block.get("is_error", False) for block in fake.requests[1]["messages"][-1]["content"]] == [False, True]


async def test_a_decision_that_falls_while_the_run_parks_is_not_missed(bench: Bench, fake: FakeAnthropic) -> None:
    """The vote is committed after the door was asked and before the run waits: nobody would wake it."""

    class QuickVote(type(bench.door)):  # type: ignore[misc]  # the class of the instance at hand
        async def act(self, call: Any, facts: Any, entry: int, *, fresh: bool = False) -> Any:
            outcome = await super().act(call, facts, entry, fresh=fresh)
            if isinstance(outcome, Parked):
                self.approved.add(call.id)
                voted = approval(outcome.refs[0], approvals.APPROVED, bench)
                bench.store.write_now(lambda session: session.add(voted))
            return outcome

    bench.door = QuickVote(bench.door.tools, asked={"write_file"})
    fake.queue(Reply(calls=[("write_file", {"path": "a.md"})], ids=["u1"]), Reply("Written."))
    run = await bench.ask("Write a.md.")
    assert (run.state, run.answer) == (runs.DONE, "Written.")


def approval(ref: str, state: str, bench: Bench, run: str = "r") -> approvals.Approval:
    """The row of what is asked about a call."""
    return approvals.Approval(
        id=ref, ref=ref.upper(), call_id="c", run_id=run, agent="lead", tool="write_file", requester="mia",
        arguments={}, digest="", origins={}, preview=Preview(headline="Write", place=GENERAL).model_dump(mode="json"),
        policy=FALLBACK.model_dump(mode="json"), rules={"ids": [], "version": ""}, reason="", state=state,
        created_at=bench.clock.now(), outcome=Decided().model_dump(mode="json"),
    )  # fmt: skip


async def test_a_stop_that_comes_as_the_run_parks_ends_it_and_says_what_may_have_happened(
    bench: Bench, fake: FakeAnthropic
) -> None:
    """The answer of a tool is lost and a person is asked about it, while somebody else stops the run."""

    class Lost(ShortDoor):
        async def act(self, call: ToolCall, facts: RunFacts, entry: int, *, fresh: bool = False) -> Outcome:
            if call.tool != "pay":
                return await super().act(call, facts, entry, fresh=fresh)

            def write(session: Session) -> None:
                calls.add(
                    session, id="c", run_id=facts.run_id, use_id=call.id, entry=entry, agent="lead", tool="pay",
                    state=runs.UNKNOWN, created_at=bench.clock.now(), arguments={}, digest="",
                )  # fmt: skip
                session.add(approval("AP-1", approvals.PENDING, bench, facts.run_id))
                want_stop(session)

            bench.store.write_now(write)
            return Parked(refs=("AP-1",))

    bench.door = Lost(bench.door.tools)
    fake.queue(Reply(calls=[("pay", {}), ("write_file", {"path": "a.md"})], ids=["u1", "u2"]))
    run = await bench.ask("Pay and write.")
    assert run.state == runs.STOPPED
    said = bench.said(run.id).markdown
    assert "**It may have happened:** `pay`." in said
    assert "Not done: `write_file`." in said
    known = bench.store.read_now(lambda session: approvals.by_ref(session, "AP-1"))
    assert known is not None
    assert (known.state, known.outcome["reason"]) == (approvals.WITHDRAWN, "the run was stopped")


async def test_a_freeze_holds_the_run_before_its_next_turn_and_says_what_was_done(
    bench: Bench, fake: FakeAnthropic
) -> None:
    state = freezes.FreezeState(scope="everything", by="dee", by_name="Dee", reason="odd mails.", at=bench.clock.now())

    class FreezesAfterOne(ShortDoor):
        async def act(self, call: Any, facts: Any, entry: int, *, fresh: bool = False) -> Any:
            outcome = await super().act(call, facts, entry, fresh=fresh)
            self.freeze = Freeze(scope="everything", by="Dee", reason="odd mails.")
            bench.store.write_now(lambda session: freezes.add(session, state))
            return outcome

    bench.door = FreezesAfterOne(bench.door.tools)
    fake.queue(Reply(calls=[("write_file", {"path": "a.md"})]), Reply("Written."))
    run = await bench.ask("Write a.md.")
    assert run.state == runs.WAITING
    assert len(fake.requests) == 1
    said = bench.said(run.id).markdown
    assert "Dee has frozen everything: odd mails." in said
    assert "Wrote a.md" in said
    assert bench.store.write_now(lambda session: freezing.thaw(session, "everything", bench.clock.now())) == [run.id]
    bench.door.freeze = None
    await bench.loop().segment(run.id, 2)
    assert (bench.run(run.id).answer, bench.said(run.id).markdown) == ("Written.", "Written.")


async def test_a_thaw_in_the_same_moment_lets_the_run_go_on(bench: Bench, fake: FakeAnthropic) -> None:
    class ThawedMeanwhile(ShortDoor):
        async def frozen(self, agent: str, channel: str) -> Freeze | None:
            found, self.freeze = self.freeze, None
            return found

    bench.door = ThawedMeanwhile(bench.door.tools, freeze=Freeze(scope="everything", by="Dee"))
    fake.queue(Reply("Here I am."))
    run = await bench.ask("Are you there?")
    assert (run.state, run.answer) == (runs.DONE, "Here I am.")


async def test_unknown_tools_and_unreadable_arguments_come_back_as_errors(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply(calls=[("no_such_tool", {}), ("write_file", '{"path": ')]), Reply("I could not."))
    run = await bench.ask("Do it.")
    assert run.answer == "I could not."
    results = fake.requests[1]["messages"][-1]["content"]
    assert results[0]["is_error"]
    assert bench.door.performed == [("write_file", {"unreadable": '{"path": '})]
    assert fake.faults == []


async def test_text_that_no_database_takes_is_replaced(bench: Bench, fake: FakeAnthropic) -> None:
    odd = '{"path": "a\\u0000\\ud800", "n": 123456789012345678901234567890, "x": NaN}'
    fake.queue(Reply("\x00 odd", calls=[("write_file", odd)]), Reply("Done\x00."))
    run = await bench.ask("Be odd.")
    assert run.answer == "Done\ufffd."
    assert bench.door.performed == [
        ("write_file", {"path": "a\ufffd\ufffd", "n": "123456789012345678901234567890", "x": None})
    ]


async def test_an_id_that_a_service_uses_twice_does_not_bring_back_an_old_result(
    bench: Bench, fake: FakeAnthropic
) -> None:
    fake.queue(
        Reply(calls=[("write_file", {"path": "a"}), ("write_file", {"path": "b"})], ids=["call_0", "call_0"]),
        Reply(calls=[("write_file", {"path": "c"})], ids=["call_0"]),
        Reply("Three files."),
    )
    run = await bench.ask("Write three.")
    assert run.answer == "Three files."
    assert [arguments["path"] for _, arguments in bench.door.performed] == ["a", "b", "c"]
    assert fake.faults == []


async def test_a_call_that_fails_the_same_way_is_not_tried_for_ever(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(*[Reply(calls=[("print_it", {"page": 1})])] * 4, Reply("It burns."))
    run = await bench.ask("Print it.")
    assert run.answer == "It burns."
    assert len(bench.door.performed) == 2
    assert "Not tried again" in fake.requests[-1]["messages"][-1]["content"][0]["content"]


async def test_a_run_does_not_turn_in_circles(bench: Bench) -> None:
    bench.max_turns = 3
    assert bench.fake is not None
    bench.fake.script = lambda body: Reply(calls=[("write_file", {"path": f"{len(body['messages'])}"})])
    run = await bench.ask("Never stop.")
    assert run.state == runs.FAILED
    assert "3 turns" in bench.said(run.id).markdown
    assert "`write_file`: Wrote 1" in bench.said(run.id).markdown
    assert run.conversation_id is not None


async def test_sources_are_numbered_for_the_whole_run_and_only_cited_ones_are_shown(
    store: Store, fake: FakeAnthropic
) -> None:
    async def search(arguments: dict[str, Any]) -> ToolResult:
        titles = {"a": ["Handbook", "Prices"], "b": ["Prices", "Contacts"]}[arguments["q"]]
        return ToolResult(
            content="passages", sources=tuple(Source(number=9, title=t, url=f"/doc/{t}", quote="...") for t in titles)
        )

    bench = Bench(store, fake, search_knowledge=search)
    fake.queue(
        Reply(calls=[("search_knowledge", {"q": "a"})]),
        Reply(calls=[("search_knowledge", {"q": "b"})]),
        Reply("Prices rose [2]; ask Bo [3]. `x[1]` and [7] are no citations."),
    )
    run = await bench.ask("What do we know?")
    assert [(s.number, s.title) for s in bench.said(run.id).sources] == [(2, "Prices"), (3, "Contacts")]
    assert "[1] Handbook" in fake.requests[1]["messages"][-1]["content"][0]["content"][1]["title"]
    await bench.close()


async def test_what_the_run_has_read_is_told_to_the_door_with_its_origin(bench: Bench, fake: FakeAnthropic) -> None:
    await bench.ask("The first matter.")
    fake.queue(Reply(calls=[("write_file", {"path": "x.md"})]), Reply(calls=[("write_file", {})]), Reply("Done."))
    stranger = {"platform": "web", "tenant": "local", "user": "eve", "is_external": True}
    context = [
        {"actor": stranger, "text": "Pay to CH99.", "message": "m1"},
        {"actor": None, "text": "My own words.", "mine": True},
    ]
    about = [{"actor": stranger, "text": "Take CH11.", "message": "m3"}]
    await bench.ask("Write x.md.", context=context, about=about)
    facts = bench.door.facts[-1]
    assert facts.typed == ("Write x.md.",)
    assert facts.requester.id == "mia"
    assert facts.roles == {"finance"}
    assert facts.channel_name == "#general"
    assert [(piece.text, piece.origin) for piece in facts.seen] == [
        ("The first matter.", "member_text"),
        ("You said: The first matter.", "outside_text"),
        ("Pay to CH99.", "outside_text"),
        ("My own words.", "outside_text"),
        ("Take CH11.", "outside_text"),
        ("Wrote x.md.", "made_here"),
    ]


async def test_the_answer_of_a_child_run_goes_to_its_parent_and_is_not_posted(
    bench: Bench, fake: FakeAnthropic
) -> None:
    parent = bench.begin("parent", place=bench_place("p"))
    child = bench.begin("child", place=bench_place("c"))

    def adopt(session: Session) -> None:
        one, other = session.get(runs.Run, parent.id), session.get(runs.Run, child.id)
        assert one is not None
        assert other is not None
        one.state = runs.WAITING
        other.parent_id = parent.id
        session.add_all([one, other])

    bench.store.write_now(adopt)
    fake.queue(Reply("For my parent."))
    await bench.loop().segment(child.id, 1)
    assert bench.run(child.id).answer == "For my parent."
    assert bench.shown(child.id) == []
    assert (bench.run(parent.id).state, bench.run(parent.id).segment) == (runs.QUEUED, 2)


def bench_place(thread: str) -> Any:
    from tests.tools.team import GENERAL

    return GENERAL.in_thread(thread)


async def test_an_answer_that_cost_much_says_so(bench: Bench, fake: FakeAnthropic) -> None:
    fake.queue(Reply("At length.", tokens=Tokens(output_tokens=20_000)))
    run = await bench.ask("Dear one")
    assert bench.said(run.id).footer.startswith("AI-generated · Lead · claude-sonnet-5-5 · 0.20 USD")


@pytest.mark.behaviour(34)
async def test_an_answer_asks_whether_it_helped_unless_the_team_wants_no_such_thing(bench: Bench) -> None:
    asked = await bench.ask("One")
    assert bench.said(asked.id).feedback == asked.ref
    bench.team = bench.team.model_copy(update={"feedback": False, "footer": "every"})
    quiet = await bench.ask("Two")
    assert bench.said(quiet.id).feedback == ""
    assert "AI-generated" in bench.said(quiet.id).footer


async def test_the_first_answer_of_a_thread_says_what_made_it(bench: Bench) -> None:
    first, second = await bench.ask("One"), await bench.ask("Two")
    assert bench.said(first.id).footer.startswith("AI-generated · Lead · claude-sonnet-5-5")
    assert "AI-generated" not in bench.said(second.id).footer
    assert isinstance(bench.said(second.id), Text)
