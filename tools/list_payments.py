"""list_payments: what stands on the list that finance executes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kernel.store import payments
from kernel.types import ToolResult
from tools.engine import Arguments, From, Returned, Row, ToolContext, records, tool
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.store.payments import Payment


class ListPayments(Arguments):
    """Which payments."""

    payee: str = Field(default="", max_length=200, description="Only payees that contain this; empty for all")
    limit: int = Field(default=20, ge=1, le=100, description="How many, newest first")


class Listed(Returned):
    """A payment on the list."""

    payment: Annotated[str, From(names=True)]
    day: str
    amount: str
    payee: Annotated[str, From(names=True)]
    reference: str
    why: str
    asked_by: Annotated[str, From(origin="member")]


@tool(effect="read", look_up=("payee",), returns=Listed, timeout=10)
async def list_payments(args: ListPayments, ctx: ToolContext) -> ToolResult:
    """List the payments and refunds that were queued for finance, newest first. It does not know what is paid."""
    found = await ctx.store.read(lambda session: payments.newest(session, args.limit + 1, args.payee))
    shown = found[: args.limit]
    return records(
        [_row(payment) for payment in shown],
        summary=f"{len(shown)} payment{'' if len(shown) == 1 else 's'}",
        more=len(found) > args.limit,
        empty="No payments are queued.",
    )


def _row(payment: Payment) -> Row:
    return Row(
        record=Listed(
            payment=payment.ref,
            day=f"{payment.created_at:%Y-%m-%d}",
            amount=f"{payment.amount} {payment.currency}",
            payee=payment.payee,
            reference=payment.reference,
            why=one_line(payment.why, 300),
            asked_by=payment.requester,
        ),
        origin="member_text" if payment.origin == "member_text" else "outside_text",
        source=f"payment:{payment.ref}",
    )
