"""Whatever stands in a rule file is read or refused with file and line; nothing crashes, nothing is let through."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import CharterError, RefusedError
from rules.engine.decide import decide
from rules.engine.linting.lint import lint
from rules.engine.load import load_file
from rules.engine.rulebook import RuleBook
from rules.engine.ruleset import RuleSet, from_content
from rules.engine.written_facts import call_written, facts_written
from tests.rules import spec_rules

KNOWN = spec_rules.known()
NAMES = """
    version rules tests id why agent tool effect args is not at_most at_least matches from only_from links_from length
    targets time days until zone context decision otherwise approval who need escalate after to expires budget amount
    per limit calls promote log_only allow ask deny ops pay_invoice deploy typed outside_text finance 4h 24:00 fri
"""
WORDS = st.sampled_from(NAMES.split())
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(-3, 10**20), st.floats(), st.text(max_size=8))
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
CALLS = [
    "{agent: ops, tool: pay_invoice, account: nowhere, amount: 9}",
    "{agent: calendar, tool: send_email, to: outside_text}",
    "{agent: ops, tool: deploy, environment: production}",
]


def allowed(rules: RuleSet) -> bool:
    return any(decide(rules, facts_written(rules, KNOWN, call)).decision == "allow" for call in CALLS)


def loaded(text: str) -> RuleSet | None:
    """The rules of the text, linted; None where it is refused, with file and line in every complaint."""
    problems = None
    try:
        content = load_file("rules/x.yaml", text, KNOWN).content
    except CharterError as error:
        problems = error.problems
    if problems is not None:
        assert problems
        assert all(problem.startswith("rules/x.yaml:") for problem in problems), problems
        return None
    lint(content.rules, KNOWN)
    return RuleSet(content.rules)


def says_allow(text: str) -> bool:
    return any("allow" in line and ("decision" in line or "to:" in line) for line in text.splitlines())


@given(st.text(max_size=200))
@settings(max_examples=80, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    rules = loaded(text)
    assert rules is None or not allowed(rules)


@given(TREES)
@settings(max_examples=80, deadline=None)
def test_any_tree_of_known_words_is_read_or_refused(tree: Any) -> None:
    text = repr({"version": 1, "rules": [tree]})
    rules = loaded(text)
    assert rules is None or says_allow(text) or not allowed(rules)


DAMAGE = ["cut", "twice", "in", "out", "word", "swap"]
LINES = spec_rules.TEXT.splitlines()


@given(
    st.lists(
        st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(DAMAGE), WORDS),
        min_size=1, max_size=4,
    )
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_a_damaged_file_never_allows_what_the_whole_one_does_not(damage: list[tuple[int, str, str]]) -> None:
    lines = [line for line in LINES if "decision: allow" not in line and "budget" not in line]
    lines = [line if "small-known" not in line else "  - id: small-known-invoice\n    decision: ask" for line in lines]
    for place, how, word in damage:
        at = place % len(lines)
        line = lines[at]
        if how == "swap":
            lines[at], lines[at - 1] = lines[at - 1], line
            continue
        if word == "allow":
            continue
        lines[at] = {
            "cut": line[: len(line) // 2], "twice": f"{line}\n{line}", "in": f"  {line}", "out": line[2:],
            "word": line.replace(line.split(":")[0].strip(), word, 1),
        }[how]  # fmt: skip
    rules = loaded("\n".join(lines))
    assert rules is None or not allowed(rules)


@given(st.text(max_size=80) | st.lists(WORDS | st.just("="), max_size=8).map(" ".join))
@settings(max_examples=80, deadline=None)
def test_any_question_about_a_call_is_answered_or_refused(text: str) -> None:
    rules = RuleSet(load_file("rules/x.yaml", spec_rules.TEXT, KNOWN).content.rules)
    refused = ""
    try:
        facts = facts_written(rules, KNOWN, text)
    except RefusedError as error:
        refused = error.message
    assert refused or decide(rules, facts).decision in {"allow", "ask", "deny"}


def test_what_was_stored_of_rules_decides_as_they_did() -> None:
    rules = RuleSet(load_file("rules/x.yaml", spec_rules.TEXT, KNOWN).content.rules)
    again = from_content(rules.content())
    assert again.version == rules.version
    for call in CALLS:
        assert decide(again, facts_written(again, KNOWN, call)) == decide(rules, facts_written(rules, KNOWN, call))


def test_a_bad_file_leaves_the_rules_in_force() -> None:
    book = RuleBook()
    book.load({"rules/x.yaml": spec_rules.TEXT}, KNOWN)
    before = book.current
    with pytest.raises(
        CharterError, match=r"rules/x\.yaml:7: unknown tool 'pay_invoce' \(did you mean 'pay_invoice'\?\)"
    ):
        book.load({"rules/x.yaml": spec_rules.TEXT.replace("tool: [pay_invoice]", "tool: [pay_invoce]")}, KNOWN)
    assert book.current is before


def test_a_call_is_written_like_a_call_or_like_a_test() -> None:
    short = call_written('ops: pay_invoice account=typed amount=90 channel="#finance" note="two words"')
    assert short == {
        "agent": "ops", "tool": "pay_invoice", "account": "typed", "amount": 90, "channel": "#finance",
        "note": "two words",
    }  # fmt: skip
    assert call_written("{agent: ops, tool: deploy, args: {environment: production}}")["args"] == {
        "environment": "production"
    }
    for text, complaint in (
        ("ops: pay_invoce", "did you mean 'pay_invoice'"),
        ("pay_invoice amount=1", "Which agent"),
        ("ops: pay_invoice amount", "name=value"),
        ("ops: pay_invoice colour=red", "has no argument colour"),
        ('ops: pay_invoice account="', "no partner"),
        ("{agent: [", "not YAML"),
    ):
        with pytest.raises(RefusedError, match=complaint):
            facts_written(RuleSet(), KNOWN, text)
