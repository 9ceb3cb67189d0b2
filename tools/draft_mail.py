"""draft_mail: put a message among the drafts of the team's mailbox, for a person to look at and send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Labelled, ToolResult
from tools.engine import CannotDo, Preview, ToolContext, said, tool
from tools.engine.mail import box, outgoing
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.types import Json


class DraftMail(outgoing.Outgoing):
    """Who would get what."""


async def _preview(args: DraftMail, ctx: ToolContext) -> Preview:
    made = await outgoing.ready(args, ctx, box.box_of(ctx))
    return Preview(
        headline=one_line(f"Draft a mail to {', '.join(args.to)}"),
        facts=outgoing.facts(args, ctx),
        payloads=outgoing.payloads(args, made.attachments),
    )


async def _undo(_args: DraftMail, data: Json, ctx: ToolContext) -> ToolResult:
    if not await box.box_of(ctx).drop_draft(data["id"]):
        raise CannotDo("The draft is no longer there.")
    return said("The draft is gone.", origin="nowhere")


@tool(
    effect="write",
    authority=("to", "cc", "attachments", "reply_to"),
    free_text=("subject", "body"),
    safe_to_repeat=True,  # the same Message-ID is among the drafts once
    secrets=box.secrets,
    timeout=120,
    preview=_preview,
    undo=_undo,
)
async def draft_mail(args: DraftMail, ctx: ToolContext) -> ToolResult:
    """Save an e-mail as a draft. Use it when somebody wants to look at it or to send it themselves."""
    mailbox = box.box_of(ctx)
    made = await outgoing.ready(args, ctx, mailbox)
    await mailbox.save_draft(made.raw)
    sentence = f"The draft is saved: {made.id}"
    return ToolResult(
        content=sentence,
        pieces=(Labelled(text=made.id, origin="made_here", source=f"mail:{made.id}"),),
        data={"id": made.id},
        summary=one_line(f"Drafted a mail to {', '.join(args.to)}"),
    )
