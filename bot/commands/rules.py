"""`rules`: what agents may do alone, and looking at the rules before they decide anything."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand
from kernel.store import past_calls
from rules.engine.backtesting import backtest, trials
from rules.engine.drafts import read_draft, with_draft
from rules.engine.explaining_calls import explain_call
from rules.engine.replaying import replay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.text_command import Asked, Office, Typing

DAYS = re.compile(r"\s*([1-9][0-9]{0,3})\s?d(?:ays?)?\b")
LONGEST = 366  # days
SHOWN = 20  # lines of a list in the chat; the command line shows all
USAGE = (
    "Say `rules list` to see the rules in force, `rules test` to run their tests, `rules lint` to look for mistakes, "
    "or `rules explain finance: queue_payment payee=typed amount=420` for what they say to a call, and why; "
    "`rules backtest` with a rule below it for what it would have changed, `rules replay` to decide everything again."
)


async def run(asked: Asked, office: Office) -> str:
    """Do what the word behind `rules` says."""
    word, *rest = asked.rest.split(maxsplit=1) or ["list"]
    return await PARTS[word.casefold()]("".join(rest), office)


async def _list(_rest: str, office: Office) -> str:
    rows = [
        f"| `{rule.id}` | {rule.decision or f'otherwise {rule.otherwise}'} | {_cell(rule.why)} |"
        for rule in office.rules.current.rules
    ]
    version = f"Version `{office.rules.current.version[:12]}`. {USAGE}"
    return "\n".join(["| rule | decides | why |", "|---|---|---|", *rows, "", version]) if rows else "There are none."


async def _test(_rest: str, office: Office) -> str:
    results = office.rules.run_tests()
    failed = [f"- {result.where}: {result.text}" for result in results if not result.ok]
    return _report(failed, f"{len(results)} tests, {len(failed)} failed.")


async def _lint(_rest: str, office: Office) -> str:
    findings = office.rules.lint(office.charter().roles)
    wrong = sum(finding.serious for finding in findings)
    lines = [
        f"- {'**wrong** ' if finding.serious else ''}{finding.line()}"
        for finding in sorted(findings, key=lambda finding: not finding.serious)
    ]
    return _report(lines, f"{len(office.rules.current.rules)} rules: {wrong} wrong, {len(findings) - wrong} notes.")


async def _explain(rest: str, office: Office) -> str:
    return explain_call(office.rules, rest).text


async def _backtest(rest: str, office: Office) -> str:
    days, text = _days(rest)
    if not text:
        return (
            "Which rules? Put them into the same message, as in a rule file: `rules backtest 30d`, and below it the "
            "YAML. A rule with the id of one in force takes its place."
        )
    other = with_draft(office.rules.current, read_draft(text, office.rules.known))
    current, begin = office.rules.current, office.clock.now() - timedelta(days=days)
    found = await office.store.read(
        lambda session: backtest(current, other, past_calls.since(session, begin), days=days)
    )
    return found.text


async def _log_only(rest: str, office: Office) -> str:
    begin = office.clock.now() - timedelta(days=_days(rest)[0])
    return await office.store.read(lambda session: trials(past_calls.since(session, begin)))


async def _replay(rest: str, office: Office) -> str:
    begin = office.clock.now() - timedelta(days=_days(rest)[0])
    found = await office.store.read(lambda session: replay(session, begin))
    lines = found.text.splitlines()
    return _report(lines[:-1], lines[-1])


async def parts(_typing: Typing, _office: Office) -> list[str]:
    """The words that may stand behind `rules`."""
    return list(PARTS)


def _days(rest: str) -> tuple[int, str]:
    """How far back, and what else was said: "7d", then the rules."""
    match = DAYS.match(rest)
    return (min(int(match[1]), LONGEST), rest[match.end() :].strip()) if match else (30, rest.strip())


def _report(lines: Iterable[str], summary: str) -> str:
    known = list(lines)
    more = [f"- and {len(known) - SHOWN} more: `bosun rules lint` lists all"] if len(known) > SHOWN else []
    return "\n".join([*known[:SHOWN], *more, *([""] if known else []), summary])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PARTS = {
    "list": _list,
    "test": _test,
    "lint": _lint,
    "explain": _explain,
    "backtest": _backtest,
    "replay": _replay,
    "log-only": _log_only,
}
TOPIC = "rules"
COMMANDS = (
    TextCommand(
        name="rules",
        offers=parts,
        group="rights",
        shape=rf"rules(?:\s+(?P<rest>(?:{'|'.join(PARTS)})\b.*))?",
        run=run,
        usage="lint",
        place=25,
        does="see, test, check and explain the decision rights",
    ),
)
