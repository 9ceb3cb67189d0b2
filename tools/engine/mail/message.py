"""E-mail messages: written as people approve them, and read without believing anything in them."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime, formataddr, getaddresses, parsedate_to_datetime
from typing import TYPE_CHECKING

from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# One address as a person writes it: no name, no comment, nothing that shows otherwise than it is sent.
ADDRESS = r"^[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$"
LARGEST = 20_000_000  # bytes of a whole message
MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes out with a message."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file that came with a message."""

    name: str
    kind: str  # media type, as the sender says
    size: int  # bytes


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A message as it was read. Every field is what somebody wrote: none is verified."""

    id: str  # Message-ID with its brackets; "uid:..." where it has none
    sender: str  # addresses, as shown
    to: tuple[str, ...]
    cc: tuple[str, ...]
    reply_to: str  # address that an answer should go to
    subject: str
    sent_at: datetime | None
    references: tuple[str, ...]  # Message-IDs of the thread so far
    text: str = ""  # plain text; empty where there is only HTML
    html: str = ""
    parts: tuple[Part, ...] = ()


def write(
    *,
    message_id: str,
    sender: tuple[str, str],
    to: Iterable[str],
    cc: Iterable[str],
    subject: str,
    body: str,
    attachments: Iterable[Attachment],
    at: datetime,
    answers: Mail | None = None,
) -> bytes:
    """The message as it is sent (RFC 5322). The same arguments give the same bytes."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = formataddr(sender)
    made["To"] = ", ".join(to)
    copies = ", ".join(cc)
    if copies:
        made["Cc"] = copies
    made["Subject"] = subject
    made["Date"] = format_datetime(at)
    made["Message-ID"] = message_id
    if answers is not None and MESSAGE_ID.fullmatch(answers.id):
        made["In-Reply-To"] = answers.id
        made["References"] = " ".join(dict.fromkeys((*answers.references[-20:], answers.id)))
    made.set_content(body)
    for attachment in attachments:
        kind, _, sub = (mimetypes.guess_type(attachment.name)[0] or "application/octet-stream").partition("/")
        made.add_attachment(attachment.content, maintype=kind, subtype=sub, filename=attachment.name)
    if made.is_multipart():
        made.set_boundary(hashlib.sha256(message_id.encode()).hexdigest()[:40])
    content = made.as_bytes()
    if len(content) > LARGEST:
        raise CannotDo(f"The message has {len(content):,} bytes with its attachments; {LARGEST:,} may be sent.")
    return content


def read(raw: bytes, uid: str = "") -> Mail:
    """A message as it came. Whatever is broken in it is left out."""
    parsed = BytesParser(policy=policy.default).parsebytes(raw)
    text, html, parts = _content(parsed)
    found = MESSAGE_ID.search(_header(parsed, "Message-ID"))
    return Mail(
        id=found[0] if found else f"uid:{uid}",
        sender=_header(parsed, "From"),
        to=_addresses(parsed, "To"),
        cc=_addresses(parsed, "Cc"),
        reply_to=next(iter(_addresses(parsed, "Reply-To") or _addresses(parsed, "From")), ""),
        subject=_header(parsed, "Subject"),
        sent_at=_date(_header(parsed, "Date")),
        references=tuple(MESSAGE_ID.findall(_header(parsed, "References"))),
        text=text,
        html=html,
        parts=parts,
    )


def _content(parsed: EmailMessage) -> tuple[str, str, tuple[Part, ...]]:
    found = {"text/plain": "", "text/html": ""}
    parts = []
    for part in parsed.walk():
        if part.is_multipart():
            continue
        kind, name = part.get_content_type(), part.get_filename()
        if name is None and part.get_content_disposition() != "attachment" and kind in found:
            found[kind] = found[kind] or _decoded(part)
        else:
            payload = part.get_payload(decode=True)
            size = len(payload) if isinstance(payload, bytes) else 0
            parts.append(Part(name=_plain(name or "without a name"), kind=kind, size=size))
    return found["text/plain"], found["text/html"], tuple(parts)


def _decoded(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        return content.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:  # a charset that nobody knows
        return content.decode("utf-8", "replace")


def _header(parsed: EmailMessage, name: str) -> str:
    try:
        return _plain(str(parsed.get(name, "")))
    except Exception:  # the library's parser of headers fails in many ways
        return ""


def _addresses(parsed: EmailMessage, name: str) -> tuple[str, ...]:
    try:
        return tuple(address for _, address in getaddresses([_header(parsed, name)]) if "@" in address)
    except Exception:
        return ()


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:1000]
