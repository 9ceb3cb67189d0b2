"""A dry run says what would happen and does nothing; what nobody can know before is shown as such."""

import pytest
from sqlmodel import select

from kernel.clock import FixedClock
from kernel.store import Store, runs
from kernel.store.outbox import OutboxRow
from kernel.types import Person
from tests.workflows.world import GENERAL, World, at, starter, workflow
from workflows.engine.rehearsal import Rehearsal, Rehearser

PAY = """
name: pay
description: Pays
channel: "#general"
trigger: {cron: "0 3 * * *"}
steps:
  - wait: {at: "04:30"}
  - {id: small, call: {tool: pay, agent: ops, with: {account: CH1, amount: 5}}}
  - {id: never, call: {tool: pay, agent: ops, with: {account: EMBARGO, amount: 5}}}
  - {id: staged, call: {tool: deploy, agent: ops, with: {environment: staging, build: 7}}}
  - approve: {headline: Go on, who: [finance, interns]}
"""
CHOICE = """
name: choice
description: Chooses
channel: "#general"
steps:
  - {id: facts, ask: {agent: lead, prompt: "How many?", result: {type: object, properties: {count: {}}}}}
  - branch:
      if: {value: "{steps.facts.data.count}", at_least: 3}
      then:
        - post: {text: "Many: {steps.facts.data.count}"}
      else:
        - each: {in: [a, b], do: [{post: {text: "{item}"}}]}
  - branch:
      if: {value: yes, is: yes}
      then: [{post: {text: certain}}]
      else: [{post: {text: never}}]
"""

ASKING = """
name: asking
description: Asks
channel: "#general"
steps:
  - ask: {agent: ops, prompt: Look after it}
"""


async def rehearsed(world: World, name: str, when: str) -> Rehearsal:
    return await Rehearser(world.situation).rehearse(world.workflows[name], GENERAL, at(when))


async def test_each_step_says_when_it_would_come_and_what_the_rules_would_say(store: Store) -> None:
    world = World(store, FixedClock(at("2026-03-02 12:00")), workflow(PAY))
    night = {"time_zone": "Europe/Zurich", "quiet": (20 * 60, 8 * 60)}
    team = world.rights.team.people
    team["bo"] = team["bo"].model_copy(update=night)
    team["cy"] = Person(id="cy", name="Cy", time_zone="Asia/Tokyo", quiet=(20 * 60, 8 * 60))
    found = await rehearsed(world, "pay", "2026-03-03 02:00")
    wait, small, never, staged, approve = found.lines
    assert wait.says == "wait until Tue 03 Mar 04:30"
    assert f"{small.at:%H:%M}" == "03:30"  # UTC
    assert "2 of finance" in small.says
    assert small.who == "available then: Cy (12:30); not then: Bo (04:30, quiet hours)"
    assert never.refused
    assert "Nobody pays the embargoed" in never.says
    assert "without asking" in staged.says
    assert approve.who == "available then: Cy (12:30), Ida (04:30); not then: Bo (04:30, quiet hours)"
    said = found.in_words()
    assert "2 steps would ask people" in said
    assert "The rules would refuse a step" in said
    assert await store.read(lambda session: (runs.listing(session), list(session.exec(select(OutboxRow))))) == ([], [])


async def test_a_role_that_cannot_be_looked_up_is_named(store: Store) -> None:
    world = World(store, FixedClock(), workflow(PAY))
    world.rights.team.down = {"interns"}
    found = await rehearsed(world, "pay", "2026-03-03 02:00")
    assert "cannot be looked up: interns" in found.lines[-1].who


async def test_where_it_depends_on_an_answer_both_ways_are_shown(store: Store) -> None:
    world = World(store, FixedClock(), workflow(CHOICE))
    found = await rehearsed(world, "choice", "2026-03-03 02:00")
    asked = found.lines[0].says
    assert asked.startswith("ask the agent lead: “How many?”")
    assert [(line.depth, line.says, line.text) for line in found.lines] == [
        (0, asked, ""),
        (0, "if {steps.facts.data.count} is at least 3 (which depends on what is not known yet)", ""),
        (1, "(then) post this in #general:", "Many: ⟨what facts gives⟩"),
        (1, "(else) for every item of a, b", ""),
        (2, "(0) post this in #general:", "a"),
        (2, "(1) post this in #general:", "b"),
        (0, "if yes is yes", ""),
        (1, "(then) post this in #general:", "certain"),
    ]
    assert "It would ask nobody. One more may, by what its agent does." in found.in_words()


async def test_of_an_agent_it_says_which_tools_would_ask_whom_at_that_hour(store: Store) -> None:
    world = World(store, FixedClock(), workflow(ASKING))
    world.rights.team.people["cy"] = Person(id="cy", name="Cy", time_zone="Asia/Tokyo", quiet=(20 * 60, 8 * 60))
    found = await rehearsed(world, "asking", "2026-03-03 02:00")
    (line,) = found.lines
    assert "It may use look, peek without asking" in line.says
    assert "2 of finance, not the requester would be asked before pay (by what it says)" in line.says
    assert line.who == "available then: Bo (03:00), Cy (11:00), Dee (03:00)"
    (later,) = (await rehearsed(world, "asking", "2026-03-03 12:00")).lines
    assert later.who == "available then: Bo (13:00), Dee (13:00); not then: Cy (21:00, quiet hours)"


@pytest.mark.parametrize("busy", [True, False])
async def test_what_can_be_read_is_read(store: Store, busy: bool) -> None:
    world = World(store, FixedClock(at("2026-03-02 12:00")), starter())
    if busy:
        await world.happened("How long do refunds take?")
    world.clock.advance(minutes=1)
    found = await rehearsed(world, "digest", "2026-03-02 12:01")
    assert ("How long do refunds take?" in found.in_words()) is busy
    assert ("Nothing to report" in found.in_words()) is not busy
    assert len(found.lines) == (3 if busy else 1)


async def test_for_a_time_to_come_what_the_chat_will_hold_is_not_known(store: Store) -> None:
    world = World(store, FixedClock(at("2026-03-02 12:00")), starter())
    later = at("2026-03-03 08:00")
    found = await Rehearser(world.situation).rehearse(world.workflows["digest"], GENERAL, later, reading=False)
    assert [line.says[:12] for line in found.lines] == ["read what ha", "left out: no", "post a diges"]
