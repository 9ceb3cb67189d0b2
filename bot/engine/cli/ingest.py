"""`bosun ingest`: the charter's sources into the knowledge base, now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.engine.knowing import Knowing
    from kernel.config import Settings
    from knowledge.engine.documents import KnowledgeStatus
    from knowledge.engine.keeper import Keeper
    from knowledge.engine.knowledge import Knowledge

POLL = 0.25  # seconds
PATIENCE = 3600.0  # seconds for the vectors, and for a running Bosun


@click.command()
@click.argument("source", required=False, default="")
@click.pass_context
def command(ctx: click.Context, source: str) -> None:
    """Read what is new or changed in the charter's knowledge folder and its sources, and forget what is gone.

    With SOURCE, only that one. A running Bosun does all of this by itself; beside one, it is asked to do so at once.
    Channels, sources that only a channel reads, and MCP servers are left to a running Bosun: it is connected to them.
    Exit code 1 if a source or a document could not be read.
    """
    from bot.engine.cli.logs import configure
    from bot.engine.cli.run import is_served
    from kernel.config import read_settings

    settings = read_settings()
    configure("warning")
    ctx.exit(asyncio.run(_ingest(settings, source, beside=is_served(settings))))


async def _ingest(settings: Settings, source: str, *, beside: bool) -> int:
    from bot.engine.app import open_model, read_charter
    from bot.engine.directory import TeamDirectory
    from bot.engine.knowing import Knowing, eyes_of, open_knowledge
    from bot.engine.secrets import Secrets
    from kernel import lock
    from kernel.clock import SystemClock, SystemIds
    from kernel.store import migrations, open_store

    held = None if beside or settings.database_url else lock.hold(settings.data)
    store, clock = open_store(settings.database), SystemClock()
    try:
        migrations.upgrade(store)
        charter, secrets = read_charter(settings), Secrets()
        secrets.take(charter.sources.secrets())
        directory, model = TeamDirectory(lambda: charter, clock), open_model(settings)
        eyes = eyes_of(model, store, clock, directory)
        knowledge = open_knowledge(settings, store, charter, secrets, clock=clock, ids=SystemIds(), eyes=eyes)
        knowing = Knowing(
            knowledge=knowledge,
            store=store,
            clock=clock,
            settings=settings,
            directory=directory,
            secrets=secrets,
            charter=lambda: charter,
        )
        try:
            return await (_ask(knowledge, knowing.keeper, source) if beside else _read(knowledge, knowing, source))
        finally:
            await knowing.stop()
            await model.close()
    finally:
        store.close()
        if held is not None:
            held.release()


async def _read(knowledge: Knowledge, knowing: Knowing, wanted: str) -> int:
    """Read with nobody else at work."""
    from kernel.errors import NotFound

    left = knowing.left_to_a_running_one()
    opened = [source for source, _every in knowing.keeper.opened()]
    chosen = [source for source in opened if wanted in {"", source.name, source.name.partition(":")[2]}]
    if not chosen:
        raise NotFound(
            f"There is no source {wanted}.", hint=f"There are {', '.join(source.name for source in opened)}."
        )
    broken = False
    await knowledge.start()
    try:
        for source in chosen:
            if source.name in left or source.kind == "chat":
                continue
            reading = asyncio.create_task(knowledge.sync(source))
            await _watch(knowledge, source.name, reading.done)
            report = await reading
            click.echo(f"{source.name}: {report.summary}.")
            for refused in report.refused:
                click.echo(f"Not read: {refused.key}: {refused.reason}", err=True)
            broken = broken or bool(report.refused)
        if left:
            click.echo(f"Left to a running Bosun, which knows the channels and servers: {', '.join(sorted(left))}.")
        await show_embedding(knowledge)
        _tell(await knowledge.status())
    finally:
        await knowledge.stop()
    return 1 if broken else 0


async def _ask(knowledge: Knowledge, keeper: Keeper, wanted: str) -> int:
    """Have a running Bosun read, and wait for it."""
    from kernel.errors import NotFound

    asked = keeper.now()
    names = await keeper.read_now(wanted)
    if not names:
        raise NotFound(f"There is no source {wanted}.", hint="`bosun knowledge status` lists them.")
    for name in names:
        await _watch(knowledge, name, lambda: False, since=asked)
    found = [one for one in await knowledge.sources() if one.name in names]
    for one in found:
        click.echo(f"{one.name}: {one.state}, {one.documents} documents" + (f": {one.problem}" if one.problem else "."))
    failures = [failure for failure in await knowledge.failures() if failure.source in names]
    for failure in failures:
        click.echo(f"Not read: {failure.key}: {failure.reason}", err=True)
    _tell(await knowledge.status())
    return 1 if failures or any(one.state in {"away", "cut off"} for one in found) else 0


async def _watch(knowledge: Knowledge, name: str, done: Callable[[], bool], *, since: datetime | None = None) -> None:
    """A bar until the source is read: until `done`, or until somebody has looked at it `since`."""
    with click.progressbar(length=100, label=name) as bar:
        async with asyncio.timeout(PATIENCE):
            while not done():
                status = next((one for one in await knowledge.sources() if one.name == name), None)
                if status is None:
                    await asyncio.sleep(POLL)
                    continue
                if since is not None and status.checked_at is not None and status.checked_at >= since:
                    break
                share = 100 * status.done // status.total if status.state == "reading" and status.total else 0
                bar.update(max(share - bar.pos, 0))
                await asyncio.sleep(POLL)
        bar.update(100 - bar.pos)


async def show_embedding(knowledge: Knowledge) -> None:
    """A bar until everything has its vector and stands in the index."""
    status = await knowledge.status()
    with click.progressbar(length=max(status.chunks, 1), label="embedding") as bar:
        async with asyncio.timeout(PATIENCE):
            while not await knowledge.settled(POLL):
                status = await knowledge.status()
                bar.update(max(min(status.embedded, status.indexed) - bar.pos, 0))
        bar.update(max(status.chunks - bar.pos, 0))


def _tell(status: KnowledgeStatus) -> None:
    click.echo(f"Knowledge base: {status.documents} documents, {status.indexed} of {status.chunks} passages indexed.")
    if status.problem:
        click.echo(f"The index: {status.problem}", err=True)
