"""What the mail tools ask of a mailbox, and which one the set-up means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.engine.context import ToolContext
    from tools.engine.mail.message import Mail
    from tools.engine.setup.file import ToolsFile

SENT, DRAFTS, INBOX = "sent", "drafts", "inbox"  # as the tools call the folders


class Box(Protocol):
    """A mailbox. What goes wrong is CannotDo, or OutcomeUnknown where a message may have gone out."""

    async def search(self, folder: str, words: Sequence[str], limit: int) -> list[Mail]:
        """Messages that contain every word, newest first, without their text."""
        ...

    async def get(self, folder: str, message_id: str) -> Mail | None:
        """One message; None if it is not there."""
        ...

    async def has_sent(self, message_id: str) -> bool:
        """Whether the message lies among those that were sent."""
        ...

    async def send(self, raw: bytes, recipients: Sequence[str]) -> str:
        """Send to all of them or to nobody; what became of it, as a sentence."""
        ...

    async def save_draft(self, raw: bytes) -> None:
        """Put a message among the drafts; the same Message-ID is there once."""
        ...

    async def drop_draft(self, message_id: str) -> bool:
        """Take a draft away; False if it is not there."""
        ...


def box_of(ctx: ToolContext) -> Box:
    """The team's mailbox."""
    if ctx.setup.mail.imap:
        from tools.engine.mail.server import ServerBox

        mail = ctx.setup.mail
        return ServerBox(mail, ctx.secrets[mail.password or ""])
    from tools.engine.mail.local import LocalBox

    return LocalBox(ctx.store, ctx.clock, ctx.setup.mail.address)


def secrets(setup: ToolsFile) -> tuple[str, ...]:
    """What a tool needs to reach it."""
    return (setup.mail.password,) if setup.mail.imap and setup.mail.password else ()


def is_inside(address: str, setup: ToolsFile) -> bool:
    """Whether the address is one of the team's domains."""
    domain = address.rpartition("@")[2].lower()
    return domain in {setup.mail.address.rpartition("@")[2].lower(), *(name.lower() for name in setup.mail.inside)}
