"""Mail servers that let nobody in, hang, talk nonsense, flood or want rest: a sentence, or a question to people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kernel.errors import OutcomeUnknown
from kernel.types import ToolResult
from tests.tools.cases import shows
from tests.tools.rogue import imap, rogue, smtp
from tests.tools.test_mail import MESSAGE, do
from tools.draft_mail import draft_mail
from tools.engine import Tool, ToolContext
from tools.engine.setup.file import MailSetup, ToolsFile
from tools.read_mail import read_mail
from tools.search_mail import search_mail
from tools.send_mail import send_mail

IMAP: dict[str, tuple[Tool, dict[str, Any]]] = {
    "search_mail": (search_mail, {"query": "order"}),
    "read_mail": (read_mail, {"id": "<a@b.test>"}),
    "draft_mail": (draft_mail, MESSAGE),
}
READY = b"* OK ready\r\n"
GIGABYTE = b"* 1 FETCH (UID 1 BODY[] {999999999}\r\n"


def on(ctx: ToolContext, *, imap_port: int = 9, smtp_port: int = 9, timeout: float = 20.0) -> ToolContext:
    mail = MailSetup(
        address="team@acme.test",
        password="MAIL_PASSWORD",
        imap=f"imap://127.0.0.1:{imap_port}",
        smtp=f"smtp://127.0.0.1:{smtp_port}",
        plain=True,
        timeout=timeout,
    )
    return replace(ctx, setup=ToolsFile(mail=mail))


@pytest.mark.parametrize("name", IMAP)
@pytest.mark.parametrize(
    ("greeting", "says", "told"),
    [
        (b"", b"", "The mail server did not answer within 0.3 seconds."),
        (READY, b"", "The mail server did not answer within 0.3 seconds."),
        (
            READY,
            b"TAG NO [AUTHENTICATIONFAILED] Mallory says: pay\r\n",
            "The mail server does not take the user name and",
        ),
        (
            READY,
            b"TAG NO [LIMIT] Too many connections\r\n",
            "The mail server asks for fewer requests. Try again later.",
        ),
        (READY, b"TAG BAD [THROTTLED] Wait\r\n", "The mail server asks for fewer requests. Try again later."),
        (b"* BYE [UNAVAILABLE] Later\r\n", b"", "The mail server asks for fewer requests. Try again later."),
        (b"220 here ESMTP\r\n", b"500 what\r\n", "The mail server gave no proper answer ("),
        (READY, GIGABYTE, "The mail server gave no proper answer ("),
    ],
    ids=["mute", "silent", "password", "rate", "throttled", "busy", "other-protocol", "gigabyte"],
)
@shows("not let in", *IMAP)
@shows("hangs", *IMAP)
@shows("garbage", *IMAP)
@shows("huge", *IMAP)
@shows("too many", *IMAP)
async def test_an_imap_server_in_trouble_is_a_sentence(
    ctx: ToolContext, name: str, greeting: bytes, says: bytes, told: str
) -> None:
    tool, arguments = IMAP[name]
    async with rogue(greeting, imap(says)) as server:
        timeout = 0.3 if "0.3" in told else 20
        result = await do(tool, on(ctx, imap_port=server.port, timeout=timeout), **arguments)
    assert result.error
    assert result.content.startswith(told)
    assert "Mallory" not in result.content


async def sent(ctx: ToolContext, **more: Any) -> ToolResult:
    return await do(send_mail, on(ctx, **more), **MESSAGE)


@pytest.mark.parametrize(
    ("greeting", "says", "told"),
    [
        (b"", {}, "The mail server did not answer within 0.3 seconds. Nothing was sent."),
        (b"220 ESMTP\r\n", {"RCPT": b""}, "The mail server did not answer within 0.3 seconds. Nothing was sent."),
        (b"220 ESMTP\r\n", {"AUTH": b"535 Mallory\r\n"}, "The mail server does not take the user name and password"),
        (b"421 Too many connections\r\n", {}, "The mail server refuses the message (code 421). It says that another"),
        (
            b"220 ESMTP\r\n",
            {"MAIL": b"451 4.7.1 Slow down\r\n"},
            "The mail server refuses the message (code 451). It says",
        ),
        (
            b"220 ESMTP\r\n",
            {"RCPT": b"450 Slow\r\n"},
            "The mail server refuses the recipient maria@example.org (code 450)",
        ),
        (
            b"220 ESMTP\r\n",
            {".": b"452 Later\r\n"},
            "The mail server refuses the message (code 452). It says that another",
        ),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", {}, "The mail server "),
        (b"220 ESMTP\r\n", {"RCPT": b"yes please\r\n"}, "The mail server "),
        (b"220-" + b"x" * 2_000_000, {}, "The mail server "),
    ],
    ids=["mute", "silent", "password", "busy", "rate", "recipient", "later", "protocol", "nonsense", "endless"],
)
@shows("not let in", "send_mail")
@shows("hangs", "send_mail")
@shows("garbage", "send_mail")
@shows("huge", "send_mail")
@shows("too many", "send_mail")
async def test_an_smtp_server_in_trouble_has_sent_nothing(
    ctx: ToolContext, greeting: bytes, says: dict[str, bytes], told: str
) -> None:
    async with rogue(greeting, smtp(**says)) as server:
        result = await sent(ctx, smtp_port=server.port, timeout=0.3 if "0.3" in told else 20)
        again = await sent(ctx, smtp_port=server.port, timeout=0.3 if "0.3" in told else 20)
    assert result.error
    assert result.content.startswith(told)
    assert result.content.endswith("Nothing was sent.")
    assert again == result  # and the next try is no repetition of something that may have happened


@pytest.mark.parametrize("says", [b"", b"fine\r\n", b"220 " + b"x" * 200_000], ids=["silent", "nonsense", "endless"])
async def test_a_message_that_was_handed_over_to_such_a_server_is_an_open_question(
    ctx: ToolContext, says: bytes
) -> None:
    async with rogue(b"220 ESMTP\r\n", smtp(**{".": says})) as server:
        timeout = 20 if says else 2
        with pytest.raises(OutcomeUnknown, match="It may have sent it"):
            await sent(ctx, smtp_port=server.port, timeout=timeout)
        with pytest.raises(OutcomeUnknown, match="may have been sent"):  # and is not handed over again
            await sent(ctx, smtp_port=server.port, timeout=timeout)
    assert server.lines.count(b".") == 1


async def test_a_message_that_is_sent_and_cannot_be_kept_is_sent(ctx: ToolContext) -> None:
    async with rogue(b"220 ESMTP\r\n", smtp()) as post, rogue(READY, imap(b"TAG NO [OVERQUOTA] Full\r\n")) as box:
        told = await sent(ctx, smtp_port=post.port, imap_port=box.port)
        again = await sent(ctx, smtp_port=post.port, imap_port=box.port)
    assert told.content.startswith("The message was sent, but not kept in Sent: The mailbox is full.")
    assert again == told
    assert post.lines.count(b".") == 1
