"""The `tests:` section of a rule file: a call in short form, and what the rules have to say to it.

In a call, `agent`, `tool`, `requester` (roles), `channel`, `platform`, `workflow` and `now` describe the situation;
every other word is an argument, or stands under `args` where a tool has an argument of one of these names. The name of
an origin as a value (`account: paid_before`) means some value from there; any other value is found nowhere, unless it
is written `{value: ..., from: [typed]}`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

from kernel.types import Frozen, Origin
from rules.engine import schema, values
from rules.engine.decide import decide
from rules.engine.facts import CallFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json
    from kernel.yaml_lines import Located
    from rules.engine.facts import Origins
    from rules.engine.known import Known, KnownTool
    from rules.engine.language import Test
    from rules.engine.ruleset import RuleSet

SITUATION = frozenset({"agent", "tool", "requester", "channel", "platform", "workflow", "now", "args"})
ORIGINS: frozenset[str] = frozenset(get_args(Origin))


class TestResult(Frozen):
    """What became of one test."""

    __test__ = False  # not a test class of pytest

    where: str  # "rules/money.yaml:41"
    ok: bool
    text: str  # "ask by invoice-needs-two", or what was expected instead


def run_test(rules: RuleSet, known: Known, located: Located, number: int, test: Test) -> TestResult:
    """Judge the call of one test."""
    where = f"{located.path}:{located.line(('tests', number))}"
    try:
        facts = facts_of(known, test.call)
    except ValueError as error:
        return TestResult(where=where, ok=False, text=str(error))
    verdict = decide(rules, facts)
    by = verdict.rules or ("default",)
    got = f"{verdict.decision} by {', '.join(by)}"
    ok = verdict.decision == test.expect and (test.by is None or test.by in by)
    wanted = f"{test.expect}{f' by {test.by}' if test.by else ''}"
    return TestResult(where=where, ok=ok, text=got if ok else f"expected {wanted}, got {got}")


def facts_of(known: Known, call: Mapping[str, Any]) -> CallFacts:
    """The facts that a call in short form describes; ValueError where it makes no sense."""
    tool = known.tools.get(str(call.get("tool")))
    given = {name: value for name, value in call.items() if name not in SITUATION} | dict(call.get("args") or {})
    arguments: dict[str, Json] = {}
    origins: dict[str, Origins] = {}
    if tool is not None:
        for name in schema.names(tool.arguments):
            arguments[name], origins[name] = _value(tool, name, given.pop(name, None))
        for name in tuple(given) if tool.is_open else ():
            arguments[name], origins[name] = _value(tool, name, given.pop(name))
    if given:
        raise ValueError(f"{call.get('tool')} has no argument {', '.join(sorted(given))}")
    requester = call.get("requester") or []
    return CallFacts(
        agent=str(call.get("agent")),
        tool=str(call.get("tool")),
        effect=tool.effect if tool else None,
        arguments=arguments,
        origins=origins,
        channel=str(call.get("channel", "")),
        platform=str(call.get("platform", "web")),
        requester="somebody",
        roles=frozenset(requester if isinstance(requester, list) else [requester]),
        workflow=call.get("workflow"),
        now=_moment(call.get("now")),
        outside_text_read="outside_text" in {each for found in origins.values() for one in found for each in one},
    )


def _value(tool: KnownTool, name: str, given: Any) -> tuple[Json, Origins]:
    found: frozenset[Any] = frozenset({"nowhere"})
    if isinstance(given, str) and given in ORIGINS:
        value: Json = f"({given})"
        if schema.is_list(tool.arguments, name):
            value = [value]
        found = frozenset({given})
    elif isinstance(given, dict) and given.keys() == {"value", "from"}:
        value, found = given["value"], frozenset(given["from"])
    else:
        value = given
    return value, tuple(found for _ in values.leaves(value))


def _moment(text: Any) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
