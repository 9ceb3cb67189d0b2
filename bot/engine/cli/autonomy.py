"""`bosun autonomy`."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Say how far each rule that asks has come: manual, systematic or scaled, and what speaks for it.

    Manual rules ask every time, systematic ones count approvals, scaled ones let some calls through.
    """
    from bot.engine.app import read_charter
    from bot.engine.cli.database import opened
    from kernel.clock import SystemClock
    from kernel.config import read_settings
    from rules.engine.autonomy.levels import overview
    from rules.engine.rulebook import RuleBook

    settings = read_settings()
    charter = read_charter(settings)
    book = RuleBook()
    book.load(charter.rules, charter.known)
    with opened(settings) as store:
        click.echo(store.read_now(lambda session: overview(session, book.current, SystemClock().now())))
