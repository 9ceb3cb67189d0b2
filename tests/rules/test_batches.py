"""Several calls on one card: each keeps its own digest, its own votes and its own execution, on every copy."""

from typing import Any

import pytest

from kernel.errors import BosunError, NotAllowed, OutOfDate
from kernel.store import approvals as rows
from kernel.types import Card, Form, Place, Press, RunFacts
from rules.engine.outcome import Parked
from tests.rules.people import account
from tests.rules.world import World, failure, result

BATCH = """
version: 1
rules:
  - id: pay-together
    why: Finance looks at the payments of one request together.
    tool: pay
    otherwise: ask
    approval: {who: finance, where: "#finance", expires: 4h, edit: true, batchable: true}
  - id: mail-alone
    why: Mail is looked at one by one.
    tool: mail
    otherwise: ask
    approval: {who: finance}
"""
TWO = BATCH.replace("who: finance, where", "who: [finance, legal], need: 2, where")
PAID = [("u1", "DE1", 10.0), ("u2", "DE2", 20.5), ("u3", "DE3", 30.0)]


async def asked(world: World, text: str = BATCH, **more: Any) -> tuple[list[str], RunFacts]:
    """Three payments of one answer of the model, handed in side by side."""
    world.rules(text)
    facts = world.run("pay the three invoices", **more)
    refs = [await one(world, facts, use, to, amount) for use, to, amount in PAID]
    world.wait(facts)
    return refs, facts


async def one(world: World, facts: RunFacts, use: str, to: str, amount: float, **more: Any) -> str:
    outcome = await world.act(facts, "pay", use, account=to, amount=amount, **more)
    assert isinstance(outcome, Parked), outcome
    return outcome.refs[0]


def batch(world: World, ref: str) -> str:
    return world.approval(ref).batch


def copies(world: World, ref: str) -> list[Card]:
    """Every copy of the common card; all are alike."""
    found = [copy.content for copy in world.cards(batch(world, ref))]
    assert all(copy == found[0] for copy in found)
    return [copy for copy in found if isinstance(copy, Card)]


def common(world: World, ref: str) -> Card:
    return copies(world, ref)[0]


async def press(world: World, ref: str, verb: str, who: str, *seen: int, **fields: str) -> Form | str:
    """Press a button of the common card as it stands, or of an older one; `fields`: submit its dialog."""
    action = next(iter(common(world, ref).actions))
    revision = seen[0] if seen else action.revision
    made = Press(subject=batch(world, ref), revision=revision, verb=verb, fields=fields)
    return await world.approvals.answer(made, account(who))


async def paid(world: World, facts: RunFacts) -> list[str]:
    """The next segment hands in the same calls; what was really paid."""
    for use, to, amount in PAID:
        await world.go_on(facts, "pay", use, account=to, amount=amount)
    return world.happened


async def test_the_calls_of_one_answer_stand_on_one_card_with_every_one_in_full(world: World) -> None:
    refs, _ = await asked(world)
    assert len({batch(world, ref) for ref in refs}) == 1
    assert [len(world.cards(ref)) for ref in refs] == [0, 0, 0]
    card, *others = copies(world, refs[0])
    assert len(others) == 1  # the thread and #finance
    assert card.headline == "Pay, 3 times: amount 60.5 in all"
    assert card.state == "Waiting · 3 of 3 · each decided by 1 of finance, not the requester"
    assert [payload.digest for payload in card.payloads] == [world.approval(ref).digest for ref in refs]
    for ref, payload, (_, to, _) in zip(refs, card.payloads, PAID, strict=True):
        assert payload.title.startswith(f"{ref} · 0 of 1 approvals · Pay: {to}")
        assert f'"account": "{to}"' in payload.content
    labels = [action.label for action in card.actions]
    assert labels == ["Approve all 3", "Choose…", "Reject all…", "One of them…", "Withdraw all…"]
    assert card.actions[0].confirm is not None  # it moves money


async def test_one_call_alone_looks_like_any_other_approval(world: World) -> None:
    world.rules(BATCH)
    facts = world.run("pay one")
    ref = await one(world, facts, *PAID[0])
    card = common(world, ref)
    assert card.headline == "Pay: DE1"
    assert card.actions[0].subject == ref
    await world.approvals.press(Press(subject=ref, revision=1, verb="approve"), account("bo"))
    assert common(world, ref).state.startswith("Approved by Bo")


async def test_all_are_approved_at_once_and_each_happens_once(either_world: World) -> None:
    world = either_world
    refs, facts = await asked(world)
    said = await press(world, refs[0], "approve", "bo")
    assert said == f"Approved: {refs[0]}, {refs[1]} and {refs[2]}. The run goes on."
    assert [world.approval(ref).state for ref in refs] == [rows.APPROVED] * 3
    assert await paid(world, facts) == ["pay DE1 10", "pay DE2 20.5", "pay DE3 30"]
    assert await paid(world, facts) == ["pay DE1 10", "pay DE2 20.5", "pay DE3 30"]
    assert common(world, refs[0]).state == "Decided · 3 done"
    assert common(world, refs[0]).actions == ()
    votes = world.entries("approval.vote")
    assert [vote["digest"] for vote in votes] == [world.approval(ref).digest for ref in refs]


async def test_a_press_that_a_crash_cut_off_in_the_middle_is_taken_up_and_told_as_one(world: World) -> None:
    refs, _ = await asked(world)
    action = next(iter(common(world, refs[0]).actions))
    made = Press(subject=batch(world, refs[0]), revision=action.revision, verb="approve", event="e1")
    assert (await world.vote("bo", refs[0], revision=1, event="e1")).ok  # as far as the process came
    said = await world.approvals.answer(made, account("bo"))
    assert said == f"Approved: {refs[0]}, {refs[1]} and {refs[2]}. The run goes on."
    assert await world.approvals.answer(made, account("bo")) == said
    assert "Nothing was recorded" in str(
        await world.approvals.answer(made.model_copy(update={"event": "e2"}), account("bo"))
    )


async def test_some_are_chosen_and_the_others_wait_or_are_rejected(world: World) -> None:
    refs, facts = await asked(world)
    form = await press(world, refs[0], "choose", "bo")
    assert isinstance(form, Form)
    assert [choice.value for choice in form.fields[0].choices] == refs
    assert form.note == "Pay, 3 times: amount 60.5 in all"
    fields = {"approve": refs[1], "others": "keep", "reason": ""}
    assert await press(world, refs[0], "choose", "bo", **fields) == f"Approved: {refs[1]}. The run goes on."
    assert common(world, refs[0]).state.startswith("Waiting · 2 of 3")
    rest = {"approve": refs[0], "others": "reject"}
    assert "A reason of 3 to 1000 characters" in str(await press(world, refs[0], "choose", "bo", **rest))
    assert world.approval(refs[0]).state == rows.PENDING
    said = await press(world, refs[0], "choose", "bo", reason="not theirs", **rest)
    assert said == f"Approved: {refs[0]}. Rejected: {refs[2]}. The run goes on."
    assert await paid(world, facts) == ["pay DE1 10", "pay DE2 20.5"]
    use, to, amount = PAID[2]
    assert "not theirs" in failure(await world.go_on(facts, "pay", use, account=to, amount=amount))
    assert common(world, refs[0]).state == "Decided · 2 done, 1 rejected"
    assert "not theirs" in common(world, refs[0]).text


async def test_all_are_rejected_with_one_reason(world: World) -> None:
    refs, facts = await asked(world)
    assert isinstance(await press(world, refs[0], "reject", "bo"), Form)
    assert "A reason" in str(await press(world, refs[0], "reject", "bo", reason=" "))
    said = await press(world, refs[0], "reject", "bo", reason="wrong month")
    assert said == f"Rejected: {refs[0]}, {refs[1]} and {refs[2]}. The run goes on."
    assert await paid(world, facts) == []


@pytest.mark.parametrize(
    ("who", "told"), [("ann", "You asked for this yourself"), ("ida", "You cannot decide this one")]
)
async def test_nobody_decides_a_batch_who_does_not_decide_its_calls(world: World, who: str, told: str) -> None:
    world.team.roles["finance"].add("ann")
    refs, _ = await asked(world)
    assert told in str(await press(world, refs[0], "approve", who))
    picked = {"approve": "\n".join(refs), "others": "keep"}
    assert told in str(await press(world, refs[0], "choose", who, **picked))
    assert told in str(await press(world, refs[0], "reject", who, reason="no, thanks"))
    for verb in ("choose", "reject"):
        with pytest.raises(NotAllowed, match=told):
            await press(world, refs[0], verb, who)
    assert [world.approval(ref).outcome for ref in refs] == [None, None, None]
    assert len(world.entries("approval.turned_away")) == 5  # once for each try


async def test_every_call_needs_its_own_quorum_and_counts_people_once(world: World) -> None:
    refs, facts = await asked(world, TWO)
    said = await press(world, refs[0], "approve", "bo")
    assert said == f"Your approval is recorded for {refs[0]}, {refs[1]} and {refs[2]}: 1 of 2 approvals (Bo)."
    again = str(await press(world, refs[0], "approve", "bo"))
    assert again.splitlines() == [f"You have voted on {ref} already. 1 of 2 approvals (Bo)" for ref in refs]
    await press(world, refs[0], "choose", "lea", approve=refs[0], others="keep")
    assert [world.approval(ref).state for ref in refs] == [rows.APPROVED, rows.PENDING, rows.PENDING]
    assert await paid(world, facts) == ["pay DE1 10"]


async def test_an_edited_call_needs_the_card_that_shows_it(world: World) -> None:
    refs, facts = await asked(world)
    old = common(world, refs[0]).actions[0].revision
    assert (await world.approvals.edit(refs[1], 1, {"arg_amount": "21"}, account("bo"))).ok
    assert "out of date" in str(await press(world, refs[0], "approve", "bo", old))
    with pytest.raises(OutOfDate):
        await press(world, refs[0], "choose", "bo", old)
    assert [world.approval(ref).state for ref in refs] == [rows.PENDING] * 3
    card = common(world, refs[0])
    assert card.headline == "Pay, 3 times: amount 61 in all"
    assert "edited by Bo" in card.payloads[1].title
    assert "+amount: 21" in card.payloads[1].content
    await press(world, refs[0], "approve", "bo")
    assert await paid(world, facts) == ["pay DE1 10", "pay DE2 21", "pay DE3 30"]


async def test_one_of_them_comes_on_its_own_card_and_both_cards_follow(world: World) -> None:
    refs, _ = await asked(world)
    form = await press(world, refs[0], "one", "bo")
    assert isinstance(form, Form)
    assert await press(world, refs[0], "one", "bo", which=refs[2]) == f"{refs[2]} is in your direct messages."
    (own,) = world.cards(refs[2])
    assert isinstance(own.content, Card)
    assert "Edit…" in [action.label for action in own.content.actions]
    await world.approvals.press(Press(subject=refs[2], revision=1, verb="approve"), account("bo"))
    (own,) = world.cards(refs[2])
    assert isinstance(own.content, Card)
    assert own.content.state.startswith("Approved by Bo")
    assert "approved, by Bo" in common(world, refs[0]).payloads[2].title
    assert "is not on the card" in str(await press(world, refs[0], "one", "bo", which="AP-XXXX"))
    assert "is not on the card" in str(await press(world, refs[0], "choose", "bo", approve="AP-XXXX"))


async def test_a_call_of_another_kind_has_a_card_of_its_own(world: World) -> None:
    refs, facts = await asked(world)
    mail = await world.act(world.now(facts), "mail", "u4", to=["x@y.z"], body="hello")
    assert isinstance(mail, Parked)
    assert batch(world, mail.refs[0]) == ""
    typed = world.run("pay 5 to DE9")
    other = await one(world, typed, "u1", "DE9", 5.0)
    assert batch(world, other) not in {"", batch(world, refs[0])}


async def test_nothing_joins_a_card_on_which_people_have_begun_to_decide(world: World) -> None:
    refs, facts = await asked(world)
    await press(world, refs[0], "choose", "bo", approve=refs[0], others="keep")
    late = await one(world, world.now(facts), "u4", "DE4", 40.0)
    assert batch(world, late) != batch(world, refs[0])
    assert len(common(world, refs[0]).payloads) == 3


async def test_a_full_card_is_followed_by_another_one(world: World) -> None:
    world.rules(BATCH)
    facts = world.run("pay them all")
    refs = [await one(world, facts, f"u{n}", f"DE{n}", 1.0) for n in range(11)]
    assert len(common(world, refs[0]).payloads) == 10
    assert batch(world, refs[10]) != batch(world, refs[9])


async def test_people_get_one_copy_one_reminder_and_one_line_about_them(world: World) -> None:
    refs, _ = await asked(world)
    now = world.clock.now()
    await world.approvals.run_due(now)
    direct = [(row.to.user, row.subject) for row in world.outbox() if row.to is not None]
    assert sorted(direct) == [("bo", batch(world, refs[0])), ("cy", batch(world, refs[0]))]
    before = len(world.outbox())
    world.clock.advance(hours=2, minutes=1)
    await world.approvals.run_due(world.clock.now())
    fresh = [row.body["markdown"] for row in world.outbox()[before:] if row.to is None]
    assert [text.partition(" still")[0] for text in fresh] == [f"{batch(world, refs[0])} (3 calls)"]
    told = await world.approvals.waiting(world.team.people["bo"], account("bo"))
    assert [action.subject for action in told.actions] == [batch(world, refs[0])]


async def test_who_asked_takes_all_of_them_back(world: World) -> None:
    refs, facts = await asked(world)
    with pytest.raises(NotAllowed):
        await press(world, refs[0], "withdraw", "bo")
    assert isinstance(await press(world, refs[0], "withdraw", "ann"), Form)
    said = await press(world, refs[0], "withdraw", "ann", reason="paid already")
    assert said == f"Withdrawn: {refs[0]}, {refs[1]} and {refs[2]}. The agent is told."
    assert await paid(world, facts) == []
    assert common(world, refs[0]).state == "Decided · 3 withdrawn"


async def test_words_do_what_the_buttons_do(world: World) -> None:
    refs, _ = await asked(world, TWO)
    ref = batch(world, refs[0])
    assert "Pay: DE2" in await world.approvals.why(ref.lower())
    assert "cannot read" in await world.approvals.why(ref, world.team.people["ida"], reads=lambda _place: False)
    assert "is no answer" in await world.approvals.decide(ref, "break_glass", account("bo"), "because")
    assert "Your approval is recorded" in await world.approvals.decide(ref, "approve", account("bo"), "")
    assert "Rejected:" in await world.approvals.decide(ref, "reject", account("cy"), "wrong\x00 month")
    assert [world.approval(ref).state for ref in refs] == [rows.REJECTED] * 3
    assert await world.approvals.decide("BA-NONE", "approve", account("bo"), "") == "There is no approval BA-NONE."


async def test_what_a_dm_asks_is_not_shown_in_a_wider_channel(world: World) -> None:
    home = Place(platform="web", tenant="local", channel="dm-ann", kind="dm")
    refs, _ = await asked(world, place=home)
    stubs = [copy.content for copy in world.cards(f"{batch(world, refs[0])}/stub")]
    assert len(stubs) == 1
    stub = stubs[0]
    assert isinstance(stub, Card)
    assert stub.headline == "Ann asks in private for 3 decisions on pay"
    assert "DE1" not in stub.model_dump_json()
    shown = await world.approvals.answer(Press(subject=batch(world, refs[0]), revision=3, verb="review"), account("bo"))
    assert shown == f"{batch(world, refs[0])} is in your direct messages."
    await press(world, refs[0], "reject", "bo", reason="no, thanks")
    (after,) = [copy.content for copy in world.cards(f"{batch(world, refs[0])}/stub")]
    assert isinstance(after, Card)
    assert after.state == "Decided · 3 rejected"


async def test_the_time_of_each_runs_out(world: World) -> None:
    refs, facts = await asked(world)
    await press(world, refs[0], "choose", "bo", approve=refs[0], others="keep")
    world.clock.advance(hours=5)
    await world.approvals.expire_due(world.clock.now())
    assert common(world, refs[0]).state == "Decided · 1 approved, 2 expired"
    assert "any more" in str(
        await world.approvals.answer(Press(subject=batch(world, refs[0]), revision=3, verb="approve"), account("bo"))
    )
    assert await paid(world, facts) == ["pay DE1 10"]


async def test_stricter_rules_ask_again_and_the_old_card_is_closed(world: World) -> None:
    refs, facts = await asked(world)
    await press(world, refs[0], "approve", "bo")
    world.rules(TWO)
    use, to, amount = PAID[0]
    outcome = await world.go_on(facts, "pay", use, account=to, amount=amount)
    assert isinstance(outcome, Parked)
    assert batch(world, outcome.refs[0]) != batch(world, refs[0])
    assert world.happened == []


@pytest.mark.parametrize("verb", ["approve", "choose", "reject", "one", "withdraw", "review", "grant", "", "\x00"])
async def test_a_forged_press_changes_nothing(world: World, verb: str) -> None:
    refs, _ = await asked(world)
    for subject in ("BA-NONE", f"{batch(world, refs[0])}x", "BA-\x00", "BA-" + "X" * 40):
        for fields in ({}, {"approve": "\n".join(refs), "others": "keep", "which": refs[0], "reason": "no\x00 reason"}):
            try:
                said = await world.approvals.answer(Press(subject=subject, verb=verb, fields=fields), account("bo"))
            except BosunError as error:
                said = str(error)
            assert said
    assert [world.approval(ref).outcome for ref in refs] == [None, None, None]


async def test_an_approved_batch_is_used_up_once_when_its_work_is_cut_off(world: World) -> None:
    """A segment that runs again after a crash hands in the same calls; the first result stands."""
    refs, facts = await asked(world)
    await press(world, refs[0], "approve", "bo")
    use, to, amount = PAID[1]
    assert result(await world.go_on(facts, "pay", use, account=to, amount=amount)) == "paid 20.5 to DE2"
    assert result(await world.go_on(facts, "pay", use, account=to, amount=amount)) == "paid 20.5 to DE2"
    assert world.happened == ["pay DE2 20.5"]
    assert "done, by Bo" in common(world, refs[0]).payloads[1].title
