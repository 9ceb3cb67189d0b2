"""Rules that somebody has written and that are not in force: read, and put in the place of those with the same id."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel.errors import CharterError
from kernel.yaml_lines import Located, load, parse
from rules.engine.checks import problems_of
from rules.engine.language import Rule, RuleFile, Test
from rules.engine.ruleset import RuleSet

if TYPE_CHECKING:
    from kernel.types import Json
    from rules.engine.known import Known

NAME = "draft"  # in the place of a file's path


class Draft(NamedTuple):
    """Rules that were read, in order."""

    rules: tuple[Rule, ...]
    tests: tuple[Test, ...]
    located: Located


def read_draft(text: str, known: Known, *, path: str = NAME) -> Draft:
    """A whole rule file, a list of rules or a single rule. CharterError with every problem, as `path:line: ...`."""
    found = load(path, _unfenced(text))
    located = _as_file(found)
    content = parse(located, RuleFile)
    problems = problems_of(located, content, known)
    ids = [rule.id for rule in content.rules]
    if not ids:
        problems.append(f"{path}:1: there is no rule in it")
    problems += [
        located.problem(("rules", number, "id"), f"'{one}' stands here twice")
        for number, one in enumerate(ids)
        if one in ids[:number]
    ]
    if problems:
        raise CharterError(problems)
    return Draft(content.rules, content.tests, located)


def with_draft(rules: RuleSet, draft: Draft) -> RuleSet:
    """The rules with those of the draft added, or in the place of those with the same id."""
    ids = {rule.id for rule in draft.rules}
    return RuleSet([*(rule for rule in rules.rules if rule.id not in ids), *draft.rules], fallback=rules.fallback)


def _as_file(found: Located) -> Located:
    value: Json = found.value
    begin = {("rules",): found.line(())}
    if isinstance(value, dict) and "rules" not in value and "version" not in value:
        lines = begin | {("rules", 0, *loc): line for loc, line in found.lines.items()}
        return Located(path=found.path, value={"version": 1, "rules": [value]}, lines=lines)
    if isinstance(value, list):
        lines = begin | {("rules", *loc): line for loc, line in found.lines.items()}
        return Located(path=found.path, value={"version": 1, "rules": value}, lines=lines)
    if isinstance(value, dict) and "version" not in value:
        return Located(path=found.path, value={"version": 1, **value}, lines=found.lines)
    return found


def _unfenced(text: str) -> str:
    """The text without the fence of a code block around it."""
    lines = text.strip().splitlines()
    if len(lines) >= 2 and lines[0].startswith("```") and lines[-1].strip() == "```":
        return "\n".join(lines[1:-1])
    return text
