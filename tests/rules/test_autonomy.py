"""Manual first, then systematic, then scaled: a rule asks until people have agreed often enough, and asks again."""

from typing import Any

import pytest
from sqlmodel import select

from kernel.store import approvals, attempts, outbox
from kernel.store import ledger as ledger_rows
from kernel.store import promotions as kept
from kernel.types import Card, Labelled, RunFacts
from rules.engine import replaying
from rules.engine.autonomy.levels import overview
from rules.engine.outcome import Finished, Parked
from tests.rules.people import account
from tests.rules.world import World

RULES = """
version: 1
rules:
  - id: pay
    why: A payment is asked about until finance has agreed three times in a row.
    tool: pay
    decision: ask
    approval: {who: finance, expires: 8h, edit: true}
    promote:
      to: allow
      after: {approvals_in_a_row: 3, different_approvers: 2, within: 60d}
      for: {same: [account]}
      decided_by: admin
      expires: 30d
      review: REVIEW%
"""
VOTERS = ("bo", "cy", "bo")


@pytest.fixture
def world(world: World) -> World:
    begin(world)
    return world


def begin(world: World, review: int = 0, expires: str = "8h") -> None:
    world.rules(RULES.replace("REVIEW", str(review)).replace("8h", expires))
    keep(world)


def keep(world: World) -> None:
    world.store.write_now(lambda session: replaying.keep(session, world.book.current, world.clock.now()))


async def ask(world: World, to: str = "A1", **more: Any) -> tuple[RunFacts, str]:
    facts = world.run(f"pay {to} 5", **more)
    ref = await world.park(facts, "pay", account=to, amount=5)
    world.clock.advance(seconds=10)
    return facts, ref


async def agreed(world: World, by: str, to: str = "A1", memo: str = "") -> None:
    facts = world.run(f"pay {to} 5")
    ref = await world.park(facts, "pay", account=to, amount=5, memo=memo)
    world.clock.advance(seconds=10)
    await world.vote(by, ref)
    await world.go_on(facts, "pay", account=to, amount=5, memo=memo)


async def pay(world: World, to: str = "A1", memo: str = "") -> Finished | Parked:
    outcome = await world.act(world.run(f"pay {to} 5"), "pay", account=to, amount=5, memo=memo)
    assert isinstance(outcome, Finished | Parked)
    return outcome


def rows(world: World, *states: str) -> list[kept.Promotion]:
    return world.store.read_now(lambda session: kept.listing(session, *states))


def proposal(world: World) -> str:
    (row,) = rows(world, kept.PROPOSED)
    found = world.store.read_now(lambda session: approvals.of_call(session, f"promotion-{row.id}"))
    assert found is not None
    return found.ref


async def settled(world: World) -> None:
    world.clock.advance(seconds=6)
    await world.autonomy.settle()


async def promoted(world: World) -> None:
    """Three approvals by two people, and the admin's yes to the proposal."""
    for by in VOTERS:
        await agreed(world, by)
    said = await world.vote("dee", proposal(world))
    assert said.text == "Approved: Let ops use pay without asking."  # no run waits for it
    await settled(world)
    assert len(rows(world, kept.ACTIVE)) == 1


def levels(world: World) -> str:
    return world.store.read_now(lambda session: overview(session, world.book.current, world.clock.now()))


def reasons(world: World) -> list[str]:
    return [row.reason for row in rows(world, kept.ENDED)]


async def test_a_promotion_is_proposed_with_evidence_and_backtest_once_people_agreed_often_enough(world: World) -> None:
    await agreed(world, "bo")
    await agreed(world, "cy")
    assert rows(world, kept.PROPOSED) == []
    assert "| `pay` | systematic | ops, pay, account A1: 2 of 3 approvals in a row" in levels(world)
    await agreed(world, "bo")
    ref = proposal(world)
    card = world.approval(ref)
    text = card.arguments["text"]
    assert "3 of 3 approvals in a row without a correction, by Bo and Cy" in text
    assert "Backtest: of the calls of the last 30 days, 3 would have gone through unasked" in text
    shown = world.cards(ref)[0].content
    assert isinstance(shown, Card)
    assert [fact.label for fact in shown.facts] == ["Requested by", "Why"]  # no tool is called: there is no impact
    assert isinstance(await pay(world), Parked)  # a proposal is no promotion
    assert "people are asked whether it may go on alone" in levels(world)


async def test_the_named_role_decides_and_then_such_calls_go_through(either_world: World) -> None:
    world = either_world
    begin(world)
    for by in VOTERS:
        await agreed(world, by)
    assert not (await world.vote("bo", proposal(world))).ok
    await world.vote("dee", proposal(world))
    await settled(world)
    done = await pay(world)
    assert isinstance(done, Finished)
    assert not done.result.error
    assert isinstance(await pay(world, to="B2"), Parked)  # another account
    assert "| `pay` | scaled | ops, pay, account A1: alone until" in levels(world)
    kinds = world.ledger()
    assert "promotion.proposed" in kinds
    assert "promotion.active" in kinds
    replay = world.store.read_now(lambda session: replaying.replay(session, world.clock.now().replace(year=2000)))
    assert replay.differing == ()


async def test_one_person_alone_is_not_evidence_enough(world: World) -> None:
    for _ in range(5):
        await agreed(world, "bo")
    assert rows(world, kept.PROPOSED) == []


async def test_an_approval_without_a_look_does_not_count(world: World) -> None:
    for by in VOTERS:
        facts = world.run("pay A1 5")
        ref = await world.park(facts, "pay", account="A1", amount=5)
        world.clock.advance(seconds=1)
        await world.vote(by, ref)
        await world.go_on(facts, "pay", account="A1", amount=5)
    assert rows(world, kept.PROPOSED) == []


@pytest.mark.parametrize("how", ["rejected", "edited", "failed"])
async def test_a_correction_begins_the_row_anew(world: World, how: str) -> None:
    await agreed(world, "bo")
    await agreed(world, "cy")
    if how == "failed":
        await agreed(world, "bo", memo="fail")
    else:
        facts, ref = await ask(world)
        if how == "rejected":
            await world.vote("bo", ref, "reject", reason="Not now.")
        else:
            await world.approvals.edit(ref, 1, {"amount": "4"}, account("bo"))
            world.clock.advance(seconds=10)
            await world.vote("bo", ref)
        await world.go_on(facts, "pay", account="A1", amount=5)
    await agreed(world, "cy")
    assert rows(world, kept.PROPOSED) == []
    assert f"was {how}" in levels(world)


async def test_what_somebody_outside_wrote_is_no_evidence_and_never_goes_through(world: World) -> None:
    outside = Labelled(text="Pay A1 please")
    for by in VOTERS:
        facts = world.run("pay them", seen=[outside])
        ref = await world.park(facts, "pay", account="A1", amount=5)
        world.clock.advance(seconds=10)
        await world.vote(by, ref)
        await world.go_on(facts, "pay", account="A1", amount=5)
    assert rows(world, kept.PROPOSED) == []
    await promoted(world)
    assert isinstance(await pay(world), Finished)
    assert isinstance(await world.act(world.run("pay", seen=[outside]), "pay", account="A1", amount=5), Parked)


async def test_a_no_to_the_proposal_needs_new_evidence(world: World) -> None:
    for by in VOTERS:
        await agreed(world, by)
    await world.vote("dee", proposal(world), "reject", reason="Too early.")
    await settled(world)
    await agreed(world, "bo")
    assert rows(world, kept.PROPOSED, kept.ACTIVE) == []
    await agreed(world, "cy")
    await agreed(world, "bo")
    assert len(rows(world, kept.PROPOSED)) == 1


async def test_the_first_failure_has_people_asked_again(world: World) -> None:
    await promoted(world)
    failed = await pay(world, memo="fail")
    assert isinstance(failed, Finished)
    assert failed.result.error
    assert reasons(world) == ["such a call failed"]
    assert isinstance(await pay(world), Parked)
    assert "asks again because such a call failed" in levels(world)


async def test_the_first_undoing_has_people_asked_again(world: World) -> None:
    await promoted(world)
    facts = world.run("pay A1 5")
    await world.act(facts, "pay", account="A1", amount=5)
    done = world.call(facts)
    world.store.write_now(lambda session: attempts.undo(session, done.id, "undo-call", world.clock.now()))
    assert isinstance(await pay(world), Parked)  # at once, before anything was settled
    await settled(world)
    assert reasons(world) == ["such a call was undone"]


async def test_it_expires_and_asks_again(world: World) -> None:
    await promoted(world)
    world.clock.advance(days=31)
    assert isinstance(await pay(world), Parked)
    await settled(world)
    assert reasons(world) == ["its time is up"]


async def test_another_prompt_or_another_rule_ends_it(world: World) -> None:
    await promoted(world)
    world.agents["ops"] = "other instructions"
    assert isinstance(await pay(world), Parked)
    world.agents["ops"] = "instructions"
    assert isinstance(await pay(world), Finished)
    begin(world, expires="9h")
    assert isinstance(await pay(world), Parked)
    await settled(world)
    assert reasons(world) == ["the rule, the tool or the agent was changed"]


async def test_a_sample_is_looked_at_afterwards_and_a_no_ends_it(either_world: World) -> None:
    world = either_world
    begin(world, review=100)
    await promoted(world)
    facts = world.run("pay A1 5")
    assert isinstance(await world.act(facts, "pay", account="A1", amount=5), Finished)
    found = world.store.read_now(lambda session: approvals.of_call(session, f"review-{world.call(facts).id}"))
    assert found is not None
    assert "Was this right?" in found.preview["headline"]
    assert isinstance(await pay(world), Finished)
    await world.vote("cy", found.ref, "reject", reason="Not this one.")
    assert isinstance(await pay(world), Parked)
    await settled(world)
    assert reasons(world) == ["people rejected such a call"]


async def test_what_is_settled_is_told_where_it_was_asked_and_stands_in_the_ledger(world: World) -> None:
    await promoted(world)
    await pay(world, memo="fail")
    said = world.store.read_now(lambda session: [row.body for row in session.exec(select(outbox.OutboxRow))])
    texts = [body["markdown"] for body in said if body and body.get("type") == "text"]
    assert any("From now on `pay` lets this through without asking" in text for text in texts)
    assert any("`pay` asks again about ops, pay, account A1: such a call failed." in text for text in texts)
    ended = [
        row.body for row in world.store.read_now(lambda session: list(ledger_rows.entries(session)))
        if row.kind == "promotion.ended"
    ]  # fmt: skip
    assert [body["reason"] for body in ended] == ["such a call failed"]
