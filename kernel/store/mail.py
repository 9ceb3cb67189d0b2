"""The local mailbox: the messages of an installation that has no mail server."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, Session, SQLModel, col, or_, select

from kernel.store.columns import Moment
from kernel.store.database import insert_new

INBOX, SENT, DRAFTS = "INBOX", "Sent", "Drafts"


class MailMessage(SQLModel, table=True):
    """A message in a folder. Its text is in `raw`; the other columns are what it is searched by."""

    __tablename__ = "mail_message"

    id: str = Field(primary_key=True)  # folder and Message-ID: the same message is in a folder once
    folder: str = Field(index=True)
    message_id: str = Field(index=True)  # "<...@...>"
    sender: str
    recipients: str  # addresses, separated by commas
    subject: str
    text: str  # the readable part, for the search
    raw: bytes = Field(sa_type=LargeBinary)  # the message as it is sent: RFC 5322
    sent_at: datetime = Field(sa_type=Moment)


def add(session: Session, message: MailMessage) -> bool:
    """Put a message into its folder; False if it is there."""
    return insert_new(session, MailMessage, message.model_dump())


def get(session: Session, folder: str, message_id: str) -> MailMessage | None:
    """The message of this Message-ID in a folder."""
    return session.get(MailMessage, key(folder, message_id))


def anywhere(session: Session, message_id: str) -> MailMessage | None:
    """The message of this Message-ID, in whatever folder."""
    return session.exec(select(MailMessage).where(col(MailMessage.message_id) == message_id)).first()


def remove(session: Session, folder: str, message_id: str) -> bool:
    """Take a message out of a folder; False if it is not there."""
    found = get(session, folder, message_id)
    if found is None:
        return False
    session.delete(found)
    return True


def search(session: Session, folder: str, words: list[str], limit: int) -> list[MailMessage]:
    """Messages of a folder that contain every word in sender, recipients, subject or text; newest first."""
    statement = select(MailMessage).where(col(MailMessage.folder) == folder)
    for word in words:
        fields = (MailMessage.sender, MailMessage.recipients, MailMessage.subject, MailMessage.text)
        statement = statement.where(or_(*(col(field).icontains(word, autoescape=True) for field in fields)))
    return list(session.exec(statement.order_by(col(MailMessage.sent_at).desc()).limit(limit)))


def key(folder: str, message_id: str) -> str:
    """The key of a message in a folder."""
    return f"{folder}/{message_id}"
