"""A message that is about to go out: who it really goes to, what is in it, and how people see that before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kernel.errors import OutcomeUnknown
from kernel.types import Fact, Payload
from tools.engine import attempts
from tools.engine.arguments import Arguments, OneLine
from tools.engine.failure import CannotDo
from tools.engine.files.spaces import spot_of
from tools.engine.mail import box
from tools.engine.mail.message import ADDRESS, Attachment, write
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.engine.context import ToolContext
    from tools.engine.mail.box import Box
    from tools.engine.mail.message import Mail

Address = Annotated[str, Field(pattern=ADDRESS)]


class Outgoing(Arguments):
    """Who gets what."""

    to: list[Address] = Field(min_length=1, max_length=50, description="Addresses, like ['maria@example.org']")
    cc: list[Address] = Field(max_length=50, description="Addresses that get a copy; [] for none")
    subject: OneLine = Field(min_length=1, max_length=200, description="What it is about")
    body: str = Field(min_length=1, max_length=100_000, description="The whole text, plain")
    attachments: list[str] = Field(max_length=10, description="Files of the workspace to attach; [] for none")
    reply_to: str = Field(
        max_length=255, description="Id of the message that this answers, from search_mail; '' for a new thread"
    )


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A message that can be sent."""

    id: str  # Message-ID: the same call has the same
    raw: bytes
    recipients: tuple[str, ...]
    attachments: tuple[Attachment, ...]


def message_id(ctx: ToolContext) -> str:
    """The Message-ID of what this call sends: its idempotency key."""
    return f"<{ctx.call_id.lower()}@{ctx.setup.mail.address.rpartition('@')[2]}>"


async def ready(args: Outgoing, ctx: ToolContext, mailbox: Box) -> Ready:
    """The message. CannotDo if a file or the message that it answers is not there."""
    attachments = [await _attachment(path, ctx) for path in args.attachments]
    answers = await _answered(args.reply_to, mailbox) if args.reply_to else None
    recipients = tuple(dict.fromkeys((*args.to, *args.cc)))
    own = message_id(ctx)
    raw = await asyncio.to_thread(
        write,
        message_id=own,
        sender=(ctx.setup.mail.name, ctx.setup.mail.address),
        to=args.to,
        cc=args.cc,
        subject=args.subject,
        body=args.body,
        attachments=attachments,
        at=ctx.clock.now(),
        answers=answers,
    )
    return Ready(id=own, raw=raw, recipients=recipients, attachments=tuple(attachments))


async def _attachment(path: str, ctx: ToolContext) -> Attachment:
    spot = spot_of(path, ctx)
    content = await asyncio.to_thread(spot.workspace.content, spot.path)
    return Attachment(name=PurePath(path).name, content=content)


async def _answered(reply_to: str, mailbox: Box) -> Mail:
    for folder in (box.INBOX, box.SENT):
        found = await mailbox.get(folder, reply_to)
        if found is not None:
            return found
    raise CannotDo("The message that this would answer is not in the mailbox. Search for it first.")


async def send_once(ctx: ToolContext, tool: str, mailbox: Box, made: Ready) -> str:
    """Send what this call sends, and say what became of it. After a crash it is looked for, and not sent again.

    OutcomeUnknown where it is not found among what was sent.
    """
    before = await attempts.begin(ctx, tool)
    if before is not None:
        return before.outcome or await _found(made.id, mailbox)
    try:
        told = await mailbox.send(made.raw, made.recipients)
    except CannotDo:
        await attempts.forget(ctx)
        raise
    await attempts.finish(ctx, told)
    return told


async def _found(message_id: str, mailbox: Box) -> str:
    """What became of a message that was begun before a crash."""
    try:
        if await mailbox.has_sent(message_id):
            return "The message was sent."
    except CannotDo as error:
        raise OutcomeUnknown(f"The message may have been sent. {error.message}") from error
    raise OutcomeUnknown("The message may have been sent: it does not lie among those that were sent.")


def facts(args: Outgoing, ctx: ToolContext, strangers: tuple[Fact, ...] = ()) -> tuple[Fact, ...]:
    """The true recipients, and whatever else decides about a message; what matters most first, for narrow cards."""
    shown = [Fact(label="To", value=", ".join(args.to))]
    if args.cc:
        shown.append(Fact(label="Copy to", value=", ".join(args.cc)))
    shown += [*strangers, Fact(label="Subject", value=args.subject)]
    if args.reply_to:
        shown.append(Fact(label="Answers", value=one_line(args.reply_to, 200)))
    return (*shown, Fact(label="From", value=ctx.setup.mail.address))


def payloads(args: Outgoing, attachments: tuple[Attachment, ...]) -> tuple[Payload, ...]:
    """The literal body, and every attachment: text as it is, anything else by size and digest."""
    shown = [Payload(title=one_line(args.subject), content=args.body, language="text")]
    for attachment in attachments:
        title = f"{attachment.name} ({len(attachment.content):,} bytes)"
        try:
            content = attachment.content.decode()
        except UnicodeDecodeError:
            content = "[Not a text file.]"
        shown.append(Payload(title=one_line(title), content=content, language="text", digest=attachment.digest))
    return tuple(shown)


def strangers(recipients: Iterable[str], ctx: ToolContext) -> tuple[tuple[Fact, ...], str]:
    """Those of the recipients that are not of the team, and what whoever decides must not miss."""
    found = [one for one in dict.fromkeys(recipients) if not box.is_inside(one, ctx.setup)]
    if not found:
        return (), "It cannot be taken back."
    fact = Fact(label="Outside the team", value=", ".join(found))
    return (fact,), "It leaves the team and cannot be taken back."
