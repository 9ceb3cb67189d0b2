"""list_payments: what stands on the list that finance executes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import payments
from kernel.types import Labelled, ToolResult
from tools.engine import Arguments, ToolContext, tool
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.store.payments import Payment


class ListPayments(Arguments):
    """Which payments."""

    payee: str = Field(default="", max_length=200, description="Only payees that contain this; empty for all")
    limit: int = Field(default=20, ge=1, le=100, description="How many, newest first")


@tool(effect="read", timeout=10)
async def list_payments(args: ListPayments, ctx: ToolContext) -> ToolResult:
    """List the payments and refunds that were queued for finance, newest first. It does not know what is paid."""
    found = await ctx.store.read(lambda session: payments.newest(session, args.limit, args.payee))
    lines = tuple(_line(payment) for payment in found)
    content = "\n".join(line.text for line in lines) or "No payments are queued."
    return ToolResult(
        content=content,
        pieces=lines or (Labelled(text=content, origin="nowhere"),),
        summary=f"{len(found)} payment{'' if len(found) == 1 else 's'}",
    )


def _line(payment: Payment) -> Labelled:
    return Labelled(
        text=(
            f"{payment.ref} | {payment.created_at:%Y-%m-%d} | {payment.amount} {payment.currency} | to {payment.payee}"
            f" | reference {payment.reference} | {one_line(payment.why, 300)} | asked by {payment.requester}"
        ),
        origin="member_text" if payment.origin == "member_text" else "outside_text",
        source=f"payment:{payment.ref}",
    )
