"""`bosun knowledge status|search|rebuild|forget`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.documents import SourceStatus
    from knowledge.engine.knowledge import Knowledge


@click.group()
def command() -> None:
    """Look at the knowledge base, search it as somebody would, rebuild its indexes, forget what is in it."""


@command.command()
def status() -> None:
    """List the sources: how many documents, how fresh, what could not be read.

    Exit code 1 if a source is away or cut off, or a document could not be read.
    """
    asyncio.run(_status())


async def _status() -> None:
    from bot.engine.cli.tables import show, when

    async with _beside() as knowledge:
        sources, failures, known = await knowledge.sources(), await knowledge.failures(), await knowledge.status()
    rows = [
        (one.name, str(one.documents), _standing(one), when(one.checked_at) if one.checked_at else "", one.title)
        for one in sources
    ]
    show(("source", "documents", "state", "last read", "title"), rows, empty="Nothing was read yet.")
    click.echo(
        f"{known.documents} documents; {known.indexed} of {known.chunks} passages in the index of {known.model}."
    )
    for failure in failures:
        click.echo(f"Not read: {failure.source}: {failure.key}: {failure.reason} {failure.hint}".rstrip(), err=True)
    ill = [one for one in sources if one.state in {"away", "cut off"}]
    for one in ill:
        click.echo(f"{one.name} is {one.state}: {one.problem}", err=True)
    click.get_current_context().exit(1 if failures or ill else 0)


def _standing(source: SourceStatus) -> str:
    share = f" {100 * source.done // source.total}%" if source.state == "reading" and source.total else ""
    return f"{source.state}{share}" + (f", {source.failed} not read" if source.failed else "")


@command.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--as", "person", metavar="PERSON", help="What this person of people.yaml may read in a direct message.")
@click.option("--channel", metavar="#NAME", help="What everybody in this channel may read.")
@click.option("-n", "--limit", default=6, show_default=True, type=click.IntRange(1, 50), help="How many passages.")
def search(query: tuple[str, ...], person: str | None, channel: str | None, limit: int) -> None:
    """Search as the team, a person or a channel would. Beside a running Bosun it goes by words alone."""
    asyncio.run(_search(" ".join(query), person, channel, limit))


async def _search(query: str, person: str | None, channel: str | None, limit: int) -> None:
    from bot.engine.app import read_charter
    from bot.engine.cli.run import is_served
    from bot.engine.knowledge_audiences import audience_of
    from kernel.config import read_settings
    from knowledge.engine.differences import differences, stated

    settings = read_settings()
    audience = await audience_of(read_charter(settings), person=person, channel=channel)
    alone = not is_served(settings)
    async with _beside() as knowledge:
        if alone:
            await knowledge.start()
        try:
            found = await knowledge.search(query, audience, limit, patience=30.0 if alone else 0.0)
        finally:
            await knowledge.stop()
    for number, passage in enumerate(found.passages, 1):
        title = passage.where
        click.echo(
            f"{click.style(f'{number}. {title}', bold=True)}  {passage.score:.2f}  {passage.source} {passage.key}"
        )
        click.echo("\n".join(f"   {line}" for line in passage.text.strip().splitlines()[:6]) + "\n")
    differ = differences(" ".join(query.split()), stated(found.passages))
    for caution in (*(each.sentence for each in differ), *found.cautions):
        click.echo(caution)
    if found.withheld:
        click.echo("Something fits that not all of these readers may read.")
    click.echo(found.searched if not found.passages else f"By {' and '.join(found.ways)}. {found.note}".rstrip())


@command.command()
def rebuild() -> None:
    """Build both indexes anew from the database. Bosun must not be running on this data: it does so by itself."""
    asyncio.run(_rebuild())


async def _rebuild() -> None:
    from bot.engine.cli.ingest import show_embedding
    from bot.engine.cli.run import is_served
    from kernel.config import read_settings
    from kernel.errors import AlreadyRunning

    if is_served(read_settings()):
        raise AlreadyRunning(
            "Bosun is running on this data.", hint="It rebuilds an index that differs by itself; or stop it first."
        )
    async with _beside() as knowledge:
        await knowledge.start()
        try:
            await knowledge.rebuild()
            await show_embedding(knowledge)
            known = await knowledge.status()
        finally:
            await knowledge.stop()
    click.echo(f"Rebuilt: {known.indexed} of {known.chunks} passages indexed.")


@command.command()
@click.argument("what")
@click.confirmation_option(prompt="What is forgotten is gone from every index. Go on?")
def forget(what: str) -> None:
    """Forget a document (by its id or address), a memory (M-7F3K), or all of a source (by its name).

    What a source still has is read again at its next turn: delete it there, or take the source out of sources.yaml.
    """
    asyncio.run(_forget(what))


async def _forget(what: str) -> None:
    from kernel.errors import NotFound

    async with _beside() as knowledge:
        if what in {source.name for source in await knowledge.sources()}:
            count = await knowledge.drop_source(what)
            click.echo(f"Forgotten: {count} documents of {what}.")
            return
        memory = await knowledge.memories.id_of(what)
        document = memory or what.rpartition("/documents/")[2].partition("#")[0]
        if memory is not None:
            await knowledge.unremember(memory)
        elif not await knowledge.forget(document):
            raise NotFound(f"There is no document, memory or source {what}.")
    click.echo(f"Forgotten: {what}.")


@asynccontextmanager
async def _beside() -> AsyncIterator[Knowledge]:
    """The knowledge base of this data, opened without its index."""
    from bot.engine.app import read_charter
    from bot.engine.cli.database import opened
    from bot.engine.cli.logs import configure
    from bot.engine.knowing import open_knowledge
    from bot.engine.secrets import Secrets
    from kernel.clock import SystemClock, SystemIds
    from kernel.config import read_settings

    settings = read_settings()
    configure("warning")
    charter, secrets = read_charter(settings), Secrets()
    secrets.take(charter.sources.secrets())
    with opened(settings) as store:
        yield open_knowledge(settings, store, charter, secrets, clock=SystemClock(), ids=SystemIds())
