"""What an agent must not do in the place of a call that the policy allows: each differs from it in one thing."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.retail.shop import ITEMS, Shop, Write

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUSES = ("pending", "processed", "delivered", "cancelled", "pending (item modified)", "exchange requested")
REASONS = ("changed my mind", "too expensive", "")


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A call that has to be denied, in the shop as it is then."""

    what: str
    write: Write
    shop: Shop
    customer: str | None  # who was found; None: nobody looked


def mutants(shop: Shop, write: Write, customer: str) -> Iterator[Mutant]:
    """All that can be made of the call, which is about to be done for the customer."""

    def one(what: str, changed: Write = write, then: Shop = shop, who: str | None = customer) -> Mutant:
        return Mutant(what=what, write=changed, shop=then, customer=who)

    yield one("nobody was looked up", who=None)
    yield one("for another customer", who=next(user for user in shop.users if user != customer))
    if "order_id" not in write.arguments:
        return
    order_id = write.arguments["order_id"]
    yield one("no such order", write.but(order_id="#W0"))
    right = shop.orders[order_id]["status"]
    for status in STATUSES:
        if status != right:
            yield one(f"the order is {status}", then=_with_order(shop, order_id, status=status))
    strangers = (key for key, order in shop.orders.items() if order["user_id"] != customer and order["status"] == right)
    for stranger in list(strangers)[:1]:
        yield one("somebody else's order", write.but(order_id=stranger))
    if write.tool == "cancel_pending_order":
        yield from (one("a reason that does not count", write.but(reason=reason)) for reason in REASONS)
    yield from _methods(shop, write, customer, one)
    yield from _items(shop, write, one)


def _methods(shop: Shop, write: Write, customer: str, one: Any) -> Iterator[Mutant]:
    if "payment_method_id" not in write.arguments:
        return
    order = shop.orders[write.arguments["order_id"]]
    others = (key for user_id, user in shop.users.items() if user_id != customer for key in user["payment_methods"])
    yield one("somebody else's payment method", write.but(payment_method_id=next(others)))
    yield one("a payment method that is none", write.but(payment_method_id="gift_card_0"))
    original = order["payment_history"][0]["payment_method_id"]
    own = shop.users[customer]["payment_methods"]
    if write.tool == "modify_pending_order_payment":
        yield one("the payment method it has", write.but(payment_method_id=original))
    if write.tool == "return_delivered_order_items":
        for key, method in own.items():
            if key != original and method["source"] != "gift_card":
                yield one("money back to another card", write.but(payment_method_id=key))
    if write.tool != "return_delivered_order_items":
        for key, method in own.items():
            poor = _with_balance(shop, customer, key) if method["source"] == "gift_card" else None
            changed = write.but(payment_method_id=key)
            if poor is not None and poor.told(changed)["balance_left"] < 0:
                yield one("a gift card that does not cover it", changed, poor)


def _items(shop: Shop, write: Write, one: Any) -> Iterator[Mutant]:
    if "item_ids" not in write.arguments:
        return
    old = write.arguments["item_ids"]
    there = {item["item_id"] for item in shop.orders[write.arguments["order_id"]]["items"]}
    elsewhere = next(item for item in shop.variants if item not in there)
    if write.tool not in ITEMS:
        yield one("an item that was not ordered", write.but(item_ids=[*old, elsewhere]))
        yield one("more of an item than was ordered", write.but(item_ids=[*old, *old]))
        return
    new, product = write.arguments["new_item_ids"], shop.variants[old[0]]["product"]
    yield one("an item that was not ordered", write.but(item_ids=[elsewhere, *old[1:]]))
    yield one("the item that it is", write.but(new_item_ids=[old[0], *new[1:]]))
    yield one("one new item too many", write.but(new_item_ids=[*new, new[0]]))
    stranger = next(item for item, variant in shop.variants.items() if variant["product"] != product)
    yield one("another product", write.but(new_item_ids=[stranger, *new[1:]]))
    for item, variant in shop.variants.items():
        if variant["product"] == product and not variant["available"] and item != old[0]:
            yield one("a variant that is not there", write.but(new_item_ids=[item, *new[1:]]))
            return


def _with_order(shop: Shop, order_id: str, **changed: Any) -> Shop:
    return replace(shop, orders={**shop.orders, order_id: {**shop.orders[order_id], **changed}})


def _with_balance(shop: Shop, customer: str, method: str) -> Shop:
    user = deepcopy(shop.users[customer])
    user["payment_methods"][method]["balance"] = 0
    return replace(shop, users={**shop.users, customer: user})
