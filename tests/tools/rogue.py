"""Servers that begin as their protocol says, and then do something else; and what mail servers say."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

Answer = Callable[[bytes], bytes]  # what a server says to a line; nothing: it keeps silent


@dataclass
class Rogue:
    """A server, and the lines that it got."""

    greeting: bytes
    answer: Answer
    port: int = 0
    lines: list[bytes] = field(default_factory=list)
    talks: set[asyncio.StreamWriter] = field(default_factory=set)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)  # nobody talks to it

    def __post_init__(self) -> None:
        self.quiet.set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.add(writer)
        self.quiet.clear()
        try:
            writer.write(self.greeting)
            while line := await reader.readline():
                self.lines.append(line.strip())
                writer.write(self.answer(line.strip()))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
            self.talks.discard(writer)
            if not self.talks:
                self.quiet.set()


@contextlib.asynccontextmanager
async def rogue(greeting: bytes, answer: Answer) -> AsyncIterator[Rogue]:
    """The server on a free port, and the end of all its talks afterwards."""
    made = Rogue(greeting, answer)
    server = await asyncio.start_server(made.talk, "127.0.0.1", 0, limit=2**20)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for writer in made.talks:
            writer.transport.abort()
        await made.quiet.wait()


def imap(says: bytes) -> Answer:
    """Says this to whatever is asked, with TAG for the tag; only its abilities it tells as it should."""

    def answer(line: bytes) -> bytes:
        tag, _, command = line.partition(b" ")
        if command == b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n%s OK done\r\n" % tag
        return says.replace(b"TAG", tag)

    return answer


def smtp(**says: bytes) -> Answer:
    """Says this to the commands that are named, and does everything else that it should."""
    usual = {"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 OK\r\n", "DATA": b"354 Go on\r\n"}
    said = {**usual, "MAIL": b"250 OK\r\n", "RCPT": b"250 OK\r\n", ".": b"250 OK\r\n", **says}

    def answer(line: bytes) -> bytes:
        return said.get(line.decode().partition(" ")[0].upper(), b"")

    return answer
