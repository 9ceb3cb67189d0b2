"""The meaning of the rules written down a second time: slowly, one rule after the other, without compiling anything."""

from typing import Any

from rules.engine.facts import CallFacts
from rules.engine.language import Condition, Rule


def decide_slowly(rules: list[Rule], facts: CallFacts) -> tuple[str, set[str]]:
    """Decision, and ids of the deciding rules."""
    if facts.effect is None:
        return "deny", set()
    matching = [rule for rule in rules if _holds(rule, facts)]
    for word, attribute in (("deny", "decision"), ("ask", "decision"), ("allow", "decision")):
        ids = {rule.id for rule in matching if getattr(rule, attribute) == word}
        if ids:
            return word, ids
    for word in ("deny", "ask"):
        ids = {rule.id for rule in matching if rule.otherwise == word}
        if ids:
            return word, ids
    return ("allow" if facts.effect == "read" else "ask"), set()


def _holds(rule: Rule, facts: CallFacts) -> bool:
    allows = rule.decision == "allow"
    if rule.agent and facts.agent not in rule.agent:
        return False
    if rule.tool and facts.tool not in rule.tool:
        return False
    if rule.effect and facts.effect not in rule.effect:
        return False
    if rule.channel and not (facts.channel in rule.channel if facts.channel is not None else not allows):
        return False
    if rule.requester:
        sure = any(role in facts.roles for role in rule.requester)
        unsure = any(role in facts.unsure_roles for role in rule.requester)
        if not sure and (allows or not unsure):
            return False
    if rule.attended is not None and rule.attended != (facts.workflow is None):
        return False
    return all(_argument(name, condition, facts, allows) for name, condition in (rule.args or {}).items())


def _argument(name: str, condition: Condition, facts: CallFacts, allows: bool) -> bool:
    value = facts.arguments.get(name)
    entries: list[Any] = value if isinstance(value, list) else [value]
    return all(
        [
            *(_every_or_some(truths, allows) for truths in _of_entries(entries, condition, allows)),
            *_of_origins(value, facts.origins.get(name), condition, allows),
        ]
    )


def _of_entries(entries: list[Any], condition: Condition, allows: bool) -> list[list[bool | None]]:
    """For each word of the condition: what it says of each entry; None where that cannot be told."""
    found: list[list[bool | None]] = []
    if condition.is_:
        found.append([any(_equal(entry, word, allows) for word in condition.is_) for entry in entries])
    if condition.not_:
        found.append([not any(_equal(entry, word, not allows) for word in condition.not_) for entry in entries])
    if condition.at_most is not None:
        limit = condition.at_most
        found.append([None if not _is_number(entry) else entry <= limit for entry in entries])
    if condition.at_least is not None:
        floor = condition.at_least
        found.append([None if not _is_number(entry) else entry >= floor for entry in entries])
    return found


def _of_origins(value: Any, known: Any, condition: Condition, allows: bool) -> list[bool]:
    found = []
    for words, only in ((condition.from_, False), (condition.only_from, True)):
        if not words:
            continue
        if known is None:
            found.append(not allows and value is not None)
            continue
        fits = [origins <= set(words) if only else bool(origins & set(words)) for origins in known]
        found.append(all(fits) and bool(fits) if allows else any(fits))
    return found


def _every_or_some(truths: list[bool | None], allows: bool) -> bool:
    if allows:
        return bool(truths) and all(truth is True for truth in truths)
    return any(truth is not False for truth in truths)


def _equal(entry: Any, wanted: Any, exact: bool) -> bool:
    if not exact:
        return str(entry).casefold().strip() == str(wanted).casefold().strip() or _equal(entry, wanted, exact=True)
    same_kind = type(entry) is type(wanted) or (_is_number(entry) and _is_number(wanted))
    return same_kind and bool(entry == wanted)


def _is_number(entry: Any) -> bool:
    return isinstance(entry, int | float) and not isinstance(entry, bool)
