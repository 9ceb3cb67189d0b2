"""Invariant 10: no test reaches the world."""

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import httpx
import pytest

from tests.ground import offline

FAR = ("192.0.2.1", 9)  # a documentation address: nothing answers there, should the guard ever fail


@pytest.fixture
def attempts() -> Iterator[list[str]]:
    """The refused attempts of this test, which are what it is about: forgotten before they fail it."""
    yield offline.ATTEMPTS
    offline.ATTEMPTS.clear()


def test_a_connection_out_is_refused_with_a_clear_sentence(attempts: list[str]) -> None:
    with (
        socket.socket() as sock,
        pytest.raises(offline.WorldReached, match=r"this machine.*192\.0\.2\.1"),
    ):
        sock.connect(FAR)
    assert "test_offline.py" in attempts[0]


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::1", "10.0.0.1", "::ffff:192.0.2.1"])
def test_only_loopback_counts_as_here(attempts: list[str], address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock, pytest.raises(offline.WorldReached):
        sock.connect((address, 9))


def test_a_datagram_out_is_refused(attempts: list[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(offline.WorldReached):
        sock.sendto(b"hello", FAR)


def test_names_are_not_looked_up(attempts: list[str]) -> None:
    with pytest.raises(offline.WorldReached, match="example"):
        socket.getaddrinfo("example.com", 443)


async def test_asyncio_is_refused(attempts: list[str]) -> None:
    with pytest.raises(offline.WorldReached):
        await asyncio.open_connection(*FAR)


async def test_a_client_library_is_refused(attempts: list[str]) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(ExceptionGroup) as failure:  # a group, because httpx tries addresses side by side
            await client.get("http://192.0.2.1/")
    assert failure.group_contains(offline.WorldReached)


async def test_loopback_works() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
        assert await reader.read() == b""
        writer.close()


def test_socket_files_work() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/s")
        server.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{folder}/s")


def test_a_program_that_a_test_starts_is_kept_in_too() -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "A test may reach only this machine" in done.stderr


def test_a_swallowed_attempt_still_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile(
        """
        import contextlib, socket

        def test_swallows():
            with contextlib.suppress(Exception):
                socket.create_connection(("192.0.2.1", 9))
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*A test may reach only this machine*192.0.2.1*"])


def test_no_real_account_is_inherited(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        "ANTHROPIC_API_KEY",
        "SLACK_BOT_TOKEN",
        "DISCORD_BOT_TOKEN",
        "DATABASE_URL",
        "HTTPS_PROXY",
    ]
    for name in names:
        monkeypatch.setenv(name, "real")
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile(f"import os\ndef test_it():\n    assert not set(os.environ) & set({names!r})\n")
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist").assert_outcomes(passed=1)
