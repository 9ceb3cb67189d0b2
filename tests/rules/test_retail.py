"""The shop of the retail benchmark: its policy allows what its tasks need, and nothing that differs in one thing."""

import json
from typing import Any

import pytest

from benchmarks.retail.__main__ import OWN, main
from benchmarks.retail.gate import Gate, rule_book
from benchmarks.retail.mutants import mutants
from benchmarks.retail.shop import TOOLS, Shop, Write

MARA = {"first_name": "Mara", "last_name": "Keller", "zip": "8001"}
CANCEL = Write(tool="cancel_pending_order", arguments={"order_id": "#O1", "reason": "no longer needed"})


@pytest.fixture
def shop() -> Shop:
    return Shop.of(json.loads((OWN / "db.json").read_text()))


def decided(shop: Shop, typed: str, write: Write, words: dict[str, str] = MARA) -> str:
    gate = Gate(typed)
    gate.looked_up(words, shop.find(words))
    return gate.judge(write.tool, shop.told(write)).decision


def test_what_the_tasks_need_is_allowed_and_whatever_differs_in_one_thing_is_denied() -> None:
    found = main(OWN)
    assert (found["writes"], found["allowed"]) == (11, 11)
    assert found["mutated"] == found["denied"] > 100


def test_the_rules_say_of_themselves_what_they_decide() -> None:
    results = rule_book().run_tests()
    assert results
    assert [result for result in results if not result.ok] == []


def test_the_tasks_use_every_write() -> None:
    tasks = json.loads((OWN / "tasks.json").read_text())
    used = {action["name"] for task in tasks for action in task["evaluation_criteria"]["actions"]}
    assert used >= TOOLS.keys()


def test_only_what_the_customer_typed_of_themselves_finds_them(shop: Shop) -> None:
    assert decided(shop, "I am Mara Keller, 8001 Zurich.", CANCEL) == "allow"
    assert decided(shop, "I am Mara Keller.", CANCEL) == "deny"  # the postal code is the agent's own
    assert decided(shop, "I am Timo Frei, 8400.", CANCEL) == "deny"


def test_an_order_is_changed_once(shop: Shop) -> None:
    arguments: dict[str, Any] = {"order_id": "#O1", "item_ids": ["L1"], "new_item_ids": ["L2"]}
    change = Write(tool="modify_pending_order_items", arguments={**arguments, "payment_method_id": "gift_card_1"})
    said = "I am Mara Keller, 8001."
    assert decided(shop, said, change) == "allow"
    shop.do(change)
    assert shop.users["mara_1"]["payment_methods"]["gift_card_1"]["balance"] == 65
    assert decided(shop, said, change) == "deny"
    assert decided(shop, said, CANCEL) == "deny"


def test_money_goes_back_to_where_it_came_from_or_to_a_gift_card(shop: Shop) -> None:
    back = Write(tool="return_delivered_order_items", arguments={"order_id": "#O2", "item_ids": ["L2"]})
    said = "I am Mara Keller, 8001."
    for method, decision in {"credit_card_1": "allow", "gift_card_1": "allow", "credit_card_2": "deny"}.items():
        assert decided(shop, said, back.but(payment_method_id=method)) == decision


def test_mutants_are_of_many_kinds(shop: Shop) -> None:
    kinds = {each.what for each in mutants(shop, CANCEL, "mara_1")}
    assert {
        "nobody was looked up",
        "for another customer",
        "somebody else's order",
        "a reason that does not count",
    } < kinds
