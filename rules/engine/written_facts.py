"""A call as people write it to ask what the rules would say: `finance: queue_payment payee=typed amount=420`.

The same words as in the `tests:` of a rule file, either so or as YAML: `{agent: finance, tool: queue_payment, ...}`.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from kernel.errors import CharterError, RefusedError
from kernel.yaml_lines import did_you_mean, load
from rules.engine.rule_tests import facts_of

if TYPE_CHECKING:
    from rules.engine.facts import CallFacts
    from rules.engine.known import Known
    from rules.engine.ruleset import RuleSet

EXAMPLE = "finance: queue_payment payee=typed amount=420"
CURLY = str.maketrans({"“": '"', "”": '"', "„": '"', "’": "'", "‘": "'"})  # what phones make of quotes
PLAIN = re.compile(r"[-+]?[0-9][0-9.eE+-]*|true|false|null|[\[{].*", re.DOTALL)
LONGEST = 8000  # characters


def facts_written(rules: RuleSet, known: Known, text: str) -> CallFacts:
    """The facts of the call that the text describes. RefusedError says what is wrong with it."""
    call = call_written(text)
    for word, there in (("tool", known.tools), ("agent", known.agents)):
        name = call.get(word)
        if name is None:
            raise RefusedError(f"Which {word}? Write for example `{EXAMPLE}`.")
        if there is not None and name not in there:
            raise RefusedError(f"There is no {word} '{str(name)[:60]}'{did_you_mean(str(name), there)}.")
    try:
        return facts_of(rules, known, call)
    except (ValueError, TypeError) as error:
        raise RefusedError(f"This is no call that could be made: {error}.") from error


def call_written(text: str) -> dict[str, Any]:
    """The call in short form, as it stands in a test. RefusedError where the text is none."""
    text = text.strip().strip("`").strip()
    if len(text) > LONGEST:
        raise RefusedError(f"A call of more than {LONGEST} characters is not read here.")
    return _mapping(text) if text.startswith("{") else _words(text)


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = load("call", text).value
    except CharterError as error:
        raise RefusedError(f"This is not YAML: {error.problems[0].partition(': ')[2]}.") from error
    if not isinstance(found, dict):
        raise RefusedError(f"Write a call, for example `{EXAMPLE}`.")
    return {str(name): value for name, value in found.items()}


def _words(text: str) -> dict[str, Any]:
    try:
        words = shlex.split(text.translate(CURLY))
    except ValueError as error:
        raise RefusedError("A quote has no partner.") from error
    call: dict[str, Any] = {}
    if words and words[0].endswith(":"):
        call["agent"] = words.pop(0).removesuffix(":")
    if words and "=" not in words[0]:
        call["tool"] = words.pop(0)
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise RefusedError(f"'{word[:60]}' is not of the form name=value. Write for example `{EXAMPLE}`.")
        if name in call:
            raise RefusedError(f"'{name[:60]}' stands there twice.")
        call[name] = _value(value)
    return call


def _value(text: str) -> Any:
    """A number, true, false, null or a list as YAML reads it; anything else is text."""
    if not PLAIN.fullmatch(text):
        return text
    try:
        return load("value", text).value
    except CharterError:
        return text
