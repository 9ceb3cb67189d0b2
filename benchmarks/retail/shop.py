"""The shop of the retail benchmark: its records, what they say of a call, and what a call changes in them.

Records and calls have the form of tau2-bench's retail domain. What a rule looks at beside the call's own arguments
(whose order it is, its status, whose payment method) is read from the records, never taken from the model.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = "nobody"
ITEMS = frozenset({"modify_pending_order_items", "exchange_delivered_order_items"})
STATUS_AFTER = {
    "cancel_pending_order": "cancelled",
    "modify_pending_order_items": "pending (item modified)",
    "exchange_delivered_order_items": "exchange requested",
    "return_delivered_order_items": "return requested",
}
ORDER = ("order_id", "customer", "status")
METHOD = ("payment_method_id", "method_of", "method")
ADDRESS = ("address1", "address2", "city", "state", "country", "zip")
TOOLS: dict[str, tuple[str, ...]] = {
    "cancel_pending_order": (*ORDER, "reason"),
    "modify_pending_order_address": (*ORDER, *ADDRESS),
    "modify_pending_order_payment": (*ORDER, *METHOD, "balance_left"),
    "modify_pending_order_items": (*ORDER, *METHOD, "balance_left", "item_ids", "new_item_ids", "changes"),
    "exchange_delivered_order_items": (*ORDER, *METHOD, "balance_left", "item_ids", "new_item_ids", "changes"),
    "return_delivered_order_items": (*ORDER, *METHOD, "item_ids", "items"),
    "modify_user_address": ("customer", *ADDRESS),
}
"""The calls that change something, with the arguments that the rules see."""


@dataclass(frozen=True, kw_only=True)
class Write:
    """A call that changes something, as an agent would make it."""

    tool: str
    arguments: dict[str, Any]

    def but(self, **changed: Any) -> Write:
        """The same call with other arguments."""
        return Write(tool=self.tool, arguments={**self.arguments, **changed})


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Customers, orders and variants of products, each by its id."""

    users: dict[str, Any]
    orders: dict[str, Any]
    variants: dict[str, Any]  # with the id of their product

    @classmethod
    def of(cls, records: dict[str, Any]) -> Shop:
        """The shop with a copy of these records."""
        kept = deepcopy(records)
        variants = {
            item: {**variant, "product": product["product_id"]}
            for product in kept["products"].values()
            for item, variant in product["variants"].items()
        }
        return cls(users=kept["users"], orders=kept["orders"], variants=variants)

    def find(self, words: dict[str, str]) -> list[str]:
        """Customers by address, or by name and postal code."""
        wanted = {name: value.casefold() for name, value in words.items()}
        return [user_id for user_id, user in self.users.items() if wanted.items() <= _known(user).items()]

    def told(self, write: Write) -> dict[str, Any]:
        """The arguments of the call with what the records say of them."""
        given = dict(write.arguments)
        if write.tool == "modify_user_address":
            return {"customer": given.pop("user_id"), **given}
        order = self.orders.get(given["order_id"])
        known: dict[str, Any] = {
            "customer": order["user_id"] if order else NOBODY,
            "status": order["status"] if order else "no such order",
        }
        if "payment_method_id" in given:
            known |= self._method(order, given["payment_method_id"])
        if write.tool in ITEMS:
            known["changes"] = list(self._changes(order, given["item_ids"], given["new_item_ids"]))
        if write.tool == "return_delivered_order_items":
            there = _count(order)
            wanted = Counter(given["item_ids"])
            known["items"] = [
                "in the order" if wanted[i] <= there[i] else "not in the order" for i in given["item_ids"]
            ]
        if "balance_left" in TOOLS[write.tool]:
            known["balance_left"] = self._left(order, write)
        return {**given, **known}

    def do(self, write: Write) -> None:
        """What becomes of the records. The call has to be one that the policy allows."""
        given = write.arguments
        if write.tool == "modify_user_address":
            self.users[given["user_id"]]["address"] = {name: given[name] for name in ADDRESS}
            return
        order = self.orders[given["order_id"]]
        method = self._card(given.get("payment_method_id", ""))
        if write.tool == "modify_pending_order_payment":
            old = self._card(_original(order))
            _pay(method, _total(order))
            _pay(old, -_total(order))
            order["payment_history"] = [
                {**order["payment_history"][0], "payment_method_id": given["payment_method_id"]}
            ]
        if write.tool in ITEMS:
            _pay(method, self._difference(order, write))
        if write.tool == "modify_pending_order_items":
            for old_id, new_id in zip(given["item_ids"], given["new_item_ids"], strict=True):
                item = next(each for each in order["items"] if each["item_id"] == old_id)
                item |= {"item_id": new_id, "price": self.variants[new_id]["price"]}
        order["status"] = STATUS_AFTER.get(write.tool, order["status"])

    def _method(self, order: Any, method_id: str) -> dict[str, str]:
        owner = next((one for one, user in self.users.items() if method_id in user["payment_methods"]), NOBODY)
        source = self._card(method_id).get("source", "")
        kind = "original" if order and method_id == _original(order) else source.replace("_", " ") or "unknown"
        return {"method_of": owner, "method": kind}

    def _card(self, method_id: str) -> dict[str, Any]:
        found = (user["payment_methods"].get(method_id) for user in self.users.values())
        return next((one for one in found if one is not None), {})

    def _changes(self, order: Any, old: list[str], new: list[str]) -> Iterator[str]:
        there, wanted = _count(order), Counter(old)
        if len(old) != len(new):
            yield "numbers that differ"
        for old_id, new_id in zip(old, new, strict=False):
            before, after = self.variants.get(old_id), self.variants.get(new_id)
            if wanted[old_id] > there[old_id] or before is None:
                yield "not in the order"
            elif after is None or after["product"] != before["product"]:
                yield "another product"
            elif old_id == new_id:
                yield "the same"
            else:
                yield "another variant" if after["available"] else "not available"

    def _difference(self, order: Any, write: Write) -> float:
        prices = {item["item_id"]: item["price"] for item in order["items"]}
        pairs = zip(write.arguments["item_ids"], write.arguments["new_item_ids"], strict=False)
        return float(sum(self.variants.get(new, {}).get("price", 0) - prices.get(old, 0) for old, new in pairs))

    def _left(self, order: Any, write: Write) -> float:
        """What is left on a gift card; 0 where it is none."""
        card = self._card(write.arguments["payment_method_id"])
        if order is None or card.get("source") != "gift_card":
            return 0
        due = self._difference(order, write) if write.tool in ITEMS else _total(order)
        return float(round(card["balance"] - due, 2))


def _known(user: Any) -> dict[str, str]:
    return {
        "email": user["email"].casefold(),
        "first_name": user["name"]["first_name"].casefold(),
        "last_name": user["name"]["last_name"].casefold(),
        "zip": user["address"]["zip"],
    }


def _count(order: Any) -> Counter[str]:
    return Counter(item["item_id"] for item in order["items"]) if order else Counter()


def _original(order: Any) -> str:
    return str(order["payment_history"][0]["payment_method_id"])


def _total(order: Any) -> float:
    return float(order["payment_history"][0]["amount"])


def _pay(method: dict[str, Any], amount: float) -> None:
    if method.get("source") == "gift_card":
        method["balance"] = round(method["balance"] - amount, 2)
