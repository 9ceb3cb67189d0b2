"""Steps that wait, fail, are stopped, are retried, and a process that dies between any two of them."""

from kernel.clock import FixedClock
from kernel.store import Session, Store, runs
from tests.workflows.world import FINANCE, World, starter, workflow
from workflows.engine import history

ASKING = """
name: asking
description: An agent sums up
channel: "#general"
steps:
  - id: facts
    collect: {if_empty: go_on}
  - id: summary
    ask: {agent: lead, prompt: Sum it up., reads: [facts]}
  - id: post
    post: {text: "{steps.summary.text} / {steps.facts.text}"}
"""


async def test_an_agent_is_asked_in_a_run_of_its_own_and_its_answer_is_used(store: Store) -> None:
    world = World(store, FixedClock(), workflow(ASKING))
    await world.happened("A question")
    run = await world.run_now("asking")
    assert run.state == runs.WAITING
    [child] = await world.children(run.id)
    assert (child.agent, child.requester, child.workflow, child.conversation_id) == (
        "lead",
        "workflow:asking",
        "asking",
        None,
    )
    [request] = await store.read(lambda session: runs.transcript(session, child.id))
    assert request.content["text"] == "Sum it up."  # what others wrote is context, never part of the prompt
    assert "A question" in request.content["context"][0]["text"]
    await world.end(child, runs.DONE, answer="One question. {steps.facts.text}")
    await world.work()
    [text] = await world.posts()
    assert text.startswith("One question. {steps.facts.text} / **Asked and done**")
    assert (await world.run(run.id)).state == runs.DONE


async def test_an_optional_step_is_left_out_without_a_model_and_when_it_fails(store: Store) -> None:
    world = World(store, FixedClock(), starter())
    await world.happened("A question")
    run = await world.run_now("digest")
    assert run.state == runs.DONE
    assert await world.children(run.id) == []
    world.clock.advance(hours=1)
    world.has_model = True
    await world.happened("Another question")
    run = await world.run_now("digest")
    [child] = await world.children(run.id)
    await world.end(child, runs.FAILED, error="the model is away")
    await world.work()
    assert (await world.run(run.id)).state == runs.DONE
    assert "Another question" in (await world.posts())[1]


async def test_a_step_that_fails_fails_the_run_tells_the_operators_and_can_be_retried(store: Store) -> None:
    world = World(store, FixedClock(), workflow(ASKING))
    run = await world.run_now("asking")
    [child] = await world.children(run.id)
    await world.end(child, runs.FAILED, error="the model is away")
    await world.work()
    run = await world.run(run.id)
    assert run.state == runs.FAILED
    [told] = await world.posts(FINANCE)
    assert "**asking** did not finish: summary: lead did not answer" in told
    assert "the model is away" in told
    assert await world.posts() == []

    await store.write(lambda session: runs.next_segment(session, run.id, world.clock.now(), from_states=(runs.FAILED,)))
    await world.work()
    assert (await world.run(run.id)).state == runs.WAITING
    assert (await world.run(child.id)).state == runs.QUEUED  # the same run, continued
    await world.end(child, runs.DONE, answer="Nothing new.")
    await world.work()
    assert (await world.run(run.id)).state == runs.DONE
    assert await world.posts() == ["Nothing new. /"]


async def test_a_step_that_fails_can_be_skipped(store: Store) -> None:
    world = World(store, FixedClock(), workflow(ASKING))
    run = await world.run_now("asking")
    [child] = await world.children(run.id)
    await world.end(child, runs.FAILED, error="the model is away")
    await world.work()

    def skip(session: Session) -> str:
        found = history.skip(session, run.id, "Dee", world.clock.now())
        runs.next_segment(session, run.id, world.clock.now(), from_states=(runs.FAILED,))
        return found

    assert await store.write(skip) == "summary"
    await world.work()
    assert (await world.run(run.id)).state == runs.DONE
    assert (await world.run(child.id)).state == runs.FAILED
    assert await world.posts() == ["/"]
    assert await store.write(lambda session: history.skip(session, run.id, "Dee", world.clock.now())) == ""


async def test_a_stop_reaches_the_agent_too(store: Store) -> None:
    world = World(store, FixedClock(), workflow(ASKING))
    run = await world.run_now("asking")
    [child] = await world.children(run.id)

    def stop(session: Session) -> None:
        row = session.get_one(runs.Run, run.id)
        row.stop_requested_by = "dee"
        session.add(row)
        session.flush()
        runs.next_segment(session, run.id, world.clock.now())

    await store.write(stop)
    await world.work()
    assert (await world.run(run.id)).state == runs.STOPPED
    assert (await world.run(child.id)).stop_requested_by == "dee"
    assert await world.posts() == []


async def test_a_segment_that_runs_again_does_nothing_twice(store: Store) -> None:
    world = World(store, FixedClock(), workflow(ASKING))
    run = await world.run_now("asking")
    [child] = await world.children(run.id)
    await world.runner.segment(run.id, 1)  # a zombie: the segment is over
    assert len(await world.children(run.id)) == 1
    await world.end(child, runs.DONE, answer="Yes.")
    [(_, segment)] = await world.ready()
    await world.runner.segment(run.id, segment)
    await world.runner.segment(run.id, segment)
    await world.runner.segment(run.id, 1)
    assert len(await world.posts()) == 1


async def test_a_run_finishes_as_it_was_begun_when_the_charter_changes(store: Store) -> None:
    world = World(store, FixedClock(), workflow(ASKING))
    run = await world.run_now("asking")
    world.workflows = {}
    [child] = await world.children(run.id)
    await world.end(child, runs.DONE, answer="Yes.")
    await world.work()
    assert await world.posts() == ["Yes. /"]


async def test_an_unknown_failure_is_told_without_its_details(store: Store) -> None:
    world = World(store, FixedClock(), workflow(ASKING))
    begun = await store.write(lambda session: world.launch.run_now(session, "asking"))
    await world.runner.broken(begun.id, 1, ZeroDivisionError("secret detail"))
    assert (await world.run(begun.id)).state == runs.FAILED
    [told] = await world.posts(FINANCE)
    assert "an error inside Bosun" in told
    assert "secret" not in told
