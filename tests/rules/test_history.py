"""What was decided can be repeated as it was; other rules are tried on it before they are in force."""

import json
from typing import Any

import pytest
from sqlmodel import col, select

from kernel import ledger
from kernel.errors import CharterError
from kernel.store import ledger as ledger_rows
from kernel.store import past_calls, runs
from kernel.types import Labelled
from rules.engine import replaying
from rules.engine.backtesting import Backtest, backtest, trials
from rules.engine.drafts import read_draft, with_draft
from tests.rules.people import account
from tests.rules.world import RULES, World, known


def keep(world: World) -> None:
    world.store.write_now(lambda session: replaying.keep(session, world.book.current, world.clock.now()))


def replayed(world: World) -> replaying.Replay:
    begin = world.clock.now().replace(year=2000)
    return world.store.read_now(lambda session: replaying.replay(session, begin))


def compared(world: World, draft: str) -> Backtest:
    other = with_draft(world.book.current, read_draft(draft, known()))
    begin = world.clock.now().replace(year=2000)
    return world.store.read_now(
        lambda session: backtest(world.book.current, other, past_calls.since(session, begin), days=30)
    )


async def some_history(world: World) -> None:
    """Small and large payments, one of them typed; mail; a denied one."""
    for number, (account_, amount) in enumerate([("A1", 50), ("A1", 80), ("B2", 300), ("EMBARGO", 5)]):
        facts = world.run(f"pay {account_} {amount}")
        await world.act(facts, "pay", f"u{number}", account=account_, amount=amount)
    outside = world.run("mail them", seen=[Labelled(text="eve@evil.io")])
    await world.act(outside, "mail", "u9", to=["eve@evil.io"], body="Hello")
    await world.act(world.run("look"), "look", "u8", text="x")


async def test_every_decision_comes_out_again_as_it_was_recorded(either_world: World) -> None:
    world = either_world
    keep(world)
    await some_history(world)
    world.rules(RULES.replace("at_most: 100", "at_most: 10"))
    keep(world)
    await some_history(world)
    found = replayed(world)
    assert (found.decisions, found.differing, found.unknown) == (12, (), 0)
    assert "12 decisions, 12 of them come out as they were recorded, bit for bit." in found.text


async def test_a_call_that_was_edited_keeps_the_decision_about_what_was_done(world: World) -> None:
    keep(world)
    facts = world.run("pay B2 300")
    ref = await world.park(facts, "pay", account="B2", amount=300)
    await world.approvals.edit(ref, 1, {"amount": "200"}, account("bo"))
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    await world.go_on(facts, "pay", account="B2", amount=300)
    assert world.call(facts).arguments["amount"] == 200
    assert replayed(world).differing == ()


async def test_what_the_rules_said_when_an_approved_call_began_is_repeated_as_well(world: World) -> None:
    keep(world)
    facts = world.run("pay B2 300")
    ref = await world.park(facts, "pay", account="B2", amount=300)
    world.clock.advance(hours=1)
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    await world.go_on(facts, "pay", account="B2", amount=300)
    found = replayed(world)
    assert (found.decisions, found.differing) == (2, ())
    stored = world.call(facts).verdict
    assert stored["context"]["now"] != stored["begun"]["context"]["now"]


async def test_a_decision_that_was_tampered_with_is_found(world: World) -> None:
    keep(world)
    await some_history(world)

    def tamper(session: Any) -> None:
        row = session.exec(select(runs.Call).where(col(runs.Call.tool) == "mail")).one()
        row.verdict = json.loads(json.dumps({**row.verdict, "decision": "allow"}))
        session.add(row)

    world.store.write_now(tamper)
    (line,) = replayed(world).differing
    assert "`mail` was allow, and comes out as ask" in line


async def test_rules_that_were_not_kept_are_said_so(world: World) -> None:
    await some_history(world)
    assert "6 were made under rules that were not kept" in replayed(world).text


async def test_the_ledger_says_which_rules_came_into_force_and_what_changed(world: World) -> None:
    keep(world)
    keep(world)
    world.rules(RULES.replace("at_most: 100", "at_most: 10").replace("id: peek", "id: look-in"))
    keep(world)
    entries = world.store.read_now(lambda session: [(row.kind, row.body) for row in ledger_rows.entries(session)])
    (_, first), (_, second) = [entry for entry in entries if entry[0] == "rules.in_force"]
    assert len(first["added"]) == 7
    assert (second["added"], second["removed"], second["changed"]) == (["look-in"], ["peek"], ["pay-small"])
    assert world.store.read_now(ledger.verify).ok


async def test_a_backtest_says_what_would_be_newly_silent_asked_and_denied(world: World) -> None:
    await some_history(world)
    draft = """
      - {id: pay-large, why: L., tool: pay, args: {account: {from: typed}, amount: {at_most: 500}}, decision: allow}
      - {id: pay-small, why: S., tool: pay, args: {amount: {at_most: 60}}, decision: ask, approval: {who: finance}}
      - {id: no-mail, why: M., tool: mail, decision: deny}
    """
    found = compared(world, draft)
    assert found.calls == 6
    assert [(each.kind, each.tool, each.before, each.after) for each in found.differences] == [
        ("silent", "pay", "ask by pay-two", "allow by pay-large"),
        ("asked", "pay", "allow by pay-small", "ask by pay-small"),
        ("denied", "mail", "ask by mail-outside", "deny by no-mail"),
    ]
    assert "**Newly silent**: 1" in found.text
    (run,) = found.differences[0].runs
    assert run.startswith("R-")
    assert "6 calls of the last 30 days were decided again." in found.text


async def test_a_backtest_of_the_same_rules_changes_nothing(world: World) -> None:
    await some_history(world)
    found = compared(world, "{id: peek, why: P., tool: peek, decision: allow}")
    assert (found.differences, found.policies) == ((), 0)
    assert "**Newly silent**: nothing" in found.text


async def test_a_draft_that_names_what_does_not_exist_is_refused_with_line_and_suggestion(world: World) -> None:
    with pytest.raises(CharterError, match=r"draft:2: unknown tool 'paay' \(did you mean 'pay'\?\)"):
        read_draft("id: x\ntool: paay\nwhy: W.\ndecision: deny", known())
    with pytest.raises(CharterError, match="draft:1: there is no rule in it"):
        read_draft("version: 1", known())
    with pytest.raises(CharterError, match="stands here twice"):
        read_draft("- {id: x, why: W., decision: deny}\n- {id: x, why: W., decision: deny}", known())
    assert [rule.id for rule in read_draft("```yaml\nid: x\nwhy: W.\ndecision: deny\n```", known()).rules] == ["x"]


async def test_a_rule_that_only_logs_has_no_effect_and_shows_what_it_would_have_changed(world: World) -> None:
    silent = "  - {id: no-look, why: L., tool: look, decision: deny, log_only: true}\n"
    world.rules(RULES + silent)
    keep(world)
    await some_history(world)
    assert world.happened[-1] == "look x"
    begin = world.clock.now().replace(year=2000)
    said = world.store.read_now(lambda session: trials(past_calls.since(session, begin)))
    assert "`no-look`: 1 calls, deny instead of allow (R-" in said
    assert replayed(world).differing == ()
