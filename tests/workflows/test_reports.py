"""Reports of the starter workflows: what they count, what they leave out, and that nothing is told where nothing is."""

from datetime import timedelta
from pathlib import Path

import pytest

from kernel.clock import FixedClock
from kernel.store import Session, Store, approvals, feedback, knowledge, runs
from tests.workflows.world import FINANCE, GENERAL, World, at, workflow

STARTERS = Path(__file__).parents[2] / "charter" / "workflows"
NOON = "2026-03-06 12:00"


def world(store: Store, name: str, **changes: str) -> World:
    text = (STARTERS / f"{name}.yaml").read_text()
    for old, new in changes.items():
        text = text.replace(old, new)
    return World(store, FixedClock(at(NOON)), workflow(text.replace("#bosun", "#general")))


async def posted(here: World, name: str) -> str:
    """What the workflow posts now; what it says instead where it posts nothing."""
    here.clock.advance(minutes=1)
    run = await here.run_now(name)
    assert run.state == runs.DONE, run.error
    posts = await here.posts()
    return posts[-1] if posts else run.answer or ""


async def called(here: World, run: runs.Run, tool: str, decision: str) -> None:
    """The run used a tool, by that verdict."""
    row = runs.Call(
        id=here.ids.new(),
        run_id=run.id,
        use_id=here.ids.new(),
        entry=2,
        agent="ops",
        tool=tool,
        arguments={},
        digest="",
        verdict={"decision": decision},
        created_at=here.clock.now(),
    )
    await here.store.write(lambda session: session.add(row))


async def test_the_week_in_decisions(store: Store) -> None:
    here = world(store, "decisions")
    assert await posted(here, "decisions") == "Nothing to report in #general: nothing was decided."
    run = await here.happened("Pay")
    for state, by in ((approvals.CONSUMED, "Bo"), (approvals.CONSUMED, "Cy"), (approvals.REJECTED, "Bo")):
        await here.asked_for(run, "Queue", state, by=by)
    await here.asked_for(run, "Waits still", approvals.PENDING)
    await called(here, run, "write_file", "allow")
    await called(here, run, "write_file", "allow")
    await called(here, run, "send_mail", "deny")
    unattended = await here.run_now("decisions")  # what a workflow here asked and did
    await here.asked_for(unattended, "Go on?", approvals.CONSUMED, by="Dee")
    await called(here, unattended, "deploy", "allow")
    secret = await here.happened("Pay", place=FINANCE)
    await called(here, secret, "fetch_page", "allow")
    text = await posted(here, "decisions")
    for line in ("- Approved: 3", "- Rejected: 1", "- Decided by Bo: 2", "- Decided by Dee: 1", "- queue_payment: 4"):
        assert line in text
    assert "**Done without asking**\n\n- write_file by ops: 2\n- deploy by ops: 1" in text
    assert "**Refused by the rules**\n\n- send_mail by ops: 1" in text
    assert "fetch_page" not in text  # of another channel


async def test_questions_and_requests_without_an_answer(store: Store) -> None:
    here = world(store, "unanswered")
    here.channels.say("#general", "Ann", "Who has the key?", at("2026-03-06 09:00"))
    here.channels.say("#general", "Bo", "Where is the printer?", at("2026-03-06 09:10"))
    here.channels.say("#general", "Cy", "I am back", at("2026-03-06 09:20"))
    here.channels.say("#general", "Eve", "Buy now?", at("2026-03-06 09:30"), outside=True)
    here.channels.answers = {"m2"}
    await here.happened("Something difficult", state=runs.FAILED)
    text = await posted(here, "unanswered")
    assert "**Questions that nobody answered** (1)\n\n- Ann, Fri 06 Mar 10:00: “Who has the key?” ([open](" in text
    assert "**Requests that failed** (1)\n\n- Ann: “Something difficult”" in text
    quiet = world(store, "unanswered")
    quiet.clock.advance(days=10)
    assert (await quiet.run_now("unanswered")).answer == "Nothing to report in #general: every question was answered."


async def opinion(here: World, run: runs.Run, person: str, reason: str | None = None) -> None:
    """Somebody says that an answer helped them, or, with a reason, that it did not."""
    here.clock.advance(seconds=1)
    said = feedback.Feedback(
        run_id=run.id, person=person, helpful=reason is None, reason=reason or "", at=here.clock.now()
    )
    await here.store.write(lambda session: feedback.say(session, said, lambda one: one == person))


async def test_answers_that_did_not_help_are_told_with_the_reason_and_without_a_name(store: Store) -> None:
    here = world(store, "unanswered")
    run, secret = await here.happened("How long do refunds take?"), await here.happened("Salaries?", place=FINANCE)
    await opinion(here, run, "bo")
    await opinion(here, run, "ann", "It is *14* days")
    await opinion(here, secret, "ann", "wrong sum")
    text = await posted(here, "unanswered")
    assert f"**Answers that did not help** (1)\n\n- “How long do refunds take?” ([{run.ref}](" in text
    assert r"): It is \*14\* days" in text
    assert not any(word in text for word in ("Ann", "Salaries", "wrong sum"))


async def test_how_many_answers_helped_by_agent(store: Store) -> None:
    here = world(store, "unanswered", unanswered="feedback")
    assert await posted(here, "feedback") == "Nothing to report in #general: nobody has said whether an answer helped."
    run, other = await here.happened("One?"), await here.happened("Two?")
    for person in ("ann", "bo", "cy"):
        await opinion(here, run, person)
    await opinion(here, other, "ann", "")
    text = await posted(here, "feedback")
    assert "**3 of 4 say that the answer helped**\n\n- Lead: 3 of 4" in text
    assert "“Two?”" in text
    assert "): no reason given" in text
    await here.store.write(lambda session: feedback.withdraw(session, other.id, lambda one: one == "ann"))
    assert "3 of 3 say" in await posted(here, "feedback")


def _document(session: Session, key: str, reader: str, age: timedelta, kind: str = "document") -> None:
    written = at(NOON) - age
    session.add(
        knowledge.DocumentRow(
            id=f"d-{key}",
            source="handbook",
            key=key,
            kind=kind,
            title=f"How to [{key}]",
            format="markdown",
            origin="member_text",
            text="",
            digest=key,
            written_at=written,
            created_at=written,
            updated_at=written,
        )
    )
    session.flush()
    session.add(knowledge.DocumentReader(document_id=f"d-{key}", reader=reader))


async def test_documents_that_are_old_and_that_the_channel_may_read(store: Store) -> None:
    here = world(store, "stale-documents")
    year, week = timedelta(days=365), timedelta(days=7)
    await store.write(lambda session: _document(session, "old", "team", year))
    await store.write(lambda session: _document(session, "own", f"channel:{GENERAL.lane}", year))
    await store.write(lambda session: _document(session, "new", "team", week))
    await store.write(lambda session: _document(session, "secret", "role:finance", year))
    await store.write(lambda session: _document(session, "memory", "team", year, "memory"))
    text = await posted(here, "stale-documents")
    assert "**Documents to look through** (2)" in text
    assert "- [How to \\[old\\]](/documents/d-old), 06 Mar 2025 (handbook)" in text
    for key in ("new", "secret", "memory"):
        assert f"d-{key}" not in text


@pytest.mark.parametrize("down", [False, True])
async def test_access_and_cost(store: Store, down: bool) -> None:
    here = world(store, "access-and-cost")
    here.rights.team.down = {"finance"} if down else set()
    run = await here.happened("A question", state=runs.FAILED)

    def cost(session: Session) -> None:
        row = session.get_one(runs.Run, run.id)
        row.cost_usd = 1.25
        session.add(row)

    await store.write(cost)
    text = await posted(here, "access-and-cost")
    assert "**Models in all:** 1.25 USD" in text
    assert "**By agent**\n\n- lead: 1.25 USD, 1 run, 1 failed" in text
    assert "**By person**\n\n- Ann: 1.25 USD, 1 run, 1 failed" in text
    assert ("- **finance**: cannot be looked up now" if down else "- **finance**: Bo, Cy") in text
    assert "- **lead**: search_knowledge" in text
    assert "**Deactivated people**\n\n- Zoe" in text
