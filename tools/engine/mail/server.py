"""A mailbox on mail servers: read over IMAP, sent over SMTP. The two client libraries are imported here alone."""

from __future__ import annotations

import asyncio
import functools
import imaplib
import re
import ssl
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import aiosmtplib
from imap_tools import AND, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools import MailMessage as ImapMessage
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError
from imap_tools.query import H

from kernel.errors import OutcomeUnknown
from tools.engine.aside import aside
from tools.engine.failure import CannotDo, NotLetIn, NotThere, TooManyRequests
from tools.engine.mail import box
from tools.engine.mail.message import LARGEST, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imap_tools.mailbox import BaseMailBox

    from tools.engine.mail.message import Mail
    from tools.engine.setup.file import MailSetup

T = TypeVar("T")

REFUSALS = range(400, 600)  # codes by which an SMTP server says that it has not taken something
UPLOAD = 250_000  # bytes of a message for which a server is given another second
LATER = re.compile(r"\[(UNAVAILABLE|LIMIT|INUSE|THROTTLED)\]", re.IGNORECASE)  # RFC 5530, and what Google and Yahoo say


class ServerBox:
    """`box.Box` on the servers of the set-up."""

    def __init__(self, setup: MailSetup, password: str) -> None:
        self._setup = setup
        self._password = password
        self._folders = {box.INBOX: "INBOX", box.SENT: setup.sent, box.DRAFTS: setup.drafts}

    # -- reading ----------------------------------------------------------------------------------

    async def search(self, folder: str, words: Sequence[str], limit: int) -> list[Mail]:
        """Messages that contain every word."""

        def look(mailbox: BaseMailBox) -> list[Mail]:
            criteria = AND(text=list(words)) if words else "ALL"
            ascii_only = all(word.isascii() for word in words)
            found = mailbox.fetch(
                criteria, "US-ASCII" if ascii_only else "UTF-8", limit=limit, mark_seen=False, reverse=True,
                headers_only=True, bulk=True,
            )  # fmt: skip
            return [_mail(message) for message in found]

        return await self._talk(folder, look)

    async def get(self, folder: str, message_id: str) -> Mail | None:
        """One message."""

        def look(mailbox: BaseMailBox) -> Mail | None:
            uid = _uid(mailbox, message_id)
            if uid is None:
                return None
            (heading,) = mailbox.fetch(uid_list=uid, mark_seen=False, headers_only=True)
            if heading.size_rfc822 > LARGEST:
                raise CannotDo(f"The message has {heading.size_rfc822:,} bytes; up to {LARGEST:,} are read.")
            (message,) = mailbox.fetch(uid_list=uid, mark_seen=False)
            return _mail(message)

        return await self._talk(folder, look)

    async def has_sent(self, message_id: str) -> bool:
        """Whether it lies among those that were sent."""
        return await self._talk(box.SENT, lambda mailbox: _uid(mailbox, message_id) is not None)

    # -- drafts -----------------------------------------------------------------------------------

    async def save_draft(self, raw: bytes) -> None:
        """Put a message among the drafts."""
        await self._keep(box.DRAFTS, raw, ("\\Draft",))

    async def drop_draft(self, message_id: str) -> bool:
        """Take a draft away."""

        def drop(mailbox: BaseMailBox) -> bool:
            uid = _uid(mailbox, message_id)
            if uid is not None:
                mailbox.delete(uid)
            return uid is not None

        return await self._talk(box.DRAFTS, drop)

    async def _keep(self, folder: str, raw: bytes, flags: tuple[str, ...]) -> None:
        message_id = read(raw).id

        def append(mailbox: BaseMailBox) -> None:
            if _uid(mailbox, message_id) is None:
                mailbox.append(raw, self._folders[folder], flag_set=flags)

        await self._talk(folder, append, create=True)

    # -- sending ----------------------------------------------------------------------------------

    async def send(self, raw: bytes, recipients: Sequence[str]) -> str:
        """Send to all of them or to nobody, and keep the message among those that were sent."""
        client = self._smtp()
        try:
            await self._hand_over(client, raw, recipients)
        finally:
            client.close()
        try:
            await self._keep(box.SENT, raw, ("\\Seen",))
        except CannotDo as error:
            return f"The message was sent, but not kept in {self._setup.sent}: {error.message}"
        return "The message was sent."

    async def _hand_over(self, client: aiosmtplib.SMTP, raw: bytes, recipients: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(self._setup.timeout):
                await client.connect()
                await client.mail(self._setup.address, options=[f"SIZE={len(raw)}"] if _takes_size(client) else [])
                for recipient in recipients:
                    await client.rcpt(recipient)
        except aiosmtplib.SMTPAuthenticationError as error:
            raise _refused("does not take the user name and password", error.code) from error
        except aiosmtplib.SMTPRecipientRefused as error:
            raise _refused(f"refuses the recipient {error.recipient}", error.code) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused("refuses the message", error.code) from error
        except TimeoutError as error:
            raise CannotDo(f"{self._too_slow} Nothing was sent.") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise CannotDo(f"The mail server cannot be reached ({type(error).__name__}). Nothing was sent.") from error
        try:
            await client.data(raw, timeout=self._setup.timeout + len(raw) / UPLOAD)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if isinstance(error, aiosmtplib.SMTPResponseException) and error.code in REFUSALS:
                raise _refused("refuses the message", error.code) from error
            raise OutcomeUnknown("The mail server went away while it took the message. It may have sent it.") from error

    def _smtp(self) -> aiosmtplib.SMTP:
        parts = urlsplit(self._setup.smtp)
        encrypted = parts.scheme == "smtps"
        return aiosmtplib.SMTP(
            hostname=parts.hostname,
            port=parts.port or (465 if encrypted else 587),
            username=self._setup.user or self._setup.address,
            password=self._password,
            use_tls=encrypted,
            start_tls=not (encrypted or self._setup.plain),
            timeout=self._setup.timeout,
        )

    # -- the talk with the IMAP server --------------------------------------------------------------

    async def _talk(self, folder: str, work: Callable[[BaseMailBox], T], *, create: bool = False) -> T:
        now = functools.partial(self._talk_now, self._folders[folder], work, create)
        try:
            return await aside(now, self._setup.timeout)
        except TimeoutError as error:
            raise CannotDo(self._too_slow) from error

    @property
    def _too_slow(self) -> str:
        return f"The mail server did not answer within {self._setup.timeout:g} seconds."

    def _talk_now(self, folder: str, work: Callable[[BaseMailBox], T], create: bool) -> T:
        try:
            mailbox = self._connected()
            try:
                if create and not mailbox.folder.exists(folder):
                    mailbox.folder.create(folder)
                mailbox.folder.set(folder)
                return work(mailbox)
            finally:
                mailbox.client.shutdown()  # without the courtesy of LOGOUT, which may hang
        except (CannotDo, TimeoutError):
            raise
        except (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError) as error:
            raise _failed(error, folder) from error

    def _connected(self) -> BaseMailBox:
        parts, seconds = urlsplit(self._setup.imap), self._setup.timeout
        host = parts.hostname or ""
        mailbox: BaseMailBox
        # Without a context imaplib checks no certificate.
        if parts.scheme == "imaps":
            mailbox = MailBox(host, parts.port or 993, timeout=seconds, ssl_context=ssl.create_default_context())
        elif self._setup.plain:
            mailbox = MailBoxUnencrypted(host, parts.port or 143, timeout=seconds)
        else:
            mailbox = MailBoxStartTls(
                host, parts.port or 143, timeout=seconds, ssl_context=ssl.create_default_context()
            )
        _bound(mailbox.client)
        try:
            return mailbox.login(self._setup.user or self._setup.address, self._password, initial_folder=None)
        except BaseException:
            mailbox.client.shutdown()
            raise


def _bound(client: Any) -> None:
    """Have a server that announces more than a message may have cut off, before it is read into memory."""
    read_so_many = client.read

    def read_some(size: int) -> bytes:
        if size > LARGEST:
            raise imaplib.IMAP4.abort("more than is read")
        return bytes(read_so_many(size))

    client.read = read_some


def _mail(message: ImapMessage) -> Mail:
    return read(message.obj.as_bytes(), message.uid or "")


def _uid(mailbox: BaseMailBox, message_id: str) -> str | None:
    if message_id.startswith("uid:"):
        wanted = message_id.removeprefix("uid:")
        return wanted if wanted.isdigit() and mailbox.uids(AND(uid=wanted)) else None
    found = mailbox.uids(AND(header=[H("Message-ID", message_id)]))
    return found[-1] if found else None


def _takes_size(client: aiosmtplib.SMTP) -> bool:
    return client.supports_extension("size")


def _refused(what: str, code: int) -> CannotDo:
    """What an SMTP server says no to, without its own words: they may quote whatever somebody sent."""
    if code not in REFUSALS:
        return CannotDo("The mail server gave no proper answer. Nothing was sent.")
    if code < 500:
        said = f"The mail server {what} (code {code}). It says that another try later may help. Nothing was sent."
        return TooManyRequests(said)
    return CannotDo(f"The mail server {what} (code {code}). Nothing was sent.")


def _failed(error: Exception, folder: str) -> CannotDo:
    """What went wrong in the talk with an IMAP server."""
    if LATER.search(str(error)):
        return TooManyRequests("The mail server asks for fewer requests. Try again later.")
    if "[OVERQUOTA]" in str(error):
        return CannotDo("The mailbox is full.")
    if isinstance(error, MailboxLoginError):
        return NotLetIn("The mail server does not take the user name and password.")
    if isinstance(error, MailboxFolderSelectError):
        return NotThere(f"The mail server opens no folder {folder}: tools.yaml says what the folders are called.")
    return CannotDo(f"The mail server gave no proper answer ({type(error).__name__}).")
