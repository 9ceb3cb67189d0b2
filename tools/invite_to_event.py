"""invite_to_event: people are invited to an event, by mail from the team's address. It goes out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kernel.errors import OutcomeUnknown
from kernel.types import Fact, Payload, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, attempts, tool
from tools.engine.calendar import agenda, events
from tools.engine.calendar.changing import found
from tools.engine.calendar.shown import done, in_words
from tools.engine.mail import box
from tools.engine.mail.message import ADDRESS, Attachment, write
from tools.engine.mail.outgoing import message_id
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from tools.engine.setup.file import ToolsFile

Address = Annotated[str, Field(pattern=ADDRESS)]


class InviteToEvent(Arguments):
    """Who is invited to what."""

    calendar: str = Field(min_length=1, max_length=40, description="The event's calendar: a person's id, or 'team'")
    event: str = Field(min_length=1, max_length=255, description="The event's id, from list_events or create_event")
    to: list[Address] = Field(min_length=1, max_length=50, description="Addresses, like ['maria@example.org']")
    message: str = Field(min_length=1, max_length=5_000, description="What stands in the mail, plain")


def _secrets(setup: ToolsFile) -> tuple[str, ...]:
    return (*agenda.secrets(setup), *box.secrets(setup))


async def _preview(args: InviteToEvent, ctx: ToolContext) -> Preview:
    one = events.first(await found(agenda.known(args.calendar, ctx), args.event, ctx))
    strangers = [address for address in args.to if not box.is_inside(address, ctx.setup)]
    return Preview(
        headline=one_line(f"Invite {', '.join(args.to)} to “{one.title}”"),
        facts=(
            Fact(label="To", value=", ".join(args.to)),
            Fact(label="When", value=in_words(one.start, agenda.zone_of(args.calendar, ctx))),
            *((Fact(label="Outside the team", value=", ".join(strangers)),) if strangers else ()),
        ),
        payloads=(Payload(title="Message", content=args.message, language="text"),),
        reversible=False,
        warning="It leaves the team and cannot be taken back." if strangers else "It cannot be taken back.",
    )


@tool(
    effect="send",
    authority=("calendar", "event", "to"),
    free_text=("message",),
    safe_to_repeat=True,  # a repetition looks whether the mail went out, and sends nothing where it cannot tell
    secrets=_secrets,
    timeout=150,
    preview=_preview,
)
async def invite_to_event(args: InviteToEvent, ctx: ToolContext) -> ToolResult:
    """Invite people to an event: they get a mail with the event, and are listed in it. Also after it was moved."""
    calendar = agenda.known(args.calendar, ctx)
    before, mailbox = await found(calendar, args.event, ctx), box.box_of(ctx)
    invited = events.invite(before, args.to, ctx.setup.mail.address, ctx.clock.now())
    one = events.first(invited)
    raw = write(
        message_id=message_id(ctx),
        sender=(ctx.setup.mail.name, ctx.setup.mail.address),
        to=args.to,
        cc=[],
        subject=one_line(f"Invitation: {one.title}", 200),
        body=f"{args.message}\n\n{one.title}\n{in_words(one.start, agenda.zone_of(calendar, ctx))}\n{one.place}",
        attachments=[Attachment(name="invite.ics", content=events.request(invited))],
        at=ctx.clock.now(),
    )
    if await attempts.begin(ctx, "invite_to_event") is None:
        try:
            await attempts.finish(ctx, await mailbox.send(raw, args.to))
        except CannotDo:
            await attempts.forget(ctx)
            raise
    elif not await mailbox.has_sent(message_id(ctx)):
        raise OutcomeUnknown("The invitation may have been sent: it does not lie among the mails that were.")
    await agenda.agenda_of(ctx).put(calendar, args.event, invited)
    return done(f"Invited {', '.join(args.to)} to “{one.title}”.", args.event, {"to": args.to})
