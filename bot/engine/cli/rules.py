"""`bosun rules test`."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Check and test the decision rights."""


@command.command()
@click.pass_context
def test(ctx: click.Context) -> None:
    """Run the tests that stand in the charter's rule files. Exit code 1 if one fails."""
    from bot.engine.app import read_charter
    from kernel.config import read_settings
    from rules.engine.rulebook import RuleBook

    charter = read_charter(read_settings())
    book = RuleBook()
    book.load(charter.rules, charter.known)
    results = book.run_tests()
    for result in results:
        mark = click.style("ok", fg="green") if result.ok else click.style("FAILED", fg="red", bold=True)
        click.echo(f"{mark:6} {result.where}: {result.text}")
    failed = sum(not result.ok for result in results)
    click.echo(f"{len(results)} tests, {failed} failed." if results else "The rule files have no tests.")
    if failed:
        ctx.exit(1)
