"""The story that most tests of decisions begin with: somebody asks for a payment, and a card waits for finance."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass

from tests.behaviours.chat import Chat, Said, Spot, ref_of

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A payment that waits for people."""

    spot: Spot
    card: Said
    reference: str  # of the invoice, by which it is found on the list of payments

    @property
    def ref(self) -> str:
        """The approval."""
        return ref_of(self.card)


def payment(reference: str, **arguments: object) -> str:
    """The call that queues a payment, as JSON."""
    usual = {"payee": "ACME", "amount": 420, "currency": "EUR", "reference": reference, "why": "due"}
    return json.dumps({**usual, **arguments})


def new_reference() -> str:
    """An invoice that nobody has spoken of yet."""
    return f"INV-{next(_numbers)}"


async def ask_for_payment(chat: Chat, person: str = "ann", **arguments: object) -> Asked:
    """Ask for a payment in #general and wait for its card in the thread."""
    reference = new_reference()
    spot = await chat.ask(person, f"finance: use queue_payment {payment(reference, **arguments)}")
    return Asked(spot=spot, card=await chat.card(spot, reference), reference=reference)
