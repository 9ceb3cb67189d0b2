"""What needs a person waits for the right one, happens once, and everybody sees who decided."""

import asyncio
import json

import pytest

from tests.behaviours.chat import Chat, Said, Spot, ref_of
from tests.behaviours.outside import Outside
from tests.behaviours.payments import ask_for_payment, new_reference, payment
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

APPROVALS = Spot(channel="approvals")


@pytest.mark.behaviour(11)
async def test_a_call_that_needs_a_decision_shows_a_card_that_says_everything_and_waits(
    world: World, chat: Chat
) -> None:
    asked = await ask_for_payment(chat)
    for words in (
        "Queue a payment of 420.00 EUR to ACME",
        "Waiting",
        "0 of 1 approvals",
        "finance",
        "Ann through finance in #general",
        "Moves money",
        asked.reference,
        "payment",
        "A payment needs somebody from finance",
        "revision 1",
    ):
        assert words in asked.card.text, asked.card.text
    assert asked.card.buttons[:3] == ("Approve", "Reject…", "Edit…")

    await chat.shows(asked.spot, "suspended")
    await world.quiet()
    assert len(await chat.copies(asked.ref, asked.spot)) == 2
    assert await world.paid(asked.reference) == []


@pytest.mark.behaviour(12)
async def test_an_approval_executes_the_call_once_and_every_card_says_who_gave_it(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.click("bo", asked.card, "Approve")
    await chat.answer(asked.spot, "Done.", "420.00 EUR to ACME")
    await world.quiet()
    assert len(await world.paid(asked.reference)) == 1
    cards = await chat.copies(asked.ref, asked.spot)
    assert len(cards) == 2
    for card in cards:
        assert "Approved by Bo" in card.text
        assert "done" in card.text
        assert asked.reference in card.text
        assert card.buttons == ()
    await chat.shows(asked.spot, "active")


async def test_the_card_in_the_channel_of_approvals_decides_too(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)

    async def copy() -> Said | None:
        cards = [one for one in await chat.copies(asked.ref, APPROVALS) if one.buttons]
        return cards[0] if cards else None

    await chat.click("cy", await world.until(copy), "Approve")
    await chat.answer(asked.spot, "Done.")
    await world.quiet()
    assert "Approved by Cy" in (await chat.copies(asked.ref, asked.spot))[0].text


@pytest.mark.behaviour(13)
@pytest.mark.parametrize(
    ("person", "told"),
    [("ann", "needs"), ("eve", "needs 1 of finance"), ("dee", "needs 1 of finance")],
)
async def test_whoever_may_not_decide_is_told_so_in_private_and_nothing_changes(
    world: World, chat: Chat, person: str, told: str
) -> None:
    asked = await ask_for_payment(chat)
    await chat.click(person, asked.card, "Approve")
    await chat.notice(person, asked.ref, told)
    await world.quiet()
    assert await world.paid(asked.reference) == []
    assert (await chat.copies(asked.ref, asked.spot))[0].buttons == asked.card.buttons
    said = [one.text for one in await chat.answers(asked.spot) if f"Waiting for approval {asked.ref}" not in one.text]
    assert len(said) == 1  # and, where it took long, the progress before it


@pytest.mark.behaviour(13)
@pytest.mark.parametrize("who", ["gil", "guest", "outsider", "stranger"])
async def test_guests_outsiders_and_strangers_cannot_decide_whatever_the_charter_says(
    world: World, outside: Outside, who: str
) -> None:
    person = outside.strangers.get(who, who)
    asked = await ask_for_payment(outside)
    await outside.click(person, asked.card, "Approve")
    await outside.notice(person, asked.ref)
    await outside.click(person, asked.card, "Reject…")
    await world.quiet()
    assert outside.open_dialogs(person) == 0
    assert await world.paid(asked.reference) == []
    assert (await outside.copies(asked.ref, asked.spot))[0].buttons == asked.card.buttons


@pytest.mark.behaviour(13)
async def test_the_requester_cannot_approve_even_as_a_member_of_finance(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat, person="bo")
    await chat.click("bo", asked.card, "Approve")
    await chat.notice("bo", "You asked for this yourself")
    assert await world.paid(asked.reference) == []
    await chat.click("cy", asked.card, "Approve")
    await chat.answer(asked.spot, "Done.")


@pytest.mark.behaviour(14)
async def test_five_clicks_of_two_people_in_the_same_instant_execute_once(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await asyncio.gather(*(chat.click(person, asked.card, "Approve") for person in ("bo", "cy", "bo", "cy", "bo")))
    await chat.answer(asked.spot, "Done.")
    await world.quiet()
    assert len(await world.paid(asked.reference)) == 1
    assert len([said for said in await chat.answers(asked.spot) if said.text.startswith("Done.")]) <= 1
    told = [text for person in ("bo", "cy") for text in await chat.notices(person) if asked.ref in text]
    assert sum("Your click changed nothing" in text or "already" in text for text in told) == 4, told


@pytest.mark.behaviour(14)
async def test_two_approvals_are_needed_where_the_rule_says_two_and_one_person_is_one(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat, amount=5000)
    assert "0 of 2 approvals" in asked.card.text
    await chat.click("bo", asked.card, "Approve")
    await chat.click("bo", asked.card, "Approve")
    await chat.notice("bo", "You have voted on", asked.ref)
    await world.quiet()
    assert await world.paid(asked.reference) == []
    cards = await chat.copies(asked.ref, asked.spot)
    assert all("1 of 2 approvals (Bo)" in card.text for card in cards)
    await chat.click("cy", asked.card, "Approve")
    await chat.answer(asked.spot, "Done.")
    assert len(await world.paid(asked.reference)) == 1


@pytest.mark.behaviour(16)
async def test_a_rejection_asks_for_the_reason_and_everybody_reads_it(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.click("bo", asked.card, "Reject…")
    assert list(await chat.dialog("bo")) == ["reason"]
    assert await world.paid(asked.reference) == []
    await chat.submit("bo", reason="the invoice is a copy")
    await chat.answer(asked.spot, "Done.", "the invoice is a copy")
    await world.quiet()
    for card in await chat.copies(asked.ref, asked.spot):
        assert "Rejected by Bo" in card.text
        assert "the invoice is a copy" in card.text
        assert card.buttons == ()
    assert await world.paid(asked.reference) == []
    assert "the invoice is a copy" in str(world.model.requests[-1]["messages"])


@pytest.mark.behaviour(16)
async def test_a_rejection_without_a_reason_is_not_taken(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.click("bo", asked.card, "Reject…")
    await chat.dialog("bo")
    await chat.submit("bo", reason="no")
    await chat.notice("bo", "reason")
    await world.quiet()
    assert "Waiting" in (await chat.copies(asked.ref, asked.spot))[0].text


@pytest.mark.behaviour(17)
async def test_an_edit_makes_a_new_revision_and_exactly_that_is_executed(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.click("bo", asked.card, "Edit…")
    fields = await chat.dialog("bo")
    assert fields["arg_payee"] == "ACME"
    await chat.submit("bo", arg_amount="99.5", arg_payee="Globex «Söhne»")
    edited = await chat.card(asked.spot, "revision 2")
    assert "Globex «Söhne»" in edited.text
    assert "99.5" in edited.text
    assert "420.00" not in edited.text  # nothing on the card still tells the old amount
    assert "Edited by" in edited.text
    await chat.click("cy", asked.card, "Approve")  # the card as it stood before
    await chat.notice("cy", "out of date", "revision 2")
    assert await world.paid(asked.reference) == []
    await chat.click("cy", edited, "Approve")
    await chat.answer(asked.spot, "Done.")
    paid = await world.paid(asked.reference)
    assert [(one.payee, one.amount) for one in paid] == [("Globex «Söhne»", "99.50")]


@pytest.mark.behaviour(17)
async def test_votes_for_an_earlier_revision_do_not_count(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat, amount=2000)
    await chat.click("bo", asked.card, "Approve")
    await chat.card(asked.spot, "1 of 2 approvals")
    await chat.click("cy", asked.card, "Edit…")
    await chat.dialog("cy")
    await chat.submit("cy", arg_amount="3000")
    edited = await chat.card(asked.spot, "revision 2")
    assert "0 of 2 approvals" in edited.text
    await chat.click("cy", edited, "Approve")
    await chat.card(asked.spot, "1 of 2 approvals (Cy)")
    assert await world.paid(asked.reference) == []


async def test_an_edit_that_the_tool_cannot_take_is_refused_and_changes_nothing(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    before = len(await chat.notices("bo"))
    await chat.click("bo", asked.card, "Edit…")
    await chat.dialog("bo")
    await chat.submit("bo", arg_amount="a lot")
    assert "amount" in await chat.notice("bo", after=before)
    await world.quiet()
    assert "revision 1" in (await chat.copies(asked.ref, asked.spot))[0].text


async def test_free_text_never_approves(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    for text in ("yes", "approve", "ok, approved!", f"approve the {asked.ref}"):
        await chat.say("bo", text, asked.spot)
    await world.quiet()
    assert await world.paid(asked.reference) == []
    assert "Waiting" in (await chat.copies(asked.ref, asked.spot))[0].text


@pytest.mark.behaviour(20)
async def test_a_deleted_card_can_still_be_decided_and_the_outcome_is_posted_once(
    world: World, outside: Outside
) -> None:
    asked = await ask_for_payment(outside)
    await world.quiet()
    await outside.delete(asked.card.id, asked.spot)
    await outside.say("bo", f"approve {asked.ref}", asked.spot)
    await outside.answer(asked.spot, "Done.")
    await world.quiet()
    assert len(await world.paid(asked.reference)) == 1
    outcomes = [said for said in await outside.answers(asked.spot) if "Approved by Bo" in said.text]
    assert len(outcomes) == 1
    assert len([said for said in await outside.answers(asked.spot) if said.text.startswith("Done.")]) <= 1


async def test_payments_of_one_request_are_chosen_on_one_card_and_each_happens_once(world: World, chat: Chat) -> None:
    invoices = [new_reference() for _ in range(3)]
    calls = [("queue_payment", json.loads(payment(reference, amount=10.5))) for reference in invoices]
    world.model.queue(Reply("All three are due.", calls=calls))
    spot = await chat.ask("ann", f"finance: pay ACME what {', '.join(invoices)} say")
    card = await chat.card(spot, "3 times")
    for words in ("amount 31.5 EUR in all", "3 of 3", *invoices):
        assert words in card.text, card.text
    assert card.text.count("0 of 1 approvals") == 3
    assert card.buttons[:3] == ("Approve all 3", "Choose…", "Reject all…")
    await world.quiet()
    assert len(await chat.copies(ref_of(card), spot)) == 2
    await chat.click("eve", card, "Choose…")
    await chat.notice("eve", "needs 1 of finance")

    await chat.click("bo", card, "Choose…")
    refs = (await chat.dialog("bo"))["approve"].splitlines()
    assert len(refs) == 3
    await world.restart()
    await chat.submit("bo", approve="\n".join(refs[:2]), others="reject", reason="paid in May already")
    await chat.answer(spot, "Done.", "paid in May already")
    await world.quiet()
    assert sorted([len(await world.paid(reference)) for reference in invoices]) == [0, 1, 1]
    cards = await chat.copies(ref_of(card), spot)
    assert len(cards) == 2
    for shown in cards:
        assert "2 done, 1 rejected" in shown.text
        assert shown.buttons == ()


async def test_one_of_several_payments_is_edited_on_its_own_card_and_then_all_are_approved(
    world: World, chat: Chat
) -> None:
    invoices = [new_reference() for _ in range(2)]
    calls = [("queue_payment", json.loads(payment(reference, amount=2000))) for reference in invoices]
    world.model.queue(Reply("Both are due.", calls=calls))
    spot = await chat.ask("ann", f"finance: pay ACME what {', '.join(invoices)} say")
    card = await chat.card(spot, "2 times", "4000 EUR")
    await chat.click("bo", card, "One of them…")
    refs = (await chat.dialog("bo"))["which"].splitlines()
    await chat.submit("bo", which=refs[0])
    own = await chat.answer(chat.home("bo"), f"{refs[0]} · revision", reader="bo")
    await chat.click("bo", own, "Edit…")
    await chat.dialog("bo")
    await chat.submit("bo", arg_amount="1999.5")
    edited = await chat.card(spot, "2 times", "3999.5 EUR")
    await chat.click("bo", card, "Approve all 2")  # the card as it stood before
    await chat.notice("bo", "out of date")
    await chat.click("bo", edited, "Approve all 2")
    await chat.card(spot, "1 of 2 approvals (Bo)")
    assert [await world.paid(reference) for reference in invoices] == [[], []]
    await chat.click("cy", edited, "Approve all 2")
    await chat.answer(spot, "Done.")
    await world.quiet()
    paid = [[one.amount for one in await world.paid(reference)] for reference in invoices]
    assert sorted(paid) == [["1999.50"], ["2000.00"]]
