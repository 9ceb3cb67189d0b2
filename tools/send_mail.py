"""send_mail: send an e-mail from the team's address. The Message-ID is made of the call: it goes out once."""

from __future__ import annotations

from kernel.types import Labelled, ToolResult
from tools.engine import Preview, ToolContext, tool
from tools.engine.mail import box, outgoing
from tools.engine.preview import one_line


class SendMail(outgoing.Outgoing):
    """Who gets what."""


async def _preview(args: SendMail, ctx: ToolContext) -> Preview:
    made = await outgoing.ready(args, ctx, box.box_of(ctx))
    strangers, warning = outgoing.strangers(made.recipients, ctx)
    return Preview(
        headline=one_line(f"Send a mail to {', '.join(made.recipients)}"),
        facts=outgoing.facts(args, ctx, strangers),
        payloads=outgoing.payloads(args, made.attachments),
        reversible=False,
        warning=warning,
    )


@tool(
    effect="send",
    authority=("to", "cc", "attachments", "reply_to"),
    free_text=("subject", "body"),
    safe_to_repeat=True,  # a repetition looks whether the message went out, and sends nothing where it cannot tell
    secrets=box.secrets,
    timeout=180,
    preview=_preview,
)
async def send_mail(args: SendMail, ctx: ToolContext) -> ToolResult:
    """Send an e-mail, new or as an answer. People usually see it before it goes out, so make the call and wait."""
    mailbox = box.box_of(ctx)
    made = await outgoing.ready(args, ctx, mailbox)
    told = await outgoing.send_once(ctx, "send_mail", mailbox, made)
    return ToolResult(
        content=f"{told} Id: {made.id}",
        pieces=(
            Labelled(text=made.id, origin="made_here", source=f"mail:{made.id}"),
            Labelled(text=told, origin="nowhere"),
        ),
        data={"id": made.id},
        summary=one_line(f"Sent a mail to {', '.join(made.recipients)}"),
    )
