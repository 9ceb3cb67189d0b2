"""Rules that are proposed in the chat: tried on what was done, decided by the role, written into the file, in force."""

import json
from pathlib import Path
from typing import Any

import pytest

from kernel.store import ledger as ledger_rows
from tests.behaviours.chat import Said, Spot
from tests.behaviours.payments import ask_for_payment
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULE = """
id: small-payment
why: Finance may queue small payments by itself.
agent: finance
tool: queue_payment
args: {amount: {at_most: 50}}
decision: allow
"""


async def propose(chat: WebChat, **change: object) -> tuple[Spot, Said]:
    spot = await chat.ask("ann", f"lead: use change_rules {json.dumps(change)}")
    return spot, await chat.card(spot, "Change the decision rights")


def starter(world: World) -> Path:
    return world.charter / "rules" / "starter.yaml"


async def entries(world: World, kind: str) -> list[Any]:
    rows = await world.app.store.read(lambda session: [(row.kind, row.body) for row in ledger_rows.entries(session)])
    return [body for found, body in rows if found == kind]


async def test_a_rule_in_words_is_in_force_once_the_role_that_decides_agrees(world: World, web: WebChat) -> None:
    await ask_for_payment(web, amount=40)
    spot, card = await propose(web, rules=RULE)
    assert "small-payment" in card.text
    assert "1 calls of the last month would not have been asked." in card.text
    assert not (world.charter / "rules" / "agreed.yaml").exists()
    before = starter(world).read_bytes()
    await web.click("bo", card, "Approve")
    await web.notice("bo", "You cannot decide this one")
    await web.click("dee", card, "Approve")
    await web.answer(spot, "The decision rights were changed; in force: small-payment.")
    assert "id: small-payment" in (world.charter / "rules" / "agreed.yaml").read_text()
    assert starter(world).read_bytes() == before
    assert world.app.rules.current.rule("small-payment") is not None
    (told,) = await entries(world, "rules.changed")
    assert told["rules"] == ["small-payment"]
    assert told["approval"].startswith("AP-")
    assert (await entries(world, "rules.in_force"))[-1]["added"] == ["small-payment"]
    spot = await web.ask("ann", "rules explain finance: queue_payment payee=typed amount=40")
    await web.answer(spot, "allow: Finance may queue small payments by itself.")


async def test_a_rule_in_a_file_of_the_team_is_changed_and_every_comment_stays(world: World, web: WebChat) -> None:
    path = starter(world)
    good = path.read_text()
    changed = "id: large-payment\nwhy: From 500 on.\ntool: queue_payment\nargs: {amount: {at_least: 500}}\n"
    changed += "decision: ask\napproval: {who: finance, need: 2}"
    try:
        spot, card = await propose(web, rules=changed)
        # Somebody edits another rule of the same file while the card waits.
        path.write_text(good.replace("A page that the requester named is fetched.", "Pages by name."))
        await web.click("dee", card, "Approve")
        await web.answer(spot, "in force: large-payment")
        text = path.read_text()
        assert "From 500 on." in text
        assert "Pages by name." in text
        assert [line for line in text.splitlines() if line.strip().startswith("#")] == [
            line for line in good.splitlines() if line.strip().startswith("#")
        ]
        assert len(set(good.splitlines()) - set(text.splitlines())) <= 6
    finally:
        path.write_text(good)
        await world.app.keeper.look()


async def test_a_rule_that_was_changed_meanwhile_is_not_overwritten(world: World, web: WebChat) -> None:
    path = starter(world)
    good = path.read_text()
    try:
        spot, card = await propose(web, rules="{id: remember, why: Never., tool: remember, decision: deny}")
        path.write_text(good.replace("What a member says may be remembered.", "Members may be remembered."))
        await world.app.keeper.look()
        await web.click("dee", card, "Approve")
        await web.answer(spot, "The rule remember was changed since people were asked")
        assert "Members may be remembered." in path.read_text()
    finally:
        path.write_text(good)
        await world.app.keeper.look()


async def test_a_draft_says_what_is_wrong_with_it(world: World, web: WebChat) -> None:
    spot = await web.ask(
        "ann", f"lead: use draft_rules {json.dumps({'rules': RULE.strip().replace('queue_p', 'queu_p')})}"
    )
    await web.answer(spot, "draft:4: unknown tool 'queu_payment' (did you mean 'queue_payment'?)")
    broken = {"rules": "{id: all-payments, why: A., tool: queue_payment, decision: deny}"}
    spot = await web.ask("ann", f"lead: use draft_rules {json.dumps(broken)}")
    await web.answer(
        spot, "Tests of the rules would not hold any more", "expected ask by payment, got deny by all-payments"
    )


async def test_a_change_that_cannot_be_made_is_told_to_the_agent_and_asks_nobody(world: World, web: WebChat) -> None:
    for change, why in (
        ({"rules": "id: ["}, "The rules are not valid"),
        ({"remove": ["no-such-rule"]}, "There is no rule no-such-rule"),
        ({"rules": RULE.strip().replace("queue_p", "queu_p")}, "unknown tool"),
    ):
        spot = await web.ask("ann", f"lead: use change_rules {json.dumps(change)}")
        await web.answer(spot, "Done.", why)
        await world.quiet()
        assert len(await web.answers(spot)) == 1


async def test_no_rule_lets_a_change_of_rules_through_alone(world: World, web: WebChat) -> None:
    allow = {"rules": "{id: free, why: F., tool: change_rules, decision: allow}"}
    spot = await web.ask("ann", f"lead: use draft_rules {json.dumps(allow)}")
    await web.answer(spot, "what change_rules does is always decided by people")
    whatever = {"rules": "{id: free, why: F., effect: write, decision: allow}", "remove": ["rule-changes"]}
    spot = await web.ask("ann", f"lead: use draft_rules {json.dumps(whatever)}")
    await web.answer(spot, "expected ask by rule-changes, got ask by unknown-target")  # asked all the same


async def test_the_level_of_each_rule_can_be_asked_for(world: World, web: WebChat) -> None:
    spot = await web.ask("ann", "autonomy")
    await web.answer(spot, "large-payment", "manual", "asked every time")
