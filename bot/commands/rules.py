"""`rules`: what agents may do alone, and looking at the rules before they decide anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand
from rules.engine.explaining_calls import explain_call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.text_command import Asked, Office

SHOWN = 20  # lines of a list in the chat; the command line shows all
USAGE = (
    "Say `rules list` to see the rules in force, `rules test` to run their tests, `rules lint` to look for mistakes, "
    "or `rules explain finance: queue_payment payee=typed amount=420` for what they say to a call, and why."
)


async def run(asked: Asked, office: Office) -> str:
    """Do what the word behind `rules` says."""
    word, _, rest = asked.rest.partition(" ")
    return PARTS[word.casefold() or "list"](rest, office)


def _list(_rest: str, office: Office) -> str:
    rows = [
        f"| `{rule.id}` | {rule.decision or f'otherwise {rule.otherwise}'} | {_cell(rule.why)} |"
        for rule in office.rules.current.rules
    ]
    version = f"Version `{office.rules.current.version[:12]}`. {USAGE}"
    return "\n".join(["| rule | decides | why |", "|---|---|---|", *rows, "", version]) if rows else "There are none."


def _test(_rest: str, office: Office) -> str:
    results = office.rules.run_tests()
    failed = [f"- {result.where}: {result.text}" for result in results if not result.ok]
    return _report(failed, f"{len(results)} tests, {len(failed)} failed.")


def _lint(_rest: str, office: Office) -> str:
    findings = office.rules.lint(office.charter().roles)
    wrong = sum(finding.serious for finding in findings)
    lines = [
        f"- {'**wrong** ' if finding.serious else ''}{finding.line()}"
        for finding in sorted(findings, key=lambda finding: not finding.serious)
    ]
    return _report(lines, f"{len(office.rules.current.rules)} rules: {wrong} wrong, {len(findings) - wrong} notes.")


def _explain(rest: str, office: Office) -> str:
    return explain_call(office.rules, rest).text


def _report(lines: Iterable[str], summary: str) -> str:
    known = list(lines)
    more = [f"- and {len(known) - SHOWN} more: `bosun rules lint` lists all"] if len(known) > SHOWN else []
    return "\n".join([*known[:SHOWN], *more, *([""] if known else []), summary])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PARTS = {"list": _list, "test": _test, "lint": _lint, "explain": _explain}
COMMANDS = (
    TextCommand(
        name="rules",
        shape=rf"rules(?:\s+(?P<rest>(?:{'|'.join(PARTS)})\b.*))?",
        run=run,
        usage="lint",
        place=25,
        does="see, test, check and explain the decision rights",
    ),
)
