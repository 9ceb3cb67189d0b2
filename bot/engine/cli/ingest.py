"""`bosun ingest`: the charter's documents into the knowledge base, now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.config import Settings
    from knowledge.engine.documents import KnowledgeStatus, SyncReport
    from knowledge.engine.knowledge import Knowledge

PATIENCE = 600.0  # seconds for the vectors


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Read what is new or changed in the charter's knowledge folder, and forget what is gone.

    A running Bosun does this by itself; beside one, the vectors are left to it.
    Exit code 1 if a document could not be read.
    """
    from bot.engine.cli.logs import configure
    from bot.engine.cli.run import is_served
    from kernel.config import read_settings

    settings = read_settings()
    configure("warning")
    report, status = asyncio.run(_ingest(settings, beside=is_served(settings)))
    click.echo(f"{settings.charter / 'knowledge'}: {report.summary}.")
    for refused in report.refused:
        click.echo(f"Not read: {refused.key}: {refused.reason}", err=True)
    click.echo(f"Knowledge base: {status.documents} documents, {status.indexed} of {status.chunks} passages indexed.")
    if status.problem:
        click.echo(f"The index: {status.problem}", err=True)
    ctx.exit(1 if report.refused else 0)


async def _ingest(settings: Settings, *, beside: bool) -> tuple[SyncReport, KnowledgeStatus]:
    from bot.engine.app import read_charter
    from bot.engine.knowing import open_knowledge
    from bot.engine.secrets import Secrets
    from kernel import lock
    from kernel.clock import SystemClock, SystemIds
    from kernel.store import migrations, open_store

    held = None if beside or settings.database_url else lock.hold(settings.data)
    store = open_store(settings.database)
    try:
        migrations.upgrade(store)
        charter, secrets = read_charter(settings), Secrets()
        secrets.take(charter.sources.secrets())
        knowledge = open_knowledge(settings, store, charter, secrets, clock=SystemClock(), ids=SystemIds())
        return await _sync(knowledge, settings.charter / "knowledge", beside=beside)
    finally:
        store.close()
        if held is not None:
            held.release()


async def _sync(knowledge: Knowledge, folder: Path, *, beside: bool) -> tuple[SyncReport, KnowledgeStatus]:
    if beside:
        report = await knowledge.sync_folder(folder)
        return report, await knowledge.status()
    await knowledge.start()
    try:
        report = await knowledge.sync_folder(folder)
        await knowledge.settled(PATIENCE)
        return report, await knowledge.status()
    finally:
        await knowledge.stop()
