"""The meaning of the rules written down a second time: slowly, one rule after the other, without compiling anything."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rules.engine.facts import CallFacts
from rules.engine.language import Condition, Length, Rule, Time


def decide_slowly(rules: list[Rule], facts: CallFacts) -> tuple[str, set[str]]:
    """Decision, and ids of the deciding rules."""
    if facts.effect is None:
        return "deny", set()
    matching = sorted((rule for rule in rules if not rule.log_only and _holds(rule, facts)), key=lambda rule: rule.id)
    for word, attribute in (
        ("deny", "decision"), ("ask", "decision"), ("allow", "decision"), ("deny", "otherwise"), ("ask", "otherwise"),
    ):  # fmt: skip
        found = [rule for rule in matching if getattr(rule, attribute) == word]
        if word == "allow" and facts.always_asked:
            continue
        if found:
            return _asked(found, facts) if word == "ask" else (word, {rule.id for rule in found})
    return ("allow" if facts.effect == "read" else "ask"), set()


def _asked(found: list[Rule], facts: CallFacts) -> tuple[str, set[str]]:
    for rule in found:
        if not _within_budgets(rule, facts):
            return "deny", {rule.id}
    asking = {rule.id for rule in found if not _promoted(rule, facts)}
    return ("ask", asking) if asking else ("allow", {rule.id for rule in found})


def _promoted(rule: Rule, facts: CallFacts) -> bool:
    outside = any(origins == {"outside_text"} for known in facts.origins.values() for origins in known)
    barred = facts.effect == "destroy" or facts.always_asked or outside
    return rule.promote is not None and rule.id in facts.promoted and not barred


def _holds(rule: Rule, facts: CallFacts) -> bool:
    allows = rule.decision == "allow"
    if rule.agent and facts.agent not in rule.agent:
        return False
    if rule.tool and facts.tool not in rule.tool:
        return False
    if rule.effect and facts.effect not in rule.effect:
        return False
    for wanted, fact in ((rule.channel, facts.channel), (rule.platform, facts.platform)):
        if wanted and not (fact in wanted if fact is not None else not allows):
            return False
    if rule.requester:
        sure = any(role in facts.roles for role in rule.requester)
        unsure = any(role in facts.unsure_roles for role in rule.requester)
        if not sure and (allows or not unsure):
            return False
    if rule.workflow and facts.workflow not in rule.workflow:
        return False
    if rule.attended is not None and rule.attended != (facts.workflow is None):
        return False
    return (
        all(_argument(name, condition, facts, allows) for name, condition in (rule.args or {}).items())
        and _targets(rule, facts, allows)
        and _links(rule, facts, allows)
        and (rule.time is None or _time(rule.time, facts, allows))
        and _context(rule, facts, allows)
        and (not allows or _within_budgets(rule, facts))
    )


def _targets(rule: Rule, facts: CallFacts, allows: bool) -> bool:
    """Every word about everything that it acts on: each value of each such argument, or some value of some."""
    if rule.targets is None:
        return True
    given = [name for name in facts.authority or () if _leaves(facts.arguments.get(name))]
    for words, only in ((rule.targets.from_, False), (rule.targets.only_from, True)):
        truths = [
            fits
            for name in given
            for fits in _of_origins(
                facts.arguments.get(name), facts.origins.get(name),
                Condition.model_validate({"only_from" if only else "from": list(words)}), allows,
            )
        ] if words else []  # fmt: skip
        if words and not (bool(truths) and all(truths) if allows else any(truths)):
            return False
    return True


def _links(rule: Rule, facts: CallFacts, allows: bool) -> bool:
    if not rule.links_from:
        return True
    texts = [name for name in facts.texts or () if facts.arguments.get(name) is not None]
    truths = [_links_of(name, set(rule.links_from), facts, allows) for name in texts]
    return all(truths) if allows else any(truths)


def _links_of(name: str, wanted: set[str], facts: CallFacts, allows: bool) -> bool:
    known = facts.origins.get(name)
    if known is None:
        return (facts.arguments.get(name) is None) == allows
    found = [bool(origins & wanted) for origins in known]
    return all(found) if allows else any(found)


def _time(time: Time, facts: CallFacts, allows: bool) -> bool:
    """Whether the moment lies in the window that began today, or in the one that began yesterday."""
    if facts.now is None:
        return not allows
    local = facts.now.astimezone(ZoneInfo(time.zone)).replace(tzinfo=None)
    for date in (local.date(), local.date() - timedelta(days=1)):
        midnight = datetime(date.year, date.month, date.day)  # noqa: DTZ001  the clock on the wall
        begin, end = (midnight + _clock(text) for text in (time.from_, time.until))
        if end <= begin:
            end += timedelta(days=1)
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        if begin <= local < end and names[date.weekday()] in (time.days or names):
            return True
    return False


def _clock(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _context(rule: Rule, facts: CallFacts, allows: bool) -> bool:
    for word in ("outside_text_read", "personal_data_read"):
        wanted = getattr(rule.context, word) if rule.context is not None else None
        known = getattr(facts, word)
        if wanted is not None and not (known == wanted if known is not None else not allows):
            return False
    return True


def _within_budgets(rule: Rule, facts: CallFacts) -> bool:
    """Every amount and every number of calls still fits; what is not known does not."""
    for number, budget in enumerate(rule.budget or ()):
        used, amount = facts.used.get(f"{rule.id}:budget:{number}"), facts.arguments.get(budget.of)
        if used is None or not isinstance(amount, int | float) or isinstance(amount, bool) or amount < 0:
            return False
        if float(used.amount) + amount > float(budget.amount or 0) + float(used.raised):
            return False
    for number, limit in enumerate(rule.limit or ()):
        used = facts.used.get(f"{rule.id}:limit:{number}")
        if used is None or float(used.amount) + 1 > limit.calls + float(used.raised):
            return False
    return True


def _leaves(value: Any) -> list[Any]:
    return [each for each in (value if isinstance(value, list) else [value]) if each is not None]


def _argument(name: str, condition: Condition, facts: CallFacts, allows: bool) -> bool:
    value = facts.arguments.get(name)
    entries: list[Any] = value if isinstance(value, list) else [value]
    return all(
        [
            *(_every_or_some(truths, allows) for truths in _of_entries(entries, condition, allows)),
            *_of_origins(value, facts.origins.get(name), condition, allows),
            not condition.length or _length(value, condition.length, allows),
            not condition.links_from or _links_of(name, set(condition.links_from), facts, allows),
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
    if condition.matches:
        patterns = condition.matches
        found.append([_matches_any(entry, patterns, allows) for entry in entries])
    return found


def _matches_any(entry: Any, patterns: tuple[str, ...], allows: bool) -> bool | None:
    if not isinstance(entry, str):
        return None
    if allows and (".." in entry.split("/") or "\\" in entry):
        return False
    if not allows:
        entry, patterns = entry.casefold().strip(), tuple(pattern.casefold().strip() for pattern in patterns)
    return any(_matches(entry, pattern, allows) for pattern in patterns)


def _matches(text: str, pattern: str, strict: bool) -> bool:
    """Letter by letter. `**` stands for anything, `*` and `?` not for a slash where it is strict."""
    if not pattern:
        return not text
    if pattern.startswith("**"):
        return any(_matches(text[n:], pattern[2:], strict) for n in range(len(text) + 1))
    if pattern[0] == "*":
        ends = range(len(text.split("/", maxsplit=1)[0] if strict else text) + 1)
        return any(_matches(text[n:], pattern[1:], strict) for n in ends)
    if not text:
        return False
    fits = text[0] == pattern[0] or (pattern[0] == "?" and not (strict and text[0] == "/"))
    return fits and _matches(text[1:], pattern[1:], strict)


def _length(value: Any, length: Length, allows: bool) -> bool:
    if not isinstance(value, str | list):
        return not allows
    return (length.at_least or 0) <= len(value) and (length.at_most is None or len(value) <= length.at_most)


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
