"""Source: folders of a mailbox, read through IMAP. Nothing in the mailbox is changed, not even what counts as read."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from knowledge.engine.documents import Document
from knowledge.engine.html_text import html_to_markdown
from knowledge.engine.mailbox import Mailbox
from knowledge.engine.readable import check_length
from knowledge.engine.source import Item, Missing, SourceAway
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.source_settings import Surroundings


class Settings(SourceSettings):
    """Folders of a mailbox."""

    kind: Literal["mail"]
    server: str  # imap.example.org
    port: int = Field(default=993, ge=1, le=65535)
    encryption: Literal["tls", "none"] = "tls"  # "none" for a server on this machine
    user: str
    password: str  # name of the secret
    folders: tuple[str, ...] = ("INBOX",)
    most: int = Field(default=1_000, ge=1, le=20_000)  # newest messages of each folder


class Mail:
    """The messages of the folders, each a document."""

    kind = "mail"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"mail:{settings.name}"
        self.title = f"{settings.user}: {', '.join(settings.folders)}"
        self.readers = around.readers(settings)
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        for folder in self._settings.folders:
            validity, uids = await asyncio.to_thread(self._box().numbers, folder, self._settings.most)
            for uid in uids:
                key = f"{folder}/{validity}/{uid}"
                # A message never changes under its number: it is read once.
                yield Item(key=key, version="1", load=partial(self._load, key, folder, uid))

    def _box(self) -> Mailbox:
        password = self._around.secret(self._settings.password)
        if password is None:
            raise SourceAway(f"The secret {self._settings.password} is not set.")
        settings = self._settings
        encrypted = settings.encryption == "tls"
        return Mailbox(settings.server, settings.port, settings.user, password, encrypted=encrypted)

    async def _load(self, key: str, folder: str, uid: str) -> Document:
        message = await asyncio.to_thread(self._box().message, folder, uid)
        if message is None:
            raise Missing("The message is gone.")
        body = message.text or html_to_markdown(message.html or "").markdown
        names = [attachment.filename for attachment in message.attachments if attachment.filename]
        attached = [f"Attached: {', '.join(names)}"] if names else []
        head = f"From: {message.from_}\nTo: {', '.join(message.to)}\nDate: {message.date_str}"
        return Document(
            source=self.name,
            key=key,
            kind="mail",
            title=(" ".join(message.subject.split()) or "(no subject)")[:200],
            text=check_length("\n\n".join([head, body.strip(), *attached])),
            format="text",
            readers=self.readers,
            origin="outside_text",
            author=message.from_,
            written_at=message.date if message.date.tzinfo else None,
        )


def open_source(settings: Settings, around: Surroundings) -> Mail:
    """The mailbox that the charter names."""
    return Mail(settings, around)
