"""`bosun ledger verify`, `bosun ledger export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kernel.store import Session


@click.group()
def command() -> None:
    """Check the record of what was decided and done."""


@command.command()
@click.option(
    "--checkpoint",
    "texts",
    multiple=True,
    metavar="LINE",
    help="A signed checkpoint as it stands in the channel, bosun-checkpoint:...; may be repeated.",
)
@click.option("--key", default="", metavar="HEX", help="The public key that has to have signed them.")
@click.pass_context
def verify(ctx: click.Context, texts: tuple[str, ...], key: str) -> None:
    """Walk the whole chain: says the first entry that was changed, removed, reordered or cut off.

    Checkpoints that this installation has kept are looked at as well. One from the channel finds even a chain that was
    written anew as a whole. Exit code 1 if something is wrong.
    """
    from bot.engine.cli.database import opened
    from kernel import ledger
    from kernel.checkpoints import Checkpoint, parse
    from kernel.config import read_settings
    from kernel.errors import ConfigError
    from kernel.store import checkpoints

    given = [parse(text) for text in texts]
    if any(key and one.key != key.lower() for one in given):
        raise ConfigError("A checkpoint was signed with another key.", hint="Use those of this installation.")
    with opened(read_settings()) as store:
        kept = [Checkpoint(**row.model_dump()) for row in store.read_now(checkpoints.kept)]
        found = store.read_now(lambda session: ledger.verify(session, [*kept, *given]))
    if found.ok:
        click.echo(f"{found.entries} entries, each as it was written. Head: {found.head}")
        click.echo(f"Checkpoints that agree: {len(kept)} kept here, {len(given)} given.")
        for signed in sorted({one.key for one in (*kept, *given)}):
            click.echo(f"Signed with the key {signed}")
    else:
        click.echo(f"The ledger is not as it was written: {found.problem}.", err=True)
        ctx.exit(1)


@command.command()
def export() -> None:
    """Print every entry as a line of JSON, oldest first, so that others can check the chain without Bosun.

    The hash of an entry is the SHA-256 of the canonical JSON (RFC 8785) of its number, at, kind, subject, body and
    previous.
    """
    import json

    from bot.engine.cli.database import opened
    from kernel.config import read_settings
    from kernel.store import ledger

    def write(session: Session) -> None:
        for row in ledger.entries(session):
            entry = {**row.model_dump(), "at": row.at.isoformat()}
            click.echo(json.dumps(entry, ensure_ascii=False, sort_keys=True))

    with opened(read_settings()) as store:
        store.read_now(write)
