"""`bosun thaw`."""

from __future__ import annotations

import click


@click.command()
@click.argument("target", nargs=-1)
@click.pass_context
def command(ctx: click.Context, target: tuple[str, ...]) -> None:
    """Thaw TARGET: nothing (which is everything), `agent NAME`, `tool NAME` or `#channel`. What was held goes on.

    Exit code 1 where it was not frozen.
    """
    from bot.engine import freezer
    from bot.engine.app import read_charter
    from bot.engine.cli.database import opened
    from kernel.clock import SystemClock
    from kernel.config import read_settings
    from kernel.store import freezes
    from rules.engine.freezing import in_words

    settings = read_settings()
    scope = freezer.scope_of(" ".join(target), read_charter(settings), "", known=False)
    with opened(settings) as store:
        woken = store.write_now(lambda session: freezer.end(session, scope, "cli", SystemClock()))
        left = store.read_now(freezes.in_force)
    if woken is not None:
        click.echo(f"Thawed: {in_words(scope)}. Runs that go on: {woken}.")
        return
    names = ", ".join(in_words(one.scope) for one in left) or "nothing is"
    click.echo(f"Not frozen: {in_words(scope)}. Frozen: {names}.", err=True)
    ctx.exit(1)
