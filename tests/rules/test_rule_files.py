"""A rule file that Bosun changes: the rule is in it, and the rest is as people wrote it, to the letter."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.yaml_lines import load, parse
from rules.engine.language import Rule, RuleFile
from rules.engine.rule_files import ids_in, with_rule, without_rule

TEXT = """\
# Money.   Ours.
version: 1

rules:

  # Small things first
  - id: small          # as agreed in March
    why: "Small: go on."
    tool:   pay
    args: {amount: {at_most: 5}}   # EUR
    decision: allow    # yes

  - {id: large, why: Large., tool: pay, decision: ask}   # one line
  - id: last
    why: >-
      Folded
      text.
    decision: deny

# The end of the rules
tests:
  - {call: {agent: ops, tool: pay}, expect: deny}
"""


def rule(rule_id: str, **words: Any) -> Rule:
    return Rule.model_validate({"id": rule_id, "why": "New: 5 % — 'ja'.", "decision": "deny", **words})


def rules_of(text: str) -> dict[str, Rule]:
    return {each.id: each for each in parse(load("x", text), RuleFile).rules}


def lines_changed(before: str, after: str) -> set[str]:
    return set(before.splitlines()) - set(after.splitlines())


def test_a_new_rule_is_added_behind_the_last_one_and_nothing_else_changes() -> None:
    after = with_rule(TEXT, rule("new", tool="pay"))
    assert lines_changed(TEXT, after) == set()
    assert rules_of(after) == {**rules_of(TEXT), "new": rule("new", tool="pay")}
    assert after.index("- id: new") < after.index("# The end of the rules")


@pytest.mark.parametrize(
    ("rule_id", "gone"),
    [
        ("small", 5),
        ("large", 1),
        ("last", 5),
    ],
)
def test_a_rule_takes_the_place_of_the_one_with_its_id(rule_id: str, gone: int) -> None:
    fresh = rule(rule_id, args={"amount": {"at_most": 7}}, tool="pay")
    after = with_rule(TEXT, fresh)
    assert len(lines_changed(TEXT, after)) <= gone
    assert rules_of(after) == {**rules_of(TEXT), rule_id: fresh}
    for comment in ("# Money.   Ours.", "# Small things first", "# The end of the rules"):
        assert comment in after


def test_a_rule_is_taken_away_with_its_lines_alone() -> None:
    after = without_rule(TEXT, "large")
    assert lines_changed(TEXT, after) == {"  - {id: large, why: Large., tool: pay, decision: ask}   # one line"}
    assert list(rules_of(after)) == ["small", "last"]
    with pytest.raises(ValueError, match="only rule"):
        without_rule(without_rule(after, "small"), "last")


def test_a_list_in_brackets_and_a_new_file_work_as_well() -> None:
    text = "version: 1\nrules: [{id: a, why: A., decision: deny}, {id: b, why: B., decision: deny}] # two\n"
    assert list(rules_of(with_rule(text, rule("c")))) == ["a", "b", "c"]
    assert rules_of(with_rule(text, rule("b", tool="t")))["b"] == rule("b", tool="t")
    assert "# two" in with_rule(text, rule("b"))
    assert rules_of(with_rule("", rule("c")))["c"] == rule("c")
    with pytest.raises(ValueError, match="no list of rules"):
        with_rule("version: 1\n", rule("c"))


SCALARS = st.one_of(st.booleans(), st.integers(-9, 9), st.sampled_from(["yes", "07", "~", "a, b"]))
WORDS = st.fixed_dictionaries(
    {"why": st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=30)},
    optional={
        "tool": st.lists(st.sampled_from(["pay", "on", "1", "null", "a:b", "# x", "- y"]), min_size=1, max_size=3),
        "args": st.dictionaries(
            st.sampled_from(["amount", "to"]),
            st.fixed_dictionaries({}, optional={
                "is": st.lists(SCALARS, min_size=1, max_size=3),
                "at_most": st.sampled_from([5, 0.1, 1e6]),
            }),
            min_size=1, max_size=2,
        ),
        "time": st.just({"days": ["fri"], "from": "12:00", "until": "24:00", "zone": "Europe/Zurich"}),
        "decision": st.sampled_from(["allow", "ask"]),
    },
)  # fmt: skip


@given(WORDS, st.sampled_from([*ids_in(TEXT), "fresh"]))
@settings(max_examples=25, deadline=None)
def test_whatever_a_rule_says_the_file_says_it_and_keeps_the_rest(words: dict[str, Any], rule_id: str) -> None:
    fresh = rule(rule_id, **words)
    after = with_rule(TEXT, fresh)
    assert rules_of(after) == {**rules_of(TEXT), rule_id: fresh}
    comments = [line for line in TEXT.splitlines() if line.strip().startswith("#")]
    assert [line for line in after.splitlines() if line.strip().startswith("#")] == comments
    assert ids_in(after) == [*ids_in(TEXT), *([] if rule_id != "fresh" else ["fresh"])]
