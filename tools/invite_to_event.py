"""invite_to_event: people are invited to an event, by mail from the team's address. It goes out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.errors import OutcomeUnknown
from kernel.types import Fact, Payload, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, tool
from tools.engine.calendar import agenda, events
from tools.engine.calendar.changing import found
from tools.engine.calendar.shown import done, in_words
from tools.engine.calendar.wording import lines
from tools.engine.mail import box, outgoing
from tools.engine.mail.message import Attachment, write
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from tools.engine.setup.file import ToolsFile

ATTACHED = "invite.ics"


class InviteToEvent(Arguments):
    """Who is invited to what."""

    calendar: str = Field(min_length=1, max_length=40, description="The event's calendar: a person's id, or 'team'")
    event: str = Field(min_length=1, max_length=255, description="The event's id, from list_events or create_event")
    to: list[outgoing.Address] = Field(min_length=1, max_length=50, description="Addresses, like ['maria@example.org']")
    message: str = Field(min_length=1, max_length=5_000, description="What stands in the mail, plain")


def _secrets(setup: ToolsFile) -> tuple[str, ...]:
    return (*agenda.secrets(setup), *box.secrets(setup))


@dataclass(frozen=True, kw_only=True)
class _Invitation:
    """The mail, and the event with the people in it."""

    event: str  # iCalendar text
    title: str
    subject: str
    body: str


async def _invitation(args: InviteToEvent, ctx: ToolContext) -> _Invitation:
    calendar = agenda.known(args.calendar, ctx)
    before = await found(calendar, args.event, ctx)
    invited = events.invite(before, args.to, ctx.setup.mail.address, ctx.clock.now())
    one = events.first(invited)
    when = in_words(one.start, agenda.zone_of(calendar, ctx))
    return _Invitation(
        event=invited,
        title=one.title,
        subject=one_line(f"Invitation: {one.title}", 200),
        body=f"{args.message}\n\n{one.title}\n{when}\n{one.place}",
    )


async def _preview(args: InviteToEvent, ctx: ToolContext) -> Preview:
    made = await _invitation(args, ctx)
    file = Attachment(name=ATTACHED, content=events.request(made.event))
    event = "\n".join(lines(made.event, agenda.zone_of(args.calendar, ctx)))
    strangers, warning = outgoing.strangers(args.to, ctx)
    return Preview(
        headline=one_line(f"Invite {', '.join(args.to)} to “{made.title}”"),
        facts=(
            Fact(label="To", value=", ".join(args.to)),
            *strangers,
            Fact(label="Subject", value=made.subject),
        ),
        payloads=(
            Payload(title=made.subject, content=made.body, language="text"),
            Payload(title=f"The event, as {file.name}", content=event, language="text", digest=file.digest),
        ),
        reversible=False,
        warning=warning,
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
    made = await _invitation(args, ctx)
    raw = write(
        message_id=outgoing.message_id(ctx),
        sender=(ctx.setup.mail.name, ctx.setup.mail.address),
        to=args.to,
        cc=[],
        subject=made.subject,
        body=made.body,
        attachments=[Attachment(name=ATTACHED, content=events.request(made.event))],
        at=ctx.clock.now(),
    )
    ready = outgoing.Ready(id=outgoing.message_id(ctx), raw=raw, recipients=tuple(args.to), attachments=())
    await outgoing.send_once(ctx, "invite_to_event", box.box_of(ctx), ready)
    told = f"Invited {', '.join(args.to)} to “{made.title}”."
    try:
        await agenda.agenda_of(ctx).put(args.calendar, args.event, made.event)
    except (CannotDo, OutcomeUnknown) as error:
        told = f"{told} The mail was sent, but they may not be listed in the event: {error.message}"
    return done(told, args.event, {"to": args.to})
