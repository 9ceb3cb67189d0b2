"""Decisions repeated: from what is stored of a call and of the rules comes the same verdict, bit for bit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.canonical import canonical
from kernel.store import leases, past_calls, rule_sets
from kernel.types import Frozen
from rules.engine.decide import decide
from rules.engine.facts import restored
from rules.engine.recording import BEGUN
from rules.engine.ruleset import digest_of, from_content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.past_calls import PastCall
    from kernel.types import Json
    from rules.engine.facts import CallFacts
    from rules.engine.ruleset import RuleSet

log = logging.getLogger(__name__)

IN_FORCE = "rules.in_force"  # name of the mark that holds the version, and kind of the ledger entry


class Replay(Frozen):
    """What came of repeating decisions."""

    decisions: int  # that were looked at
    differing: tuple[str, ...] = ()  # one sentence for each that does not come out as it was
    unknown: int = 0  # made under rules that were not kept

    @property
    def text(self) -> str:
        """In words, one line for each that differs."""
        unknown = f" {self.unknown} were made under rules that were not kept, so they cannot be repeated."
        same = self.decisions - len(self.differing) - self.unknown
        total = f"{self.decisions} decisions, {same} of them come out as they were recorded, bit for bit."
        return "\n".join([*(f"- {line}" for line in self.differing), total + (unknown if self.unknown else "")])


def keep(session: Session, rules: RuleSet, now: datetime) -> None:
    """Keep the rules that have come into force, and say in the ledger what has changed. Safe to repeat."""
    before = leases.marked(session, IN_FORCE)
    rule_sets.keep(session, rules.version, rules.content(), now)
    if before == rules.version:
        return
    leases.mark(session, IN_FORCE, rules.version)
    ledger.append(session, now, IN_FORCE, rules.version[:12], _changed(session, before, rules))


def kept(session: Session, version: str) -> RuleSet | None:
    """The rules of this version as they were; None where they were not kept."""
    content = rule_sets.content(session, version)
    return None if content is None else from_content(content)


def facts_of(call: PastCall) -> CallFacts:
    """The facts about which was decided."""
    return restored(call.agent, call.tool, call.arguments, call.origins, call.verdict["context"])


def replay(session: Session, begin: datetime) -> Replay:
    """Repeat every decision from then on under the rules under which it was made."""
    sets: dict[str, RuleSet | None] = {}
    decisions = unknown = 0
    differing: list[str] = []
    for call, verdict in _decisions(session, begin):
        decisions += 1
        version = verdict["version"]
        if version not in sets:
            sets[version] = kept(session, version)
        rules = sets[version]
        if rules is None:
            unknown += 1
            continue
        facts = restored(call.agent, call.tool, call.arguments, call.origins, verdict["context"])
        again = decide(rules, facts).record()
        recorded = {name: value for name, value in verdict.items() if name not in {"context", BEGUN}}
        if canonical(again) != canonical(recorded):
            differing.append(
                f"{call.run} `{call.tool}` was {recorded['decision']}, and comes out as {again['decision']}"
            )
    return Replay(decisions=decisions, differing=tuple(differing), unknown=unknown)


def _decisions(session: Session, begin: datetime) -> Iterator[tuple[PastCall, Json]]:
    """Every decision from then on: when the call was proposed, and again when it began with people's approval."""
    for call in past_calls.since(session, begin):
        yield call, call.verdict
        if BEGUN in call.verdict:
            yield call, call.verdict[BEGUN]


def _changed(session: Session, before: str | None, rules: RuleSet) -> Json:
    """Which rules are new, gone or other than before."""
    old = kept(session, before) if before is not None else None
    then = {rule.id: digest_of(rule) for rule in old.rules} if old is not None else {}
    now = {rule.id: digest_of(rule) for rule in rules.rules}
    return {
        "version": rules.version,
        "before": before or "",
        "added": sorted(now.keys() - then.keys()),
        "removed": sorted(then.keys() - now.keys()),
        "changed": sorted(rule for rule in now.keys() & then.keys() if now[rule] != then[rule]),
    }
