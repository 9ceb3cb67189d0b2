"""A real Chroma server on this machine, which can be killed and comes back where it was."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CHROMA = Path(sys.executable).with_name("chroma")


@dataclass
class ChromaServer:
    """`chroma run` on a folder."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; returns once it listens."""
        command = [str(CHROMA), "run", "--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _attempt in range(600):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            threading.Event().wait(0.1)
        raise RuntimeError("the Chroma server did not start")

    async def kill_and_start(self) -> None:
        """Kill it as it stands, and start it again as whoever looks after it would."""
        if self.process is not None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
        await asyncio.to_thread(self.start)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


@contextlib.contextmanager
def chroma_server(folder: Path) -> Iterator[ChromaServer]:
    """A server that runs meanwhile."""
    server = ChromaServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
