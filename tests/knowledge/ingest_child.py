"""A process that changes a knowledge base until it is killed.

`python -m tests.knowledge.ingest_child FOLDER SEED MODEL DATABASE NUMBER [CHROMA]`: replica NUMBER, whose documents
are its own. It says what it begins and what is done, a line each:
"begin 17 r0d3 mark17x", "done 17". A document without a mark is one that is forgotten. Between them it rebuilds the
indexes and waits until they are level.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from random import Random  # noqa: TID251  seeded: what is changed

from kernel.clock import SystemClock, SystemIds
from kernel.store import knowledge as rows
from kernel.store import open_store
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge
from tests.knowledge.replicas import replica_folder
from tests.knowledge.team import document

KEYS = 20
WORDS = ("refunds", "hours", "plans", "keys")


async def main(folder: Path, seed: int, embedder: str, *, database: str, replica: int, chroma: str | None) -> None:
    """Change documents at random, for ever."""
    chance = Random(seed)
    own = replica_folder(folder, replica)
    store = open_store(database)
    knowledge = Knowledge(
        store, SystemClock(), SystemIds(), own, chroma, embedder=embedder, pace=Pace(settle=0.0, check=0.5)
    )
    await knowledge.start()
    say("started")
    for step in range(100_000):
        number = seed * 100_000 + step
        key, what = f"r{replica}d{chance.randrange(KEYS)}", chance.random()
        if what < 0.05:
            await knowledge.rebuild()
        elif what < 0.2:
            await knowledge.settled(chance.uniform(0, 2))
        elif what < 0.4:
            say(f"begin {number} {key}")
            found = store.read_now(lambda session, key=key: rows.id_of(session, "upload", key))  # type: ignore[misc]  # bound at once
            if found is not None:
                await knowledge.forget(found)
            say(f"done {number}")
        else:
            mark = f"mark{number}x"
            say(f"begin {number} {key} {mark}")
            await knowledge.add(document(key, "\n\n".join(f"{word} {mark} " * 30 for word in WORDS)))
            say(f"done {number}")


def say(line: str) -> None:
    """Tell whoever follows; at once."""
    print(line, flush=True)  # noqa: T201  how the test follows


if __name__ == "__main__":
    _name, at, seeded, model, url, which, *server = sys.argv
    asyncio.run(main(Path(at), int(seeded), model, database=url, replica=int(which), chroma=next(iter(server), None)))
