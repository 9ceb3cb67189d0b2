"""`bosun freeze`."""

from __future__ import annotations

import click

BY = "The command line"


@click.command()
@click.argument("target", nargs=-1)
@click.option("--because", default="", help="Why; people read it where their work is held.")
def command(target: tuple[str, ...], because: str) -> None:
    """Freeze TARGET: nothing (which is everything), `agent NAME`, `tool NAME` or `#channel`.

    A Bosun that is running takes it within a second, one that is not at its start. `bosun thaw` ends it.
    """
    from bot.engine import freezer
    from bot.engine.app import read_charter
    from bot.engine.cli.database import opened
    from kernel.clock import SystemClock
    from kernel.config import read_settings
    from kernel.store.freezes import FreezeState
    from rules.engine.freezing import in_words

    settings = read_settings()
    scope = freezer.scope_of(" ".join(target), read_charter(settings), "")
    freeze = FreezeState(scope=scope, by="cli", by_name=BY, reason=because, at=SystemClock().now())
    with opened(settings) as store:
        fresh = store.write_now(lambda session: freezer.begin(session, freeze))
    click.echo(f"Frozen{'' if fresh else ' already'}: {in_words(scope)}.")
