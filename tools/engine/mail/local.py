"""The local mailbox: messages lie in our own tables, and those to the team's own address arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import mail as rows
from tools.engine.mail import box
from tools.engine.mail.message import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.clock import Clock
    from kernel.store import Store
    from tools.engine.mail.message import Mail

FOLDERS = {box.INBOX: rows.INBOX, box.SENT: rows.SENT, box.DRAFTS: rows.DRAFTS}


class LocalBox:
    """`box.Box` without a server."""

    def __init__(self, store: Store, clock: Clock, address: str) -> None:
        self._store = store
        self._clock = clock
        self._address = address.lower()

    async def search(self, folder: str, words: Sequence[str], limit: int) -> list[Mail]:
        """Messages that contain every word."""
        name = FOLDERS[folder]
        found = await self._store.read(lambda session: rows.search(session, name, list(words), limit))
        return [read(row.raw) for row in found]

    async def get(self, folder: str, message_id: str) -> Mail | None:
        """One message."""
        name = FOLDERS[folder]
        row = await self._store.read(lambda session: rows.get(session, name, message_id))
        return None if row is None else read(row.raw)

    async def has_sent(self, message_id: str) -> bool:
        """Whether it lies among those that were sent."""
        return await self._store.read(lambda session: rows.get(session, rows.SENT, message_id)) is not None

    async def send(self, raw: bytes, recipients: Sequence[str]) -> str:
        """Keep it as sent; it arrives where it is for the team's own address."""
        kept = self._row(raw, rows.SENT)
        arrived = self._row(raw, rows.INBOX) if self._address in {one.lower() for one in recipients} else None
        await self._store.write(
            lambda session: rows.add(session, kept) and arrived is not None and rows.add(session, arrived)
        )
        if all(one.lower() == self._address for one in recipients):
            return "The message lies in the team's local mailbox."
        return "The message lies in the local mailbox as sent. No mail server is set up, so nobody outside got it."

    async def save_draft(self, raw: bytes) -> None:
        """Put a message among the drafts."""
        row = self._row(raw, rows.DRAFTS)
        await self._store.write(lambda session: rows.add(session, row))

    async def drop_draft(self, message_id: str) -> bool:
        """Take a draft away."""
        return await self._store.write(lambda session: rows.remove(session, rows.DRAFTS, message_id))

    def _row(self, raw: bytes, folder: str) -> rows.MailMessage:
        message = read(raw)
        return rows.MailMessage(
            id=rows.key(folder, message.id),
            folder=folder,
            message_id=message.id,
            sender=message.sender,
            recipients=", ".join((*message.to, *message.cc)),
            subject=message.subject,
            text=message.text,
            raw=raw,
            sent_at=message.sent_at or self._clock.now(),
        )
