"""How searches and ingest hold out with many chunks: `python -m benchmarks.retrieval.scale --chunks 100000`.

The many chunks are invented and so are their vectors: only what is measured has to be waited for. Then the index is
built from the stored vectors, questions are asked one after the other (embedded by the shipped model), and some more
documents are ingested, in turns with the model alone on the same texts. The collector of garbage is set as Bosun sets
it. With --folder, what was prepared is kept there and used again.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import click

from benchmarks.machine import cpu_seconds, memory_mb
from benchmarks.retrieval import invented
from benchmarks.retrieval.figures import percentile
from kernel import memory
from kernel.clock import SystemClock, SystemIds
from kernel.store import Store, migrations, open_store
from kernel.store.engines import sqlite_url
from knowledge.engine.audience import Audience
from knowledge.engine.embedding import MINILM, choice_of, load_embedder
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge

LONG = 3600.0 * 6  # seconds
WARM_UP = 10  # questions that are not counted
ROUND = 20  # documents that are ingested in one go, then the same by the model alone
NEW = 10_000_000  # numbers of documents that were not prepared


@click.command(help=__doc__)
@click.option("--chunks", default=100_000, show_default=True)
@click.option("--questions", default=200, show_default=True)
@click.option("--rounds", default=4, show_default=True, help="of ingest, about 200 chunks each; 0: leave it out")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="keep what is prepared here")
@click.option("--prepare", is_flag=True, help="only prepare the folder")
def main(*, chunks: int, questions: int, rounds: int, folder: Path | None, prepare: bool) -> None:
    """Prepare in another process, so that its memory is not counted; measure and print."""
    with tempfile.TemporaryDirectory(prefix="bosun-scale-") as name:
        base = folder or Path(name)
        base.mkdir(parents=True, exist_ok=True)
        if prepare:
            asyncio.run(_prepare(base, chunks))
            return
        if not (base / "prepared").exists():
            command = [sys.executable, "-m", "benchmarks.retrieval.scale", "--prepare", "--chunks", str(chunks)]
            subprocess.run([*command, "--folder", str(base)], check=True)
        asyncio.run(_measure(base, questions, rounds))


def _open(folder: Path) -> tuple[Store, Knowledge]:
    store = open_store(sqlite_url(folder / "bosun.sqlite3"))
    migrations.upgrade(store)
    return store, Knowledge(store, SystemClock(), SystemIds(), folder / "knowledge", pace=Pace(settle=0.0), patience=60)


async def _prepare(folder: Path, chunks: int) -> None:
    store, knowledge = _open(folder)
    started = monotonic()
    there = await invented.fill(store, knowledge, chunks)
    store.close()
    (folder / "prepared").write_text(f"{there}\n", "utf-8")
    print(f"prepared: {there} chunks in {monotonic() - started:.0f} s", flush=True)


async def _measure(folder: Path, questions: int, rounds: int) -> None:
    store, knowledge = _open(folder)
    started = monotonic()
    await knowledge.start()
    try:
        await knowledge.settled(LONG)
        print(
            f"index opened or built: {monotonic() - started:.1f} s, {(await knowledge.status()).indexed} vectors",
            flush=True,
        )
        memory.settle()
        for name, audience in (("everybody", invented.EVERYBODY), ("one channel", invented.FEW)):
            before = cpu_seconds(os.getpid())
            times = await _ask(knowledge, audience, questions)
            used = (cpu_seconds(os.getpid()) - before) * 1000 / (questions + WARM_UP)
            print(
                f"search, {name}: p50 {percentile(times, 0.5):.1f} ms, p95 {percentile(times, 0.95):.1f} ms, "
                f"longest {max(times):.1f} ms; CPU {used:.1f} ms each",
                flush=True,
            )
        print(f"memory: {memory_mb(os.getpid()):.0f} MB, both processes", flush=True)
        if rounds:
            whole, alone, count = await _ingest(knowledge, rounds)
            print(
                f"ingest: {count / whole[0]:.1f} chunks/s, the model alone {count / alone[0]:.1f}: "
                f"{whole[0] / alone[0]:.2f} times; CPU of both processes {whole[1] / alone[1]:.2f} times",
                flush=True,
            )
            print(f"memory after ingest: {memory_mb(os.getpid()):.0f} MB, with the model that was measured", flush=True)
    finally:
        await knowledge.stop()
        store.close()


async def _ask(knowledge: Knowledge, audience: Audience, questions: int) -> list[float]:
    """Milliseconds of each question."""
    language, times = invented.Language(), []
    for number in range(WARM_UP + questions):
        question = language.question(number)
        started = monotonic()
        found = await knowledge.search(question, audience)
        times.append((monotonic() - started) * 1000)
        if "meaning" not in found.ways:
            raise RuntimeError(f"a search went by words: {found.note}")
    return times[WARM_UP:]


class Spent(NamedTuple):
    """What something took, in seconds."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Spent:
        """Since this process began."""
        return cls(monotonic(), cpu_seconds(os.getpid()))

    def and_since(self, start: Spent) -> Spent:
        """This, and what was spent since then."""
        now = Spent.now()
        return Spent(self.wall + now.wall - start.wall, self.cpu + now.cpu - start.cpu)


async def _ingest(knowledge: Knowledge, rounds: int) -> tuple[Spent, Spent, int]:
    """What the whole stack took, and the model alone on the same texts; how many chunks that were."""
    model = await asyncio.to_thread(load_embedder, choice_of(MINILM), {})
    language, whole, alone, count = invented.Language(), Spent(0.0, 0.0), Spent(0.0, 0.0), 0
    await asyncio.to_thread(model.embed, ["warm"])
    first = NEW + (await knowledge.status()).documents  # none of them is known from an earlier run
    for number in range(rounds):
        texts: list[str] = []
        made = list(invented.documents(language, first + number * ROUND, ROUND))
        started = Spent.now()
        for document in made:
            await knowledge.add(document)
        await knowledge.settled(LONG)
        whole = whole.and_since(started)
        for document in made:
            opened = await knowledge.search(document.title, invented.EVERYBODY, 1)
            texts += await _chunks(knowledge, opened.passages[0].document_id)
        started = Spent.now()
        await asyncio.to_thread(model.embed, texts)
        alone = alone.and_since(started)
        count += len(texts)
    return whole, alone, count


async def _chunks(knowledge: Knowledge, document_id: str) -> list[str]:
    opened = await knowledge.document(document_id, invented.EVERYBODY)
    return [f"{opened.title}\n{chunk.text}" for chunk in opened.chunks] if opened is not None else []


if __name__ == "__main__":
    main()
