"""`bosun ledger verify`."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Check the record of what was decided and done."""


@command.command()
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Walk the whole chain: says the first entry that was changed, removed, reordered or cut off.

    Exit code 1 if there is one.
    """
    from bot.engine.cli.database import opened
    from kernel import ledger
    from kernel.config import read_settings

    with opened(read_settings()) as store:
        found = store.read_now(ledger.verify)
    if found.ok:
        click.echo(f"{found.entries} entries, each as it was written. Head: {found.head}")
    else:
        click.echo(f"The ledger is not as it was written: {found.problem}.", err=True)
        ctx.exit(1)
