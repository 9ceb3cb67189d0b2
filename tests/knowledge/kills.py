"""Kills the processes of a knowledge base at random instants, and then looks whether index and database are equal.

`python -m tests.knowledge.kills --kills 100` runs it at full length; `--postgres --chroma-server --replicas 3` on what
a larger team has. What is killed is a process that changes documents, the one with the vector index, or the Chroma
server, while documents come, change and go, both indexes are rebuilt, and another model embeds everything again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251  seeded: when to kill what
from typing import TYPE_CHECKING, cast

from kernel.clock import SystemClock
from kernel.config import ROOT
from kernel.store import knowledge as rows
from kernel.store import knowledge_words as words
from kernel.store import open_store
from kernel.store.engines import sqlite_url
from kernel.store.migrations import upgrade
from knowledge.engine.audience import TEAM, Audience
from knowledge.engine.embedding import MINILM, WORDS
from knowledge.engine.upkeep import LEASE
from tests.conftest import running_postgres
from tests.knowledge.chroma_server import ChromaServer, chroma_server
from tests.knowledge.index_differences import differences
from tests.knowledge.replicas import replica_folder, replicas

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence
    from datetime import datetime

    from kernel.store import Store
    from knowledge.engine.knowledge import Knowledge

LATEST = 1.5  # seconds after which a kill comes at the latest
AT_ONCE = 3  # kills, at most, before it is looked: also what comes up again is killed
PATIENCE = 300.0  # seconds until both indexes are level
SEARCHED = 12  # marks that are searched for each time
EVERYBODY = Audience(grants=frozenset({TEAM}))


@dataclass
class Told:
    """What the process has said of a document: the mark that it was given last, and whether that is done."""

    mark: str = ""  # empty: it was forgotten
    before: str = ""  # what counted when the last change began
    done: bool = True


class Later(SystemClock):
    """After the lease of whoever was killed while it built an index on a server."""

    def now(self) -> datetime:
        return super().now() + 2 * LEASE


@dataclass
class Kills:
    """One knowledge base on which processes are killed, worked on by one process or by several."""

    folder: Path
    seed: int
    database: str = ""  # URL of an empty database; without it SQLite
    chroma: ChromaServer | None = None
    replicas: int = 1
    models: tuple[str, ...] = (WORDS, MINILM)  # that take turns: each embeds everything again
    every: int = 4  # looks between two models
    killed: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)  # marks that may be found nowhere any more

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.rounds = 0
        self.url = self.database or sqlite_url(self.folder / "bosun.sqlite3")
        self.served = self.chroma.url if self.chroma is not None else None
        store = open_store(self.url)
        upgrade(store)
        store.close()

    async def run(self, kills: int) -> list[str]:
        """Kill that often; returns what is wrong, in words."""
        looks = 0
        while self.killed.total() < kills:
            model = self.models[looks // self.every % len(self.models)]
            for _ in range(min(self.chance.randint(1, AT_ONCE), kills - self.killed.total())):
                await self._work_and_kill(model)
            await self._look(model)
            looks += 1
        return self.problems

    # -- killing ----------------------------------------------------------------------------------

    async def _work_and_kill(self, model: str) -> None:
        self.rounds += 1
        team = list(await asyncio.gather(*(self._begin(model, number) for number in range(self.replicas))))
        await asyncio.sleep(self.chance.uniform(0, LATEST))
        if self.chroma is not None and self.chance.random() < 0.4:
            await self.chroma.kill_and_start()
            self.killed["server"] += 1
            await asyncio.sleep(self.chance.uniform(0, LATEST))
        self.chance.shuffle(team)
        for child, following in team:  # one after the other: those who are left work on
            await self._kill_one(child)
            await following

    async def _begin(self, model: str, replica: int) -> tuple[Process, asyncio.Task[None]]:
        """A process that changes documents, and what notes down what it says."""
        seed = self.rounds * 10 + replica
        arguments = [str(self.folder), str(seed), model, self.url, str(replica)]
        command = [sys.executable, "-m", "tests.knowledge.ingest_child", *arguments, *filter(None, [self.served])]
        with (self.folder / "log").open("ab") as log:
            child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
        assert child.stdout is not None
        if (await child.stdout.readline()).strip() != b"started":
            raise RuntimeError((self.folder / "log").read_text()[-3000:])
        return child, asyncio.create_task(self._follow(child.stdout))

    async def _kill_one(self, child: Process) -> None:
        engines = children_of(child.pid)
        if engines and self.chance.random() < 0.4:
            _kill(engines)
            self.killed["engine"] += 1
            await asyncio.sleep(self.chance.uniform(0, LATEST))
            engines = children_of(child.pid)
        if child.returncode is not None:
            self._wrong(f"a writer ended by itself: {(self.folder / 'log').read_text()[-1000:]}")
            return
        child.kill()
        if not engines or self.chance.random() < 0.5:  # both at once, or the engine finds out by itself
            _kill(engines)
        self.killed["writer"] += 1
        await child.wait()

    async def _follow(self, lines: asyncio.StreamReader) -> None:
        begun: dict[str, str] = {}
        async for line in lines:
            verb, number, *rest = line.decode().split()
            if verb == "begin":
                begun[number] = rest[0]
                told = self.told.setdefault(rest[0], Told())
                self.told[rest[0]] = Told(mark=rest[1] if rest[1:] else "", before=told.mark, done=False)
            else:
                told = self.told[begun[number]]
                told.done = True
                self.gone += [told.before] if told.before else []

    # -- looking ----------------------------------------------------------------------------------

    async def _look(self, model: str) -> None:
        """Start again, wait until all is level, and compare."""
        store = open_store(self.url)
        try:
            async with replicas(
                self.url, self.served, Later(), self.folder, count=self.replicas, embedder=model
            ) as knowledge:
                if not await knowledge.settled(PATIENCE):
                    self._wrong(f"the index did not become level: {(await knowledge.status()).problem}")
                    return
                self._compare_marks(store)
                await self._search(cast("Knowledge", knowledge))
            for wrong in await differences(store, replica_folder(self.folder, 0), self.served):
                self._wrong(wrong)
        finally:
            store.close()

    def _wrong(self, what: str) -> None:
        self.problems.append(f"after {self.killed.total()} kills: {what}")

    def _compare_marks(self, store: Store) -> None:
        for key, told in self.told.items():
            text, _origin = store.read_now(lambda session, key=key: rows.text_of(session, "upload", key))  # type: ignore[misc]  # bound at once
            held = text.split()[1] if text else ""
            if held != told.mark and (told.done or held != told.before):
                self._wrong(f"{key} holds {held or 'nothing'} instead of {told.mark or 'nothing'}")
            if not told.done:  # it did not happen, or it did: both are right, and from now on one of them is
                self.gone += [each for each in (told.mark, told.before) if each and each != held]
                self.told[key] = Told(mark=held)
        for mark in set(self.gone):
            if store.read_now(lambda session, mark=mark: words.matches(session, [mark], 1)):  # type: ignore[misc]  # bound at once
                self._wrong(f"the index of words still has {mark}")

    async def _search(self, knowledge: Knowledge) -> None:
        """As people do: what is known is found, what was forgotten is not."""
        known = [told.mark for told in self.told.values() if told.mark]
        for mark in self.chance.sample(known, min(SEARCHED, len(known))):
            found = await knowledge.search(mark, EVERYBODY)
            if found.ways != ("meaning", "words") or not any(mark in passage.text for passage in found.passages):
                self._wrong(f"{mark} is not found by {found.ways}")
        for mark in self.gone[-SEARCHED:]:
            found = await knowledge.search(mark, EVERYBODY)
            if any(mark in passage.text for passage in found.passages):
                self._wrong(f"{mark} was forgotten and is found")


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def _kill(processes: Sequence[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, look, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="on a Postgres of its own, not on SQLite")
    parser.add_argument("--chroma-server", action="store_true", help="on a Chroma server, not in a folder")
    parser.add_argument("--replicas", type=int, default=1, help="processes at work; more than one needs both")
    chosen = parser.parse_args(arguments)
    if chosen.replicas > 1 and not (chosen.postgres and chosen.chroma_server):
        parser.error("--replicas needs --postgres and --chroma-server")
    folder = Path(tempfile.mkdtemp(prefix="bosun-kills-"))
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(running_postgres()).create() if chosen.postgres else ""
        chroma = stack.enter_context(chroma_server(folder / "chroma")) if chosen.chroma_server else None
        kills = Kills(folder, chosen.seed, database, chroma, chosen.replicas)
        problems = asyncio.run(kills.run(chosen.kills))
    print(f"{dict(kills.killed)} killed, {len(kills.gone)} texts replaced or forgotten, in {folder}")
    print("\n".join(problems) or "index and database are equal, nothing is missing, nothing forgotten is found")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
