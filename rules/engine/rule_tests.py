"""The `tests:` section of a rule file: a call in short form, and what the rules have to say to it.

In a call, `agent`, `tool`, `requester` (roles), `channel`, `platform`, `workflow`, `now`, `outside_text_read`,
`personal_data_read`, `wider_readers`, `used` (rule id -> what is gone of its budgets and limits) and `promoted` (rule
ids) describe the situation; every other word is an argument, or stands under `args` where a tool has an argument of
one of these names. The name of an origin as a value (`account: paid_before`) means some value from there, and for a
free text that it holds a link from there; any other value is found nowhere, unless it is written `{value: ..., from:
[typed]}`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

from kernel.types import Frozen, Origin
from rules.engine import schema, values
from rules.engine.decide import decide
from rules.engine.facts import CallFacts
from rules.engine.meters import Used

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json
    from kernel.yaml_lines import Located
    from rules.engine.facts import Origins
    from rules.engine.known import Known, KnownTool
    from rules.engine.language import Test
    from rules.engine.ruleset import RuleSet

SITUATION = frozenset(
    {
        *("agent", "tool", "requester", "channel", "platform", "workflow", "now", "args", "outside_text_read"),
        *("personal_data_read", "wider_readers", "used", "promoted"),
    }
)
NOWHERE: frozenset[Origin] = frozenset({"nowhere"})
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
        facts = facts_of(rules, known, test.call)
    except (ValueError, TypeError) as error:
        return TestResult(where=where, ok=False, text=str(error))
    verdict = decide(rules, facts)
    by = verdict.rules or ("default",)
    got = f"{verdict.decision} by {', '.join(by)}"
    ok = verdict.decision == test.expect and (test.by is None or test.by in by)
    wanted = f"{test.expect}{f' by {test.by}' if test.by else ''}"
    return TestResult(where=where, ok=ok, text=got if ok else f"expected {wanted}, got {got}")


def facts_of(rules: RuleSet, known: Known, call: Mapping[str, Any]) -> CallFacts:
    """The facts that a call in short form describes; ValueError where it makes no sense."""
    tool = known.tools.get(str(call.get("tool")))
    if tool is None:
        raise ValueError(f"There is no tool {call.get('tool')}.")
    given = {name: value for name, value in call.items() if name not in SITUATION} | _mapping(call, "args")
    arguments: dict[str, Json] = {}
    origins: dict[str, Origins] = {}
    for name in (*schema.names(tool.arguments), *(tuple(given) if tool.is_open else ())):
        if name in arguments:
            continue
        value, found = _value(tool, name, given.pop(name, None))
        arguments[name] = value
        origins[name] = tuple(each for each in found if each != NOWHERE) if name in tool.free_text else found
    if given:
        raise ValueError(f"{call.get('tool')} has no argument {', '.join(sorted(given))}")
    outside = any("outside_text" in one for found in origins.values() for one in found)
    return CallFacts(
        agent=str(call.get("agent")),
        tool=str(call.get("tool")),
        effect=tool.effect,
        arguments=arguments,
        origins=origins,
        channel=str(call.get("channel", "")),
        platform=str(call.get("platform", "web")),
        requester="somebody",
        roles=_names(call, "requester"),
        workflow=call.get("workflow"),
        now=_moment(call.get("now")),
        outside_text_read=bool(call.get("outside_text_read", outside)),
        personal_data_read=bool(call.get("personal_data_read", False)),
        wider_readers=bool(call.get("wider_readers", False)),
        authority=tool.authority,
        texts=tool.free_text,
        always_asked=tool.always_asked,
        used=_used(rules, tool, call),
        promoted=_names(call, "promoted"),
    )


def _used(rules: RuleSet, tool: KnownTool, call: Mapping[str, Any]) -> dict[str, Used]:
    given = _mapping(call, "used")
    meters = rules.meters(str(call.get("agent")), str(call.get("tool")), tool.effect)
    strangers = sorted(given.keys() - {meter.rule for meter in meters})
    if strangers:
        raise ValueError(f"{', '.join(strangers)} has no budget and no limit for this call")
    amounts = {meter.key: values.number(given.get(meter.rule, 0)) for meter in meters}
    if None in amounts.values():
        raise ValueError("'used' gives a number for each rule")
    return {key: Used(amount=amount) for key, amount in amounts.items() if amount is not None}


def _mapping(call: Mapping[str, Any], word: str) -> dict[str, Any]:
    found = call.get(word) or {}
    if not isinstance(found, dict):
        raise TypeError(f"'{word}' is a mapping, not {found!r}")
    return {str(name): value for name, value in found.items()}


def _names(call: Mapping[str, Any], word: str) -> frozenset[str]:
    found = call.get(word) or []
    return frozenset(map(str, found if isinstance(found, list) else [found]))


def _value(tool: KnownTool, name: str, given: Any) -> tuple[Json, Origins]:
    found: frozenset[Any] = NOWHERE
    if isinstance(given, str) and given in ORIGINS:
        value: Json = f"({given})"
        if schema.is_list(tool.arguments, name):
            value = [value]
        found = frozenset({given})
    elif isinstance(given, dict) and given.keys() == {"value", "from"}:
        value, found = given["value"], _origins(given["from"])
    else:
        value = given
    return value, tuple(found for _ in values.leaves(value))


def _origins(given: Any) -> frozenset[Any]:
    found = frozenset(given if isinstance(given, list) else [given])
    if not found <= ORIGINS:
        raise ValueError(f"{', '.join(sorted(map(str, found - ORIGINS)))} is no origin")
    return found


def _moment(text: Any) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
