"""E-mail messages: who wrote what to whom and when, and the text; attachments by name."""

from __future__ import annotations

import email
import email.policy
from typing import TYPE_CHECKING

from knowledge.engine.html_text import html_to_markdown
from knowledge.engine.readable import NotReadable, Parsed

if TYPE_CHECKING:
    from email.message import EmailMessage

SUFFIXES = (".eml",)
HEADERS = ("From", "To", "Cc", "Date")


def read(data: bytes) -> Parsed:
    """Headers and text of a message."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not any(message[name] for name in ("From", "Subject", "Date")):
        raise NotReadable("It is not an e-mail, whatever its name says.")
    subject = " ".join(str(message["Subject"] or "").split())
    head = [f"{name}: {' '.join(str(message[name]).split())}" for name in HEADERS if message[name]]
    names = [name for part in message.iter_attachments() if (name := part.get_filename())]
    attached = [f"Attached: {', '.join(names)}"] if names else []
    return Parsed(text="\n\n".join(["\n".join(head), _body(message), *attached]), format="text", title=subject[:200])


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except (LookupError, KeyError, UnicodeError):  # a charset that nobody knows
        payload = part.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return html_to_markdown(text).markdown if part.get_content_subtype() == "html" else text.strip()
