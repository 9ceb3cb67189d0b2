"""The rules in force: loaded as a whole, swapped as a whole, with the tests that their files bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rules.engine.linting.lint import lint
from rules.engine.load import load_files
from rules.engine.policy import FALLBACK, Policy
from rules.engine.rule_tests import TestResult, run_test
from rules.engine.ruleset import RuleSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.people import Role
    from rules.engine.known import Known
    from rules.engine.linting.findings import Finding
    from rules.engine.load import LoadedFile


class RuleBook:
    """Holds the rule set in force. Whoever judges a call takes `current` once and uses that."""

    def __init__(self, current: RuleSet | None = None) -> None:
        self._current = current or RuleSet()
        self._files: list[LoadedFile] = []
        self._known: Known | None = None

    @property
    def current(self) -> RuleSet:
        """The rules in force."""
        return self._current

    def load(self, files: Mapping[str, str], known: Known, *, fallback: Policy = FALLBACK) -> bool:
        """Put these files (path to text) into force; True if they say something else than before.

        CharterError with every problem; the rules in force then stay in force.
        """
        loaded = load_files(files, known)
        fresh = RuleSet((rule for file in loaded for rule in file.content.rules), fallback=fallback)
        changed = fresh.version != self._current.version
        self._current, self._files, self._known = fresh, loaded, known
        return changed

    @property
    def known(self) -> Known:
        """What the rules in force may name."""
        return self._known or Known(tools={})

    def where(self, rule_id: str) -> str:
        """File and line of a rule in force, "rules/money.yaml:12"; empty where there is none."""
        for file in self._files:
            for number, rule in enumerate(file.content.rules):
                if rule.id == rule_id:
                    return f"{file.located.path}:{file.located.line(('rules', number))}"
        return ""

    def lint(self, roles: Mapping[str, Role] | None = None) -> list[Finding]:
        """What a team should look at in the rules in force. `roles` says who holds which role."""
        rules = [rule for file in self._files for rule in file.content.rules]
        found = lint(rules, self.known, roles, fallback=self._current.fallback)
        return [finding.model_copy(update={"where": self.where(finding.subject)}) for finding in found]

    def run_tests(self) -> list[TestResult]:
        """Evaluate the `tests:` of the files in force against the rules in force."""
        if self._known is None:
            return []
        return [
            run_test(self._current, self._known, file.located, number, test)
            for file in self._files
            for number, test in enumerate(file.content.tests)
        ]
