"""Three knowledge bases on one Postgres and one Chroma server, asked in turns as if they were one."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from kernel.clock import Clock, SystemIds
from kernel.store import open_store
from knowledge.engine.embedding import WORDS
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.vector_lines import ThreadLine

PACE = Pace(settle=0.0, check=0.1)
EVERYWHERE = frozenset({"settled"})  # what has to be true on each of them


class Replicas:
    """Each call goes to the next one, so that what one was told another is asked for."""

    def __init__(self, members: Sequence[Knowledge]) -> None:
        self.members = tuple(members)
        self._turns = itertools.cycle(self.members)

    def __getattr__(self, name: str) -> Any:
        if name not in EVERYWHERE:
            return getattr(next(self._turns), name)

        async def everywhere(*arguments: object) -> bool:
            return all(await asyncio.gather(*(getattr(member, name)(*arguments) for member in self.members)))

        return everywhere


def replica_folder(folder: Path, number: int) -> Path:
    """What a replica has on its own disk."""
    return folder / f"replica-{number}"


@contextlib.asynccontextmanager
async def replicas(
    database: str, chroma: str | None, clock: Clock, folder: Path, *, count: int = 3, embedder: str = WORDS
) -> AsyncIterator[Replicas]:
    """Each has its own connections. They are stopped before the database goes."""
    stores = [open_store(database) for _ in range(count)]
    members = [
        Knowledge(
            store,
            clock,
            SystemIds(),
            replica_folder(folder, number),
            chroma,
            embedder=embedder,
            line=ThreadLine,
            pace=PACE,
            patience=60.0,
        )
        for number, store in enumerate(stores)
    ]
    for member in members:
        await member.start()
    try:
        yield Replicas(members)
    finally:
        for member, store in zip(members, stores, strict=True):
            await member.stop()
            store.close()
