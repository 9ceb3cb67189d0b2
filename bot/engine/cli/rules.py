"""`bosun rules`: test, lint, explain, backtest and replay the decision rights."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.engine.charter import Charter
    from kernel.store import Session
    from rules.engine.rulebook import RuleBook
    from rules.engine.ruleset import RuleSet


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
    click.echo(_plain(explain_call(book, " ".join(_quoted(word) for word in call)).text))


DAYS = click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How far back.")


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@DAYS
def backtest(file: Path, days: int) -> None:
    """Say what the rules in FILE would have changed about the calls that were really made.

    A file of the charter's own rules is put in its place as a whole; the rules of any other file are added, or take the
    place of those with the same id.
    """
    from kernel.store import past_calls
    from rules.engine.backtesting import backtest as compare

    charter, book = _read()
    other = _with_file(charter, book, file)
    found = _in_the_past(
        days, lambda session, begin: compare(book.current, other, past_calls.since(session, begin), days=days).text
    )
    click.echo(_plain(found))


@command.command()
@DAYS
def log_only(days: int) -> None:
    """Say what rules that only log would have changed, as it was recorded."""
    from kernel.store import past_calls
    from rules.engine.backtesting import trials

    click.echo(_plain(_in_the_past(days, lambda session, begin: trials(past_calls.since(session, begin)))))


@command.command()
@DAYS
@click.pass_context
def replay(ctx: click.Context, days: int) -> None:
    """Decide about every recorded call again, as it was. Exit code 1 if one comes out in another way."""
    from rules.engine.replaying import replay as repeat

    differing = 0

    def look(session: Session, begin: datetime) -> str:
        nonlocal differing
        found = repeat(session, begin)
        differing = len(found.differing)
        return found.text

    click.echo(_plain(_in_the_past(days, look)))
    if differing:
        ctx.exit(1)


def _in_the_past(days: int, look: Callable[[Session, datetime], str]) -> str:
    from bot.engine.cli.database import opened
    from kernel.clock import SystemClock
    from kernel.config import read_settings

    begin = SystemClock().now() - timedelta(days=days)
    with opened(read_settings()) as store:
        return store.read_now(lambda session: look(session, begin))


def _with_file(charter: Charter, book: RuleBook, file: Path) -> RuleSet:
    """The rules in force with those of the file."""
    from rules.engine.drafts import read_draft, with_draft
    from rules.engine.rulebook import RuleBook

    name = f"rules/{file.name}"
    if name not in charter.rules:
        return with_draft(book.current, read_draft(file.read_text("utf-8"), charter.known, path=str(file)))
    other = RuleBook()
    other.load({**charter.rules, name: file.read_text("utf-8")}, charter.known)
    return other.current


def _plain(markdown: str) -> str:
    return markdown.replace("**", "").replace("`", "")


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
