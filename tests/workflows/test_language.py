"""The steps of the language at work: typed answers, calls, people, branches, loops, waits, failures and undoing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kernel.clock import CountedIds, FixedClock
from kernel.errors import BosunError
from kernel.store import approvals, runs, workflows
from kernel.types import Press
from tests.rules.people import account
from tests.rules.world import World as Rights
from tests.workflows.world import FINANCE, World, workflow
from workflows.engine.forms import Forms

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.store import Store

HEAD = 'name: flow\ndescription: A flow\nchannel: "#general"\n'
RULES = """
version: 1
rules:
  - id: staging
    why: A workflow deploys to staging by itself.
    tool: deploy
    args: {environment: {is: staging}}
    decision: allow
  - id: production
    why: Production is decided by finance.
    tool: deploy
    otherwise: ask
    approval: {who: finance, expires: 4h}
  - id: no-mail
    why: A workflow sends no mail.
    tool: mail
    decision: deny
"""


def world_of(store: Store, folder: Path, text: str) -> World:
    clock, ids = FixedClock(), CountedIds()
    rights = Rights(store, folder, clock=clock, ids=ids)
    rights.rules(RULES)
    return World(store, clock, workflow(HEAD + text), ids=ids, rights=rights)


async def answer(world: World, ref_of: str, text: str) -> None:
    """The agent of the only child that works answers."""
    [child] = [run for run in await world.children(ref_of) if run.state == runs.QUEUED]
    await world.end(child, runs.DONE, answer=text)
    await world.work()


# -- typed answers ------------------------------------------------------------------------------------------------

TYPED = """
inputs:
  customer: {type: text, required: true}
steps:
  - id: facts
    ask:
      agent: lead
      prompt: How much does {inputs.customer} owe?
      result: {type: object, required: [total], properties: {total: {type: number}}}
  - post: {text: "{inputs.customer} owes {steps.facts.data.total}."}
"""


async def test_an_answer_of_the_right_shape_is_used_by_later_steps(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, TYPED)
    run = await world.run_now("flow", customer="ACME")
    [child] = await world.children(run.id)
    assert child.request.startswith("How much does ACME owe?")
    assert '"total"' in child.request
    await answer(world, run.id, '```json\n{"total": 12.5}\n```')
    assert await world.posts() == ["ACME owes 12.5."]


async def test_an_answer_of_the_wrong_shape_is_asked_for_again_and_then_fails(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, TYPED)
    run = await world.run_now("flow", customer="ACME")
    await answer(world, run.id, "About twelve.")
    [_, second] = await world.children(run.id)
    assert "did not fit: it is not JSON" in second.request
    await answer(world, run.id, '{"total": "twelve"}')
    done = await world.run(run.id)
    assert done.state == runs.FAILED
    assert "total: 'twelve' is not of type 'number'" in str(done.error)


async def test_a_missing_or_odd_input_is_refused_before_anything_begins(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, TYPED.replace("{type: text, required: true}", "{type: number, required: true}"))
    for given in ({}, {"customer": "ACME"}, {"custmer": 5}):
        with pytest.raises(BosunError):
            await world.run_now("flow", **given)
    assert await world.all_runs() == []


# -- calls --------------------------------------------------------------------------------------------------------

DEPLOY = """
steps:
  - id: build
    call: {tool: deploy, agent: ops, with: {environment: staging, build: 7}}
  - post: {text: "Did: {steps.build.text}"}
"""


async def test_a_call_passes_the_door_and_its_result_goes_on(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, DEPLOY)
    run = await world.run_now("flow")
    assert run.state == runs.DONE
    assert [line.split(" ")[:3] for line in world.rights.happened] == [["deploy", "staging", "7"]]
    assert await world.posts() == ["Did: deployed"]


async def test_a_call_that_people_decide_parks_the_run_and_is_done_once(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, DEPLOY.replace("staging", "production"))
    run = await world.run_now("flow")
    assert run.state == runs.WAITING
    assert world.rights.happened == []
    [row] = store.read_now(lambda session: approvals.of_run(session, run.id))
    reply = await world.rights.vote("ann", row.ref)
    assert not reply.ok
    assert (await world.rights.vote("bo", row.ref)).ok
    await world.work()
    assert len(world.rights.happened) == 1
    assert (await world.run(run.id)).state == runs.DONE


async def test_what_the_rules_deny_fails_the_step(store: Store, tmp_path: Path) -> None:
    text = "steps:\n  - call: {tool: mail, agent: ops, with: {to: [x@y.z], body: hi}}\n"
    run = await world_of(store, tmp_path, text).run_now("flow")
    assert run.state == runs.FAILED
    assert "A workflow sends no mail" in str(run.error)


async def test_outside_text_does_not_become_trusted_by_passing_through_a_step(store: Store, tmp_path: Path) -> None:
    text = """
steps:
  - id: idea
    ask: {agent: lead, prompt: Where to?}
  - call: {tool: deploy, agent: ops, with: {environment: "{steps.idea.text}", build: 7}}
"""
    world = world_of(store, tmp_path, text)
    run = await world.run_now("flow")
    await answer(world, run.id, "production")
    [row] = store.read_now(lambda session: approvals.of_run(session, run.id))
    assert row.origins["environment"] == [["outside_text"]]
    assert row.origins["build"] == [["address_book"]] or row.origins["build"] == [["nowhere"]]


# -- people -------------------------------------------------------------------------------------------------------

FORM = """
steps:
  - id: amount
    form:
      question: How much may it cost?
      who: finance
      fields:
        - {id: most, label: At most, type: number}
        - {id: kind, label: Kind, type: choice, of: [small, large]}
      expires: 4h
  - post: {text: "{steps.amount.data.by}: {steps.amount.data.most} {steps.amount.data.kind}"}
"""


async def fill_in(world: World, who: str, **said: str) -> object:
    [row] = await world.store.read(workflows.open_forms)
    forms = Forms(world.store, world.clock, world.rights.team)
    actor = account(who)
    press = Press(subject=row.ref, verb="answer", fields=said)
    return await forms.answer(press, world.rights.team.person(actor), actor)


async def test_a_person_fills_in_a_form_and_the_run_goes_on(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, FORM)
    run = await world.run_now("flow")
    assert run.state == runs.WAITING
    with pytest.raises(BosunError, match="for finance"):
        await fill_in(world, "ann", most="5", kind="small")
    with pytest.raises(BosunError, match="should be a number"):
        await fill_in(world, "bo", most="five", kind="small")
    with pytest.raises(BosunError, match="one of small, large"):
        await fill_in(world, "bo", most="5", kind="medium")
    dialog = await fill_in(world, "bo")
    assert [field.id for field in dialog.fields] == ["most", "kind"]  # type: ignore[attr-defined]  # a Form
    await fill_in(world, "bo", most="5", kind="Small")
    await world.work()
    assert await world.posts() == ["Bo: 5 small"]


async def test_a_form_that_nobody_answers_fails_in_time_and_is_closed(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, FORM)
    run = await world.run_now("flow")
    world.clock.advance(hours=3)
    await world.wake()
    assert (await world.run(run.id)).state == runs.WAITING
    world.clock.advance(hours=1)
    await world.wake()
    assert "Nobody answered" in str((await world.run(run.id)).error)
    assert await store.read(workflows.open_forms) == []


APPROVE = """
steps:
  - id: ok
    approve: {headline: "Send {workflow.name}?", who: finance, need: 2, if_not: go_on}
  - branch:
      if: {value: "{steps.ok.data.approved}", is: true}
      then: [{post: {text: Sent}}]
      else: [{post: {text: "Not sent: {steps.ok.data.reason}"}}]
"""


async def test_people_approve_a_step(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, APPROVE)
    run = await world.run_now("flow")
    [row] = store.read_now(lambda session: approvals.of_run(session, run.id))
    assert row.preview["headline"] == "Send flow?"
    await world.rights.vote("bo", row.ref)
    assert await world.ready() == []
    await world.rights.vote("cy", row.ref)
    await world.work()
    assert "Sent" in await world.posts()


async def test_people_reject_a_step(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, APPROVE)
    run = await world.run_now("flow")
    [row] = store.read_now(lambda session: approvals.of_run(session, run.id))
    await world.rights.vote("bo", row.ref, "reject", reason="too early")
    await world.work()
    assert "Not sent: too early" in await world.posts()


# -- loops and waits ----------------------------------------------------------------------------------------------

EACH = """
steps:
  - id: names
    ask: {agent: lead, prompt: Whom?, result: {type: array, items: {type: string}}}
  - id: all
    each:
      in: "{steps.names.data}"
      as: customer
      parallel: 2
      do:
        - id: one
          ask: {agent: lead, prompt: "What of {customer}?"}
        - id: line
          post: {text: "{number}. {customer}: {steps.one.text}"}
  - post: {text: "{steps.all.text}"}
"""


async def test_a_loop_works_on_as_many_at_once_as_it_says(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, EACH)
    run = await world.run_now("flow")
    await answer(world, run.id, '["A", "B", "C"]')
    asked = [child for child in await world.children(run.id) if child.state == runs.QUEUED]
    assert [child.request for child in asked] == ["What of A?", "What of B?"]
    await world.end(asked[1], runs.DONE, answer="fine")
    await world.work()
    requests = [child.request for child in await world.children(run.id) if child.state == runs.QUEUED]
    assert requests == ["What of A?", "What of C?"]
    for child in [child for child in await world.children(run.id) if child.state == runs.QUEUED]:
        await world.end(child, runs.DONE, answer="late")
    await world.work()
    whole = "1. A: late\n2. B: fine\n3. C: late"
    assert sorted(await world.posts()) == sorted([whole, *whole.split("\n")])


@pytest.mark.parametrize(("answer_", "said"), [('"A"', "no list"), (str(list(range(60))), "more than 'at_most: 50'")])
async def test_a_loop_over_what_is_no_list_or_too_long_fails(
    store: Store, tmp_path: Path, answer_: str, said: str
) -> None:
    world = world_of(store, tmp_path, EACH.replace(", result: {type: array, items: {type: string}}", ", result: {}"))
    run = await world.run_now("flow")
    await answer(world, run.id, answer_)
    assert said in str((await world.run(run.id)).error)


async def test_a_wait_parks_until_its_time(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, "steps:\n  - wait: {for: 2h}\n  - post: {text: Now}\n")
    run = await world.run_now("flow")
    world.clock.advance(hours=1, minutes=59)
    await world.wake()
    assert (await world.run(run.id)).state == runs.WAITING
    world.clock.advance(minutes=1)
    await world.wake()
    assert await world.posts() == ["Now"]


# -- failures -----------------------------------------------------------------------------------------------------


async def fail_children(world: World, run_id: str) -> None:
    for child in await world.children(run_id):
        if child.state == runs.QUEUED:
            await world.end(child, runs.FAILED, error="no")
    await world.work()


async def test_a_step_is_done_again_after_a_pause_that_doubles(store: Store, tmp_path: Path) -> None:
    text = "steps:\n  - ask: {agent: lead, prompt: Try}\n    retry: {times: 2, wait: 5m}\n  - post: {text: Done}\n"
    world = world_of(store, tmp_path, text)
    run = await world.run_now("flow")
    for minutes in (5, 10):
        await fail_children(world, run.id)
        world.clock.advance(minutes=minutes - 1)
        await world.wake()
        assert all(child.state == runs.FAILED for child in await world.children(run.id))
        world.clock.advance(minutes=1)
        await world.wake()
    assert len(await world.children(run.id)) == 3
    await fail_children(world, run.id)
    assert (await world.run(run.id)).state == runs.FAILED


async def test_a_step_that_takes_too_long_is_given_up_and_its_agent_stopped(store: Store, tmp_path: Path) -> None:
    text = """
steps:
  - id: slow
    ask: {agent: lead, prompt: Think}
    timeout: 10m
    on_failure:
      - post: {text: "Too slow: {steps.slow.note}"}
"""
    world = world_of(store, tmp_path, text)
    run = await world.run_now("flow")
    world.clock.advance(minutes=10)
    await world.wake()
    assert await world.posts() == ["Too slow: it took longer than 10m"]
    assert (await world.run(run.id)).state == runs.DONE
    [child] = await world.children(run.id)
    assert child.stop_requested_by == "workflow:flow"


async def test_what_can_be_undone_is_undone_in_reverse_order(store: Store, tmp_path: Path) -> None:
    text = """
steps:
  - call: {tool: deploy, agent: ops, with: {environment: staging, build: 1}}
    undo: {call: {tool: deploy, agent: ops, with: {environment: staging, build: 101}}}
  - call: {tool: deploy, agent: ops, with: {environment: staging, build: 2}}
    undo: {call: {tool: deploy, agent: ops, with: {environment: staging, build: 102}}}
  - call: {tool: mail, agent: ops, with: {to: [x@y.z], body: hi}}
"""
    world = world_of(store, tmp_path, text)
    run = await world.run_now("flow")
    assert [line.split(" ")[2] for line in world.rights.happened] == ["1", "2", "102", "101"]
    assert "Undone: call-2, call." in str(run.error)


async def test_a_run_keeps_to_its_time_and_its_cost(store: Store, tmp_path: Path) -> None:
    text = "limits: {time: 1h, cost: 2}\nsteps:\n  - ask: {agent: lead, prompt: A}\n  - ask: {agent: lead, prompt: B}\n"
    world = world_of(store, tmp_path, text)
    late, dear = await world.run_now("flow"), await world.run_now("flow")
    [child] = await world.children(dear.id)
    await world.end(child, runs.DONE, answer="x", cost_usd="2.5")
    await world.work()
    assert "used up its 2.00 USD" in str((await world.run(dear.id)).error)
    world.clock.advance(hours=1)
    await world.wake()
    assert "took longer than 1h" in str((await world.run(late.id)).error)
    [child] = await world.children(late.id)
    assert child.stop_requested_by


# -- what connects runs -------------------------------------------------------------------------------------------


async def test_a_workflow_starts_another_and_uses_what_it_gave(store: Store, tmp_path: Path) -> None:
    world = world_of(
        store,
        tmp_path,
        'steps:\n  - start: {workflow: inner, inputs: {who: Ann}}\n  - post: {text: "{steps.start.text}!"}\n',
    )
    inner = HEAD.replace("flow", "inner") + "inputs: {who: {}}\nsteps:\n  - post: {text: 'Hello {inputs.who}'}\n"
    world.workflows["inner"] = workflow(inner)
    await world.run_now("flow")
    assert sorted(await world.posts()) == ["Hello Ann", "Hello Ann!"]


async def test_the_end_of_one_begins_another(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, "steps:\n  - call: {tool: mail, agent: ops, with: {to: [x@y.z], body: hi}}\n")
    text = HEAD.replace("flow", "watch") + (
        "trigger: {after: {workflow: flow, ended: [failed]}}\nsteps:\n  - post: {text: 'Look: {trigger.by}'}\n"
    )
    world.workflows["watch"] = workflow(text)
    run = await world.run_now("flow")
    assert await world.posts() == [f"Look: {run.ref}"]
    assert "**flow** did not finish" in (await world.posts(FINANCE))[0]


async def test_a_run_reads_what_the_run_before_gave(store: Store, tmp_path: Path) -> None:
    text = 'steps:\n  - ask: {agent: lead, prompt: "Before: {history.text}"}\n  - post: {text: "{steps.ask.text}"}\n'
    world = world_of(store, tmp_path, text)
    for before, said in (("", "one"), ("one", "two"), ("two", "three")):
        world.clock.advance(hours=1)
        run = await world.run_now("flow")
        [child] = await world.children(run.id)
        assert child.request == f"Before: {before}".strip()
        await answer(world, run.id, said)


async def test_a_correction_is_given_to_the_next_run_with_its_source(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, "steps:\n  - ask: {agent: lead, prompt: Sum up}\n")
    row = workflows.Correction(
        id="c1", workflow="flow", run_ref="R-1", text="Amounts in EUR", by="bo", by_name="Bo", at=world.clock.now()
    )
    await store.write(lambda session: workflows.correct(session, row))
    run = await world.run_now("flow")
    [child] = await world.children(run.id)
    assert "Bo, 2026-" in child.request
    assert "Amounts in EUR" in child.request


# -- overlap ------------------------------------------------------------------------------------------------------

SLOW = 'overlap: POLICY\ntrigger: {every: 1h}\nsteps:\n  - wait: {for: 90m}\n  - post: {text: "{trigger.text}"}\n'


@pytest.mark.parametrize(("policy", "begun"), [("queue", 4), ("skip", 2), ("replace", 4)])
async def test_firings_that_overlap_do_what_the_file_says(
    store: Store, tmp_path: Path, policy: str, begun: int
) -> None:
    world = world_of(store, tmp_path, SLOW.replace("POLICY", policy))
    await world.scheduler.ring()
    for _ in range(4 * 60):
        world.clock.advance(minutes=1)
        await world.scheduler.ring()
        await world.wake()
    for _ in range(8 * 60):  # nothing fires any more; what waits comes in its turn
        world.clock.advance(minutes=1)
        await world.wake()
    everything = await world.all_runs()
    assert len(everything) == begun
    stopped = [run for run in everything if run.state == runs.STOPPED]
    assert len(stopped) == (3 if policy == "replace" else 0)


async def test_a_paused_workflow_records_what_it_leaves_out(store: Store, tmp_path: Path) -> None:
    world = world_of(store, tmp_path, 'trigger: {every: 1h}\nsteps:\n  - post: {text: "x"}\n')
    await world.scheduler.ring()
    await store.write(lambda session: workflows.pause(session, "flow", "ann", world.clock.now()))
    world.clock.advance(hours=1)
    await world.scheduler.ring()
    assert await world.all_runs() == []
    assert [row.state for row in await world.firings("flow")] == ["paused"]
    await store.write(lambda session: workflows.resume(session, "flow"))
    world.clock.advance(hours=1)
    await world.scheduler.ring()
    assert len(await world.all_runs()) == 1
