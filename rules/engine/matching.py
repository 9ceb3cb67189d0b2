"""Finding the rules that hold for a call without asking all of them.

What is settled for a whole run (channel, roles, workflow) is asked once for each kind of run. Of rules that name values
of the same argument, only those are asked that name the one at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rules.engine import values
from rules.engine.conditions import Argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rules.engine.facts import CallFacts
    from rules.engine.ruleset import Candidates, Compiled

    Asked = tuple[Compiled, tuple[Callable[[CallFacts], bool], ...]]

INDEXED = 3  # rules that name values of one argument, from which on they are looked up


class Level:
    """Rules of one place in the precedence, and what is still to be asked of a call of a known kind of run."""

    __slots__ = ("_always", "_by_value")

    def __init__(self, rules: Iterable[Compiled], facts: CallFacts) -> None:
        """The rules whose conditions on the run hold for it."""
        fitting = [rule for rule in rules if all(check.of_call or check.holds(facts) for check in rule.checks)]
        named: dict[str, list[Compiled]] = {}
        for rule in fitting:
            words = _words(rule)
            if words is not None:
                named.setdefault(words.name, []).append(rule)
        looked_up = {rule.rule.id for several in named.values() if len(several) >= INDEXED for rule in several}
        self._always = tuple(_asked(rule) for rule in fitting if rule.rule.id not in looked_up)
        self._by_value = tuple((name, _Table(several)) for name, several in named.items() if len(several) >= INDEXED)

    @property
    def is_empty(self) -> bool:
        """No rule of it can hold in such a run."""
        return not self._always and not self._by_value

    def holding(self, facts: CallFacts) -> list[Compiled]:
        """The rules that hold, in order of id."""
        found = _holding(self._always, facts)
        for name, table in self._by_value:
            found += _holding(table.asked_of(name, facts), facts)
        if len(found) > 1 and self._by_value:
            found.sort(key=_id)
        return found


class _Table:
    """Rules by the values that they name."""

    __slots__ = ("_all", "_by_key")

    def __init__(self, rules: Sequence[Compiled]) -> None:
        self._all = tuple(_asked(rule) for rule in rules)
        by_key: dict[str, list[Asked]] = {}
        for rule in rules:
            words = _words(rule)
            for key in dict.fromkeys(key for word in (words.words if words else ()) for key in values.keys(word)):
                by_key.setdefault(key, []).append(_asked(rule))
        self._by_key = {key: tuple(several) for key, several in by_key.items()}

    def asked_of(self, name: str, facts: CallFacts) -> Iterable[Asked]:
        """The rules that can hold for the value of the argument."""
        if name not in facts.arguments:
            return self._all
        value = facts.arguments[name]
        if not isinstance(value, list):
            return self._by_key.get(values.key(value), ())
        found = {id(asked[0]): asked for entry in value for asked in self._by_key.get(values.key(entry), ())}
        return found.values()


@dataclass(frozen=True, slots=True)
class Levels:
    """The rules that can decide about a tool in a kind of run, by their place in the precedence."""

    deny: Level | None  # None: there are none
    ask: Level | None
    allow: Level | None
    otherwise_deny: Level | None
    otherwise_ask: Level | None
    log_only: Level | None
    trial: Levels | None  # with those that only log among them


def levels_of(known: Candidates, facts: CallFacts) -> Levels:
    """The candidates as they have to be asked in runs like that of the facts."""

    def level(rules: tuple[Compiled, ...]) -> Level | None:
        made = Level(rules, facts)
        return None if made.is_empty else made

    return Levels(
        level(known.deny),
        level(known.ask),
        level(known.allow),
        level(known.otherwise_deny),
        level(known.otherwise_ask),
        level(known.log_only),
        None if known.trial is None else levels_of(known.trial, facts),
    )


def kind_of_run(facts: CallFacts) -> tuple[object, ...]:
    """Everything that checks look at which are settled for a whole run, with the tool."""
    return (
        facts.agent, facts.tool, facts.effect, facts.channel, facts.platform, facts.workflow, facts.roles,
        facts.unsure_roles,
    )  # fmt: skip


def _holding(several: Iterable[Asked], facts: CallFacts) -> list[Compiled]:
    found = []
    for rule, tests in several:
        for test in tests:
            if not test(facts):
                break
        else:
            found.append(rule)
    return found


def _asked(rule: Compiled) -> Asked:
    return rule, tuple(check.holds for check in rule.checks if check.of_call)


def _words(rule: Compiled) -> Argument | None:
    """The first check that an argument is one of some values."""
    return next((check for check in rule.checks if isinstance(check, Argument) and check.words), None)


def _id(rule: Compiled) -> str:
    return rule.rule.id
