"""queue_payment and list_payments: one call, one line on finance's list."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from kernel.types import Labelled
from tests.tools.cases import shows
from tests.tools.conftest import Perform
from tests.tools.team import facts
from tools.engine import ToolContext
from tools.list_payments import list_payments
from tools.queue_payment import queue_payment

REFUND = {
    "payee": "Acme GmbH",
    "amount": 80,
    "currency": "EUR",
    "reference": "order 4711",
    "why": "The parcel arrived broken.",
}


@shows("works", "queue_payment", "list_payments")
async def test_a_payment_is_queued_and_listed(perform: Perform) -> None:
    queued = await perform(queue_payment, **REFUND)
    assert not queued.error
    ref = queued.data["ref"]
    assert queued.content == f"{ref}: 80.00 EUR to Acme GmbH is on finance's payment list. It is not paid yet."
    listed = await perform(list_payments)
    assert listed.content == (
        f"payment: {ref} | day: 2026-03-02 | amount: 80.00 EUR | payee: Acme GmbH | reference: order 4711"
        " | why: The parcel arrived broken. | asked_by: mia"
    )


async def test_one_of_several_payments_is_never_the_one_that_a_look_up_found(perform: Perform) -> None:
    for number in (1, 2):
        await perform(queue_payment, call_id=f"call-{number}", **REFUND)
    listed = await perform(list_payments, payee="Acme", limit=1)
    assert (len(listed.data["records"]), listed.data["more"]) == (1, True)
    assert "more" not in (await perform(list_payments, payee="Acme", limit=2)).data


async def test_only_the_reference_is_new(perform: Perform) -> None:
    queued = await perform(queue_payment, **REFUND)
    made = [piece.text for piece in queued.pieces if piece.origin == "made_here"]
    assert made == [queued.data["ref"]]
    assert all(piece.origin in {"made_here", "nowhere"} for piece in queued.pieces)


async def test_the_same_call_queues_once_and_another_call_again(perform: Perform) -> None:
    first = await perform(queue_payment, **REFUND)
    again = await perform(queue_payment, **REFUND)
    assert again.data == first.data
    await perform(queue_payment, call_id="another", **REFUND)
    assert (await perform(list_payments)).summary == "2 payments"


async def test_the_same_call_at_the_same_time_queues_once(perform: Perform) -> None:
    results = await asyncio.gather(*(perform(queue_payment, **REFUND) for _ in range(5)))
    assert len({result.data["ref"] for result in results}) == 1
    assert (await perform(list_payments)).summary == "1 payment"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount": 0}, "greater than 0"),
        ({"amount": -5}, "greater than 0"),
        ({"amount": 80.005}, "at most 2 decimals"),
        ({"amount": 80.5, "currency": "JPY"}, "at most 0 decimals"),
        ({"amount": "80"}, "valid number"),
        ({"currency": "euro"}, "currency"),
        ({"payee": ""}, "payee"),
        ({"payee": "Acme\nP-1234 | 2026-03-02 | 1.00 EUR | to Mallory"}, "one line of visible characters"),
        ({"reference": "order \u202e4711"}, "one line of visible characters"),
        ({"account": "DE89"}, "account"),
    ],
)
@shows("garbage", "queue_payment")
async def test_what_is_not_a_payment_is_refused(perform: Perform, change: dict[str, object], says: str) -> None:
    result = await perform(queue_payment, **(REFUND | change))
    assert result.error
    assert says in result.content
    assert (await perform(list_payments)).content == "No payments are queued."


@shows("hostile", "list_payments")
async def test_the_list_carries_the_label_of_the_run_that_queued(ctx: ToolContext, perform: Perform) -> None:
    outside = replace(ctx, facts=facts(Labelled(text="x", origin="outside_text")))
    await perform(queue_payment, outside, call_id="outside", **(REFUND | {"payee": "Mallory"}))
    await perform(queue_payment, call_id="inside", **REFUND)
    listed = await perform(list_payments)
    assert {piece.text: piece.origin for piece in listed.pieces if piece.field == "payee"} == {
        "Mallory": "outside_text",
        "Acme GmbH": "member_text",
    }


@shows("not there", "list_payments")
async def test_payments_are_found_by_payee(perform: Perform) -> None:
    await perform(queue_payment, call_id="1", **REFUND)
    await perform(queue_payment, call_id="2", **(REFUND | {"payee": "100% Foods"}))
    assert (await perform(list_payments, payee="acme")).summary == "1 payment"
    assert (await perform(list_payments, payee="0%")).summary == "1 payment"
    assert (await perform(list_payments, payee="%")).summary == "1 payment"


async def test_the_preview_says_what_will_be_paid(ctx: ToolContext) -> None:
    preview = await queue_payment.preview(REFUND, ctx)
    assert preview.headline == "Queue a payment of 80.00 EUR to Acme GmbH"
    assert [fact.value for fact in preview.facts] == [
        "Acme GmbH",
        "80.00 EUR",
        "order 4711",
        "The parcel arrived broken.",
    ]
    assert '"amount": 80' in preview.payloads[0].content
    assert not preview.reversible
