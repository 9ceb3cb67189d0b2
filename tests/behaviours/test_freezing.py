"""Everything stands still when the right person says so, and goes on; a budget stops what goes beyond it."""

import json

import pytest
import yaml

from tests.behaviours.chat import Chat, Spot
from tests.behaviours.payments import ask_for_payment, new_reference, payment
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_frozen_work_is_held_through_a_restart_and_goes_on_when_it_is_thawed(
    world: World, chat: Chat, slack: SlackChat
) -> None:
    why = f"odd mails on {chat.platform}"
    asked = await ask_for_payment(chat)
    said = await chat.ask("dee", f"freeze because: {why}")
    told = await chat.answer(said, "Everything is frozen", "admin")
    assert "Held, 1:" in told.text
    await slack.answer(Spot(channel="bosun"), f"Dee has frozen everything: {why}")
    await chat.click("bo", asked.card, "Approve")
    await chat.notice("bo", "The run goes on once everything is thawed.")
    await chat.answer(asked.spot, "Held.", f"Dee has frozen everything: {why}")
    later = await chat.ask("ann", "are you there?")
    await chat.answer(later, "Held.", "nothing was done yet")

    await world.restart()
    await chat.answer(await chat.ask("ann", "frozen"), "Everything", "by Dee", why)
    assert await world.paid(asked.reference) == []

    thawed = await chat.ask("dee", "thaw")
    await chat.answer(thawed, "Everything is thawed", "2 held runs go on")
    await chat.answer(asked.spot, "Done.", "420.00 EUR to ACME")
    await chat.answer(later, "You said: are you there?")
    await world.quiet()
    assert len(await world.paid(asked.reference)) == 1


async def test_only_the_role_of_the_charter_freezes_and_thaws(world: World, chat: Chat) -> None:
    before = len(await chat.notices("bo"))
    await chat.ask("bo", "freeze everything")
    await chat.notice("bo", "is for admin", after=before)
    await chat.answer(await chat.ask("dee", "freeze tool queue_payment"), "The tool queue_payment is frozen")
    await chat.ask("bo", "thaw tool queue_payment")
    await chat.notice("bo", "is for admin", after=before + 1)
    open_still = await chat.ask("ann", "hello")
    await chat.answer(open_still, "You said: hello")
    await chat.answer(await chat.ask("dee", "thaw tool queue_payment"), "is thawed")
    await chat.answer(await chat.ask("dee", "thaw tool queue_payment"), "is not frozen", "Nothing is frozen")


async def test_a_channel_stands_still_alone(world: World, slack: SlackChat) -> None:
    await slack.answer(await slack.ask("dee", "freeze #finance"), "#finance is frozen")
    held = await slack.ask("ann", "hello", channel="finance")
    await slack.answer(held, "Held.", "Dee has frozen #finance")
    await slack.answer(await slack.ask("ann", "hello"), "You said: hello")
    await slack.answer(await slack.ask("dee", "thaw here", channel="finance"), "#finance is thawed")
    await slack.answer(held, "You said: hello")
    await slack.answer(await slack.ask("dee", "freeze channel finance"), "#finance is frozen")
    await slack.answer(await slack.ask("dee", "thaw finance"), "The agent finance is not frozen", "#finance", "by Dee")
    await slack.answer(await slack.ask("dee", "thaw #finance"), "#finance is thawed")


async def test_what_does_not_exist_cannot_be_frozen_and_a_request_about_freezing_is_a_request(
    world: World, slack: SlackChat
) -> None:
    before = len(await slack.notices("dee"))
    await slack.ask("dee", "freeze tool queue_paymnt")
    await slack.notice("dee", "There is no tool queue_paymnt", "queue_payment", after=before)
    await slack.ask("dee", "freeze queue_paymnt")
    await slack.notice("dee", "There is nothing called “queue_paymnt”", "queue_payment", after=before + 1)
    await slack.answer(await slack.ask("dee", "freeze the account of ACME"), "You said: freeze the account of ACME")


BUDGET = """
version: 1
rules:
  - id: yen
    why: Payments in yen have a budget.
    tool: queue_payment
    args: {currency: {is: JPY}}
    budget: {amount: 500, per: day, each: person, owner: admin}
    decision: ask
    approval: {who: finance}
"""


async def test_beyond_a_budget_its_owner_is_asked_in_the_thread_and_then_the_payment_is_decided(
    world: World, chat: Chat
) -> None:
    path = world.charter / "rules" / "yen.yaml"
    if not path.exists():
        path.write_text(BUDGET)

        async def loaded() -> bool:
            return world.app.rules.current.rule("yen") is not None

        await world.until(loaded)
    person = {"slack": "ann", "web": "eve", "discord": "bo"}[chat.platform]  # each has a budget of their own
    reference = new_reference()
    spot = await chat.ask(person, f"finance: use queue_payment {payment(reference, amount=750, currency='JPY')}")
    card = await chat.card(spot, "Raise the budget of 500 per day for each person by 250")
    await chat.click("cy", card, "Approve")
    await chat.notice("cy", "needs 1 of admin")
    await chat.click("dee", card, "Approve")
    payment_card = await chat.card(spot, "Queue payment", reference)
    assert await world.paid(reference) == []
    await chat.click("cy", payment_card, "Approve")
    await chat.answer(spot, "Done.", "750 JPY")
    await chat.answer(spot, "100 % of the budget of 750 per day for each person is used")
    await chat.ask("dee", "budgets")
    await chat.notice("dee", f"750 of 750 is used for {person}")


async def test_a_run_that_only_talks_waits_for_the_owner_of_the_models_budget(world: World, chat: Chat) -> None:
    path = world.charter / "bosun.yaml"
    good = path.read_text()
    before = world.app.charter.digest
    file = yaml.safe_load(good)
    file["budgets"] = [{"cost": 0.01, "per": "run", "owner": "finance"}]
    try:
        path.write_text(yaml.safe_dump(file, sort_keys=False))

        async def changed() -> bool:
            return world.app.charter.digest != before

        await world.until(changed)
        spot = await chat.ask("ann", "how are you?")
        card = await chat.card(spot, "Raise the model budget of 0.01 USD per run by")
        assert "the next answer may cost up to" in card.text
        assert not [said for said in await chat.answers(spot) if "You said" in said.text]
        await chat.click("dee", card, "Approve")
        await chat.notice("dee", "needs 1 of finance")
        await chat.click("bo", card, "Approve")
        await chat.answer(spot, "You said: how are you?")
        again = await chat.ask("ann", "and you?")
        await chat.click("bo", await chat.card(again, "Raise the model budget"), "Reject…")
        await chat.dialog("bo")
        await chat.submit("bo", reason="enough for today")
        ended = await chat.answer(again, "I could not finish this", "enough for today")
        assert ended.buttons == ("Retry", "Details")
    finally:
        path.write_text(good)

        async def restored() -> bool:
            return world.app.charter.digest == before

        await world.until(restored)


async def test_a_post_to_a_channel_with_more_readers_is_looked_at_first(world: World, chat: Chat) -> None:
    spot = await chat.ask("bo", "what is in the vault?", channel="finance")
    await chat.answer(spot, "You said: what is in the vault?")
    words = f"The vault is empty, says {chat.platform}"
    use = json.dumps({"channel": "#general", "text": words})
    await chat.say("bo", f"@bosun ops: use post_message {use}", spot)
    card = await chat.card(spot, "Post to #general", "may not read all that this run has read")
    assert not [said for said in await chat.answers(Spot(channel="general")) if words in said.text]
    await chat.click("bo", card, "Approve")
    await chat.answer(Spot(channel="general"), words)

    alone = await chat.ask("bo", f'ops: use post_message {{"channel": "#general", "text": "Hello, {words}"}}')
    await chat.answer(alone, "Done.")
