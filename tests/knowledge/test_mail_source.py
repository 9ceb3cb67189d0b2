"""Folders of a mailbox as a source, on a real server."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from kernel.clock import FixedClock
from kernel.store import Store
from knowledge import mail
from knowledge.engine.source_settings import Surroundings
from knowledge.engine.web_client import WebClient
from tests.knowledge.conftest import Opened
from tests.knowledge.team import IN_GENERAL
from tests.tools.mail_servers import DOVECOT, PASSWORD, dovecot


@pytest.fixture
def imap_port() -> Iterator[int]:
    if DOVECOT is None:
        pytest.skip("Dovecot is not installed; .ci/run installs it")
    with dovecot() as port:
        yield port


def message(subject: str, text: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "maria@example.org", "team@acme.test", subject
    made["Date"] = "Mon, 02 Mar 2026 08:00:00 +0000"
    made.set_content(text)
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="offer.pdf")
    return made.as_bytes()


async def test_a_mailbox_is_followed_without_being_changed(
    sqlite_store: Store, open_knowledge: Opened, clock: FixedClock, tmp_path: Path, imap_port: int
) -> None:
    knowledge = await open_knowledge(sqlite_store)
    around = Surroundings(
        charter=tmp_path,
        files=knowledge.files,
        web=WebClient(),
        clock=clock,
        store=sqlite_store,
        secret={"MAIL_PASSWORD": PASSWORD}.get,
        resolve=tuple,
        places=lambda _name: [],
        chats=knowledge.chats,
    )
    settings = mail.Settings.model_validate(
        {
            "name": "sales",
            "kind": "mail",
            "server": "127.0.0.1",
            "port": imap_port,
            "encryption": "none",
            "user": "sales",
            "password": "MAIL_PASSWORD",
        }
    )
    with imaplib.IMAP4("127.0.0.1", imap_port, timeout=10) as box:
        box.login("sales", PASSWORD)
        box.append("INBOX", "", "", message("Offer for chairs", "We offer twelve chairs for 900 EUR."))
        box.append("INBOX", "", "", message("Holidays", "We are closed in August."))
        assert (await knowledge.sync(mail.open_source(settings, around))).added == 2
        [first, *_] = (await knowledge.search("offer for twelve chairs", IN_GENERAL)).passages
        assert (first.title, first.author, first.origin) == ("Offer for chairs", "maria@example.org", "outside_text")
        assert "Attached: offer.pdf" in first.text
        box.select("INBOX")
        assert box.search(None, "UNSEEN")[1] == [b"1 2"]  # it was read by nobody
        box.store("2", "+FLAGS", "\\Deleted")
        box.expunge()
    report = await knowledge.sync(mail.open_source(settings, around))
    assert (report.unchanged, report.forgotten) == (1, 1)
    locked_out = replace(around, secret={"MAIL_PASSWORD": "wrong"}.get)
    assert (await knowledge.sync(mail.open_source(settings, locked_out))).state == "cut off"
    assert not (await knowledge.search("offer for twelve chairs", IN_GENERAL)).passages
    nowhere = settings.model_copy(update={"port": 1})
    assert (await knowledge.sync(mail.open_source(nowhere, around))).state == "away"
