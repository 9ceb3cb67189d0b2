"""queue_payment: put a payment or refund on the list that finance executes. Bosun itself moves no money."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import payments
from kernel.types import Fact, Labelled, ToolResult
from tools.engine import Arguments, CannotDo, OneLine, Preview, ToolContext, labels, tool
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.store import Session

WITHOUT_CENTS = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"})  # ISO 4217: no minor unit


class QueuePayment(Arguments):
    """One payment."""

    payee: OneLine = Field(min_length=1, max_length=200, description="Who gets the money, with the account if known")
    amount: float = Field(gt=0, le=10_000_000, description="How much, at most two decimals")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217 code, like EUR")
    reference: OneLine = Field(min_length=1, max_length=140, description="Invoice, order or customer number")
    why: str = Field(min_length=1, max_length=1000, description="The reason, for those who decide and execute")


async def _preview(args: QueuePayment, _ctx: ToolContext) -> Preview:
    amount = _money(args)
    return Preview(
        headline=one_line(f"Queue a payment of {amount} {args.currency} to {one_line(args.payee, 60)}"),
        facts=(
            Fact(label="Payee", value=args.payee),
            Fact(label="Amount", value=f"{amount} {args.currency}"),
            Fact(label="Reference", value=args.reference),
            Fact(label="Why", value=args.why),
        ),
        reversible=False,
        warning="Once it is on the list, finance pays it.",
    )


@tool(
    effect="spend",
    authority=("payee", "reference"),
    free_text=("why",),
    safe_to_repeat=True,
    timeout=10,
    preview=_preview,
)
async def queue_payment(args: QueuePayment, ctx: ToolContext) -> ToolResult:
    """Put a payment or a refund on the list that the finance team executes. Use it once for each payment."""
    amount = _money(args)

    def payment_as(ref: str) -> payments.Payment:
        return payments.Payment(
            id=ctx.call_id,
            ref=ref,
            payee=args.payee,
            amount=amount,
            currency=args.currency,
            reference=args.reference,
            why=args.why,
            origin=labels.of_run(ctx.facts),
            run_id=ctx.facts.run_id,
            requester=ctx.facts.requester.id,
            agent=ctx.facts.agent,
            created_at=ctx.clock.now(),
        )

    def add(session: Session) -> payments.Payment:
        payment = payment_as(f"P-{ctx.ids.short()}")
        while not payments.add(session, payment):
            known = payments.get(session, ctx.call_id)
            if known is not None:
                return known
            payment = payment_as(f"P-{ctx.ids.short(5)}")
        return payment

    payment = await ctx.store.write(add)
    sentence = f"{payment.ref}: {payment.amount} {payment.currency} to {payment.payee} is on finance's payment list."
    return ToolResult(
        content=f"{sentence} It is not paid yet.",
        # Only the reference is new: the payee gains no authority by being repeated.
        pieces=(
            Labelled(text=payment.ref, origin="made_here", source=f"payment:{payment.ref}"),
            Labelled(text=sentence, origin="nowhere"),
        ),
        data={"ref": payment.ref, "amount": payment.amount, "currency": payment.currency},
        summary=one_line(f"Queued {payment.ref}: {payment.amount} {payment.currency} to {payment.payee}"),
    )


def _money(args: QueuePayment) -> str:
    amount = Decimal(str(args.amount))
    decimals = 0 if args.currency in WITHOUT_CENTS else 2
    if amount != round(amount, decimals):
        raise CannotDo(f"An amount in {args.currency} has at most {decimals} decimals.")
    return f"{amount:.{decimals}f}"
