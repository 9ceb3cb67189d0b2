"""The vector index on a real Chroma server, shared by two processes."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kernel.store import Store
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.vector_lines import ProcessLine
from tests.knowledge.conftest import Opened
from tests.knowledge.team import IN_GENERAL, document

CHROMA = Path(sys.executable).with_name("chroma")


@pytest.fixture
async def chroma_url(tmp_path: Path) -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(CHROMA), "run", "--path", str(tmp_path / "server"), "--host", "127.0.0.1", "--port", str(port)]
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    await listening(port)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    await server.wait()


async def listening(port: int) -> None:
    async with asyncio.timeout(60):
        for attempt in range(1000):
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(min(0.02 * attempt, 0.5))
                continue
            writer.close()
            await writer.wait_closed()
            return


async def test_two_processes_share_a_server(
    sqlite_store: Store, open_knowledge: Opened, chroma_url: str, tmp_path: Path
) -> None:
    served = {"chroma_url": chroma_url, "line": ProcessLine}
    first: Knowledge = await open_knowledge(sqlite_store, **served, folder=tmp_path / "a")
    await first.add(document("a", "Refunds are paid in May.", title="Refunds"))
    assert await first.settled(90)
    second: Knowledge = await open_knowledge(sqlite_store, **served, folder=tmp_path / "b")
    found = await second.search("refunds", IN_GENERAL)
    assert (found.ways, found.passages[0].title) == (("meaning", "words"), "Refunds")
    await second.add(document("b", "Unicorns are counted in June.", title="Unicorns"))
    assert await second.settled(60)
    found = await first.search("unicorns", IN_GENERAL)
    assert (found.ways, found.passages[0].title) == (("meaning", "words"), "Unicorns")
    assert (await first.status()).indexed == 2


async def test_a_server_that_is_away_is_waited_for(sqlite_store: Store, open_knowledge: Opened, tmp_path: Path) -> None:
    knowledge = await open_knowledge(sqlite_store, chroma_url="http://127.0.0.1:9", line=ProcessLine, patience=0.0)
    await knowledge.add(document("a", "Refunds are paid in May.", title="Refunds"))
    found = await knowledge.search("refunds", IN_GENERAL)
    assert (found.ways, found.passages[0].title) == (("words",), "Refunds")
    assert not await knowledge.settled(0.1)
