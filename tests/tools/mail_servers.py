"""Real mail servers on loopback for the tests: aiosmtpd takes messages, Dovecot keeps them."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import imaplib
import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "open-sesame"
DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass
class Post:
    """What an SMTP server took, and how it behaves."""

    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)  # recipient -> answer
    answers: str = "250 OK"  # to a whole message
    hangs_up: bool = False  # after it has the whole message

    async def handle_RCPT(  # noqa: N802  the server's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers.startswith("250"):
            self.taken.append(envelope)
        if self.hangs_up:
            transport: Any = server.transport
            transport.abort()
        return self.answers


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=right)


@contextlib.asynccontextmanager
async def smtp_server() -> AsyncIterator[Post]:
    """A server that asks for a password and keeps what it takes."""
    post = Post()
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that passwords want TLS; this is loopback
            return SMTP(post, authenticator=_authenticate, auth_require_tls=False, auth_required=True, loop=loop)

    server = await loop.create_server(connection, "127.0.0.1", 0)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()


CONFIGURATION = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@contextlib.contextmanager
def dovecot() -> Iterator[int]:
    """A Dovecot of its own; yields the port of its IMAP.

    Its folder is none of pytest's: every pytest that starts on the machine closes the folder above those to anybody but
    its owner, and Dovecot keeps mail as somebody else.
    """
    with tempfile.TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True) as folder:
        yield from _dovecot(Path(folder))


def _dovecot(folder: Path) -> Iterator[int]:
    assert DOVECOT is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user, group = ("nobody", "nogroup") if os.geteuid() == 0 else (getpass.getuser(), str(os.getegid()))
    (folder / "mail").mkdir()
    if os.geteuid() == 0:  # Dovecot keeps no mail as root
        shutil.chown(folder / "mail", user)
        folder.chmod(0o755)
    settings = folder / "dovecot.conf"
    settings.write_text(CONFIGURATION.format(folder=folder, user=user, group=group, password=PASSWORD, port=port))
    process = subprocess.Popen([DOVECOT, "-F", "-c", str(settings)], start_new_session=True)
    try:
        _wait_for(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError, imaplib.IMAP4.error):  # the port opens before the rest is ready
            with imaplib.IMAP4("127.0.0.1", port, timeout=10) as probe:
                probe.login("probe", PASSWORD)
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            break
    raise AssertionError("Dovecot does not start")
