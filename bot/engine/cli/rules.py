"""`bosun rules`: test, lint and explain the decision rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.engine.charter import Charter
    from rules.engine.rulebook import RuleBook


@click.group()
def command() -> None:
    """Check, test and explain the decision rights."""


@command.command()
@click.pass_context
def test(ctx: click.Context) -> None:
    """Run the tests that stand in the charter's rule files. Exit code 1 if one fails."""
    _, book = _read()
    results = book.run_tests()
    for result in results:
        mark = click.style("ok", fg="green") if result.ok else click.style("FAILED", fg="red", bold=True)
        click.echo(f"{mark:6} {result.where}: {result.text}")
    failed = sum(not result.ok for result in results)
    click.echo(f"{len(results)} tests, {failed} failed." if results else "The rule files have no tests.")
    if failed:
        ctx.exit(1)


@command.command()
@click.pass_context
def lint(ctx: click.Context) -> None:
    """Look for rules that never decide, that nobody can approve, or that nothing needs.

    Exit code 1 if something has to be put right; notes alone are no failure.
    """
    charter, book = _read()
    findings = book.lint(charter.roles)
    for finding in findings:
        mark = click.style("wrong", fg="red", bold=True) if finding.serious else click.style("note", fg="yellow")
        click.echo(f"{mark} {finding.line()}")
    wrong = sum(finding.serious for finding in findings)
    click.echo(f"{len(book.current.rules)} rules: {wrong} wrong, {len(findings) - wrong} notes.")
    if wrong:
        ctx.exit(1)


@command.command()
@click.argument("call", nargs=-1, required=True)
def explain(call: tuple[str, ...]) -> None:
    """Say what the rules decide about CALL, and why.

    CALL is written as in `bosun rules explain finance: queue_payment payee=typed amount=420`: agent, tool and what the
    tests of a rule file may say of a call.
    """
    from rules.engine.explaining_calls import explain_call

    _, book = _read()
    click.echo(explain_call(book, " ".join(_quoted(word) for word in call)).text.replace("**", "").replace("`", ""))


def _quoted(word: str) -> str:
    """A word of the command line as it was before the shell took its quotes away."""
    name, equals, value = word.partition("=")
    return f'{name}="{value}"' if equals and " " in value and '"' not in value else word


def _read() -> tuple[Charter, RuleBook]:
    from bot.engine.app import read_charter
    from kernel.config import read_settings
    from rules.engine.rulebook import RuleBook

    charter = read_charter(read_settings())
    book = RuleBook()
    book.load(charter.rules, charter.known)
    return charter, book
