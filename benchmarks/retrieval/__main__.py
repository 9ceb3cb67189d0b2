"""Puts collections into a fresh knowledge base, asks every question as a user would, and prints one row for each.

`python -m benchmarks.retrieval [FOLDER ...]`: without a folder, the collection that ships with the tests. The index,
the model and the ranking are those of the product.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from benchmarks.retrieval import own
from benchmarks.retrieval.collection import Collection, found_id, read
from benchmarks.retrieval.figures import ndcg, percentile, recall
from kernel.clock import SystemClock, SystemIds
from kernel.store import migrations, open_store
from kernel.store.engines import sqlite_url
from knowledge.engine.embedding import MINILM
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge

if TYPE_CHECKING:
    from benchmarks.retrieval.collection import Query

PASSAGES = 40  # asked for: several may be of one document
HOUR = 3600.0 * 6


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one collection gave."""

    name: str
    documents: int
    chunks: int
    queries: int
    ndcg: float
    recall: float
    unanswered: int  # questions for which it abstained
    ingest: float  # seconds until everything was embedded and in the index
    p50: float  # ms
    p95: float


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--embedder", default=MINILM, show_default=True, help="minilm, minilm-fp32, or a choice as JSON")
@click.option("--split", default="test", show_default=True, help="which file of qrels/")
@click.option("--most", default=0, help="ask only so many questions, evenly chosen")
def main(*, folders: tuple[Path, ...], embedder: str, split: str, most: int) -> None:
    """Measure and print."""
    head = [
        "collection",
        "documents",
        "chunks",
        "questions",
        "nDCG@10",
        "recall@10",
        "unanswered",
        "ingest-s",
        "p50-ms",
        "p95-ms",
    ]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    with tempfile.TemporaryDirectory(prefix="bosun-retrieval-") as name:
        for folder in folders or (own.write(Path(name)),):
            base = Path(name) / f"of-{folder.name}"
            base.mkdir()
            row = asyncio.run(measure(read(folder, split), base, embedder, most))
            figures = f"{row.ndcg:.3f} | {row.recall:.3f} | {row.unanswered}"
            times = f"{row.ingest:.1f} | {row.p50:.1f} | {row.p95:.1f}"
            print(f"| {row.name} | {row.documents} | {row.chunks} | {row.queries} | {figures} | {times} |", flush=True)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    sys.stderr.write(f"memory at most: {used / 1024:.0f} MB, both processes\n")


async def measure(collection: Collection, folder: Path, embedder: str, most: int = 0) -> Row:
    """Ingest a collection into the folder and ask its questions, one after the other."""
    store = open_store(sqlite_url(folder / "bosun.sqlite3"))
    migrations.upgrade(store)
    knowledge = Knowledge(
        store, SystemClock(), SystemIds(), folder / "knowledge", embedder=embedder, pace=Pace(settle=0.0), patience=60.0
    )
    await knowledge.start()
    try:
        started = monotonic()
        for document in collection.documents:
            await knowledge.add(document)
        await knowledge.settled(HOUR)
        ingest = monotonic() - started
        status = await knowledge.status()
        queries = collection.queries[:: max(1, len(collection.queries) // most)] if most else collection.queries
        asked = [await _ask(knowledge, query) for query in queries]
    finally:
        await knowledge.stop()
        store.close()
    times = [seconds * 1000 for _found, seconds in asked]
    pairs = [(found, query.relevant) for (found, _seconds), query in zip(asked, queries, strict=True)]
    return Row(
        name=collection.name,
        documents=len(collection.documents),
        chunks=status.chunks,
        queries=len(queries),
        ndcg=sum(ndcg(found, relevant) for found, relevant in pairs) / len(pairs),
        recall=sum(recall(found, relevant) for found, relevant in pairs) / len(pairs),
        unanswered=sum(not found for found, _relevant in pairs),
        ingest=ingest,
        p50=percentile(times, 0.5),
        p95=percentile(times, 0.95),
    )


async def _ask(knowledge: Knowledge, query: Query) -> tuple[list[str], float]:
    """The ids that a question finds, best first, and the seconds it took."""
    started = monotonic()
    result = await knowledge.search(query.text, query.audience, PASSAGES)
    seconds = monotonic() - started
    return list(dict.fromkeys(found_id(passage.key, passage.permalink) for passage in result.passages)), seconds


if __name__ == "__main__":
    main()
