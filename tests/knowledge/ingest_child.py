"""A process that ingests until it is killed: `python -m tests.knowledge.ingest_child FOLDER ROUND`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from kernel.clock import SystemClock, SystemIds
from kernel.store import open_store
from kernel.store.database import sqlite_url
from kernel.store.migrations import upgrade
from knowledge.engine.embedding import WORDS
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.vector_lines import ThreadLine
from tests.knowledge.team import document


async def main(folder: Path, number: int) -> None:
    store = open_store(sqlite_url(folder / "bosun.sqlite3"))
    upgrade(store)
    knowledge = Knowledge(
        store,
        SystemClock(),
        SystemIds(),
        folder / "knowledge",
        embedder=WORDS,
        line=ThreadLine,
        pace=Pace(settle=0.0),
    )
    await knowledge.start()
    print("started", flush=True)  # noqa: T201  how the test follows
    for step in range(10_000):
        text = "\n\n".join(f"{word} {step} {number} " * 40 for word in ("refunds", "hours", "plans", "keys"))
        added = await knowledge.add(document(f"d{step % 40}", text))
        if step % 7 == 6:
            await knowledge.forget(added.document_id)
        if step % 5 == 4:
            await knowledge.settled(5)
        print("step", flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
