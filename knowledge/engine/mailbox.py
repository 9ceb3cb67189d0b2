"""Reads folders of a mailbox over IMAP. Nothing is changed there, not even what counts as read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledge.engine.source import SourceAway, SourceCutOff

if TYPE_CHECKING:
    from imap_tools import MailMessage
    from imap_tools.mailbox import BaseMailBox

TIMEOUT = 30.0  # seconds without an answer of the server


class Mailbox:
    """A mailbox on a server. SourceCutOff where it does not let us in, SourceAway where it does not answer."""

    def __init__(self, server: str, port: int, user: str, password: str, *, encrypted: bool) -> None:
        self._server, self._port, self._user, self._password = server, port, user, password
        self._encrypted = encrypted

    def numbers(self, folder: str, most: int) -> tuple[str, list[str]]:
        """What the numbers of the folder belong to, and those of its newest messages."""
        import imap_tools

        try:
            with self._login() as box:
                box.folder.set(folder, readonly=True)
                validity = str(box.folder.status(folder, ["UIDVALIDITY"])["UIDVALIDITY"])
                return validity, list(box.uids())[-most:]
        except imap_tools.MailboxFolderSelectError as error:
            raise SourceCutOff(f"The folder {folder} is not there, or closed to us.") from error
        except (OSError, imap_tools.ImapToolsError) as error:
            raise SourceAway(f"{self._server} failed: {error}.") from error

    def message(self, folder: str, number: str) -> MailMessage | None:
        """One message; None where it is gone."""
        import imap_tools

        try:
            with self._login() as box:
                box.folder.set(folder, readonly=True)
                return next(iter(box.fetch(imap_tools.AND(uid=number), mark_seen=False, limit=1)), None)
        except (OSError, imap_tools.ImapToolsError) as error:
            raise SourceAway(f"{self._server} failed: {error}.") from error

    def _login(self) -> BaseMailBox:
        import imap_tools

        kind = imap_tools.MailBox if self._encrypted else imap_tools.MailBoxUnencrypted
        try:
            box = kind(self._server, self._port, timeout=TIMEOUT)
        except OSError as error:
            raise SourceAway(f"{self._server} cannot be reached: {error}.") from error
        try:
            return box.login(self._user, self._password, initial_folder=None)
        except imap_tools.MailboxLoginError as error:
            box.client.shutdown()  # imap_tools leaves the connection open
            raise SourceCutOff(f"{self._server} does not let us in any more.") from error
