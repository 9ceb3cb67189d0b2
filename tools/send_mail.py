"""send_mail: send an e-mail from the team's address. The Message-ID is made of the call: it goes out once."""

from __future__ import annotations

from kernel.errors import OutcomeUnknown
from kernel.types import Fact, Labelled, ToolResult
from tools.engine import CannotDo, Preview, ToolContext, attempts, tool
from tools.engine.mail import box, outgoing
from tools.engine.preview import one_line


class SendMail(outgoing.Outgoing):
    """Who gets what."""


async def _preview(args: SendMail, ctx: ToolContext) -> Preview:
    made = await outgoing.ready(args, ctx, box.box_of(ctx))
    strangers = outgoing.outside(args, ctx)
    shown = outgoing.facts(args, ctx)
    if strangers:
        shown = (*shown, Fact(label="Outside the team", value=", ".join(strangers)))
    return Preview(
        headline=one_line(f"Send a mail to {', '.join(made.recipients)}"),
        facts=shown,
        payloads=outgoing.payloads(args, made.attachments),
        reversible=False,
        warning="It leaves the team and cannot be taken back." if strangers else "It cannot be taken back.",
    )


@tool(
    effect="send",
    authority=("to", "cc", "attachments", "reply_to"),
    free_text=("subject", "body"),
    safe_to_repeat=True,  # a repetition looks whether the message went out, and sends nothing where it cannot tell
    secrets=box.secrets,
    timeout=150,
    preview=_preview,
)
async def send_mail(args: SendMail, ctx: ToolContext) -> ToolResult:
    """Send an e-mail, new or as an answer. People usually see it before it goes out, so make the call and wait."""
    mailbox = box.box_of(ctx)
    made = await outgoing.ready(args, ctx, mailbox)
    before = await attempts.begin(ctx, "send_mail")
    if before is not None:
        return _done(args, made.id, before.outcome or await _found(made.id, mailbox))
    try:
        told = await mailbox.send(made.raw, made.recipients)
    except CannotDo:
        await attempts.forget(ctx)
        raise
    await attempts.finish(ctx, told)
    return _done(args, made.id, told)


async def _found(message_id: str, mailbox: box.Box) -> str:
    """What became of a message that was begun before a crash."""
    try:
        if await mailbox.has_sent(message_id):
            return "The message was sent."
    except CannotDo as error:
        raise OutcomeUnknown(f"The message may have been sent. {error.message}") from error
    raise OutcomeUnknown("The message may have been sent: it does not lie among those that were sent.")


def _done(args: SendMail, message_id: str, told: str) -> ToolResult:
    return ToolResult(
        content=f"{told} Id: {message_id}",
        pieces=(
            Labelled(text=message_id, origin="made_here", source=f"mail:{message_id}"),
            Labelled(text=told, origin="nowhere"),
        ),
        data={"id": message_id},
        summary=one_line(f"Sent a mail to {', '.join((*args.to, *args.cc))}"),
    )
