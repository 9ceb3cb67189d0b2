"""What the rules would say to a call, for whoever asks before anything happens."""

import pytest

from kernel.errors import RefusedError
from rules.engine.explaining_calls import explain_call
from rules.engine.rulebook import RuleBook
from tests.rules import spec_rules


@pytest.fixture
def book() -> RuleBook:
    made = RuleBook()
    made.load({"rules/money.yaml": spec_rules.TEXT}, spec_rules.known())
    return made


def test_the_deciding_rule_is_named_with_file_and_line_and_those_who_decide(book: RuleBook) -> None:
    found = explain_call(book, "ops: pay_invoice account=typed amount=900")
    assert (found.decision, found.by) == ("ask", ("invoice-needs-two",))
    assert found.lines[0] == (
        "**ask**: Everything else that moves money needs two people from finance, never the person who asked."
    )
    assert "2 of finance, not the requester; after 2h also cfo; within 4h" in found.text
    assert "- `invoice-needs-two` (otherwise ask, rules/money.yaml:14): **decides**" in found.lines


def test_the_nearest_rule_says_which_condition_failed(book: RuleBook) -> None:
    found = explain_call(book, "ops: pay_invoice account=typed amount=900")
    assert "small-known-invoice would allow it alone, but amount is 900, more than 250" in found.text
    used_up = explain_call(
        book, "{agent: ops, tool: pay_invoice, account: typed, amount: 90, used: {small-known-invoice: 950}}"
    )
    assert "950 is used, and 90 more would go beyond it" in used_up.text


def test_a_stronger_rule_is_shown_beside_the_one_that_holds(book: RuleBook) -> None:
    found = explain_call(book, "{agent: ops, tool: deploy, environment: production, now: 2026-11-27T13:00+01:00}")
    assert found.decision == "deny"
    allowed = explain_call(book, "ops: pay_invoice account=paid_before amount=90")
    assert allowed.decision == "allow"
    assert (
        "`invoice-needs-two` (otherwise ask, rules/money.yaml:14): holds, but a stronger rule decides" in allowed.text
    )


def test_a_tool_without_rules_and_a_call_that_is_none_are_said_so(book: RuleBook) -> None:
    with pytest.raises(RefusedError, match="did you mean 'send_email'"):
        explain_call(book, "ops: send_mail to=typed")
    assert "No rule is about" not in explain_call(book, "ops: send_email to=typed").text
