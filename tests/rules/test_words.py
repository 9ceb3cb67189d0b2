"""What the words of the rule language mean, one promise each."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from rules.engine.approval_words import Approval
from rules.engine.decide import charges, decide
from rules.engine.facts import CallFacts, Granted
from rules.engine.language import Rule
from rules.engine.meters import Used
from rules.engine.policy import Group, Policy, in_full, strictest
from rules.engine.policy_of_words import policy_of
from rules.engine.rulebook import RuleBook
from rules.engine.ruleset import RuleSet
from tests.rules import spec_rules

TYPED, OUTSIDE = (frozenset({"typed"}),), (frozenset({"outside_text"}),)


def rules(*written: dict[str, Any]) -> RuleSet:
    return RuleSet(Rule.model_validate({"id": f"r{n}", "why": f"W{n}.", **words}) for n, words in enumerate(written))


def call(**words: Any) -> CallFacts:
    return CallFacts(**{"agent": "ops", "tool": "t", "effect": "write", "arguments": {}, "requester": "ann", **words})


def policy(**words: Any) -> Policy:
    return policy_of(Approval.model_validate(words))


def test_the_whole_language_loads_and_its_tests_hold() -> None:
    book = RuleBook()
    book.load({"rules/all.yaml": spec_rules.TEXT}, spec_rules.known())
    assert [result for result in book.run_tests() if not result.ok] == []
    two = book.current.candidates("ops", "pay_invoice", "spend").otherwise_ask[0].policy
    assert two is not None
    assert in_full(two) == "2 of finance, not the requester; after 2h also cfo; within 4h"


# -- approvals ---------------------------------------------------------------------------------------------------------


def test_an_escalation_adds_people_after_its_time() -> None:
    group = policy(who="finance", escalate=[{"after": "2h", "to": ["cfo", "admin"]}]).groups[0]
    assert group.who_after(timedelta(minutes=119)) == ("finance",)
    assert group.who_after(timedelta(hours=2)) == ("finance", "cfo", "admin")


def test_reminders_come_at_half_and_nine_tenths_unless_the_rule_says_otherwise() -> None:
    hours = [moment.total_seconds() / 3600 for moment in policy(who="finance", expires="10h").reminders]
    assert hours == [5, 9]
    assert policy(who="finance", remind=False).reminders == ()
    assert policy(who="finance", remind=["2h", "1h"]).reminders == (timedelta(hours=1), timedelta(hours=2))


def test_stages_follow_each_other_and_each_has_its_own_people() -> None:
    found = policy(stages=[{"who": "lead"}, {"who": "finance", "need": 2}])
    assert [(group.stage, group.who, group.need) for group in found.groups] == [
        (0, ("lead",), 1),
        (1, ("finance",), 2),
    ]
    assert in_full(found) == "1 of lead, not the requester; then 2 of finance, not the requester; within 1d"


@pytest.mark.parametrize(
    ("one", "two", "merged"),
    [
        ({"reject": 3}, {"reject": 2}, {"reject": 2}),
        ({"delegate": False}, {}, {"delegate": False}),
        ({"batchable": True}, {}, {"batchable": False}),
        ({"batchable": True}, {"batchable": True}, {"batchable": True}),
        ({"break_glass": ["lead", "cfo"]}, {"break_glass": "cfo"}, {"break_glass": "cfo"}),
        ({"break_glass": "lead"}, {}, {}),
        (
            {"escalate": [{"after": "1h", "to": "cfo"}, {"after": "1h", "to": "lead"}]},
            {"escalate": [{"after": "2h", "to": "cfo"}]},
            {"escalate": [{"after": "2h", "to": "cfo"}]},
        ),
        ({"remind": ["1h"]}, {"remind": ["2h"]}, {"remind": ["1h", "2h"]}),
        (
            {"grant": {"calls": 5, "for": "7d"}},
            {"grant": {"calls": 9, "for": "1d", "same": "x"}},
            {"grant": {"calls": 5, "for": "1d", "same": "x"}},
        ),
        ({"grant": {"calls": 5, "for": "7d"}}, {}, {}),
    ],
)
def test_of_two_policies_the_stricter_word_holds(one: Any, two: Any, merged: Any) -> None:
    both = strictest([policy(who="finance", **one), policy(who="finance", **two)])
    assert both == policy(who="finance", **merged)
    assert policy(who="finance", **one).within(both)
    assert policy(who="finance", **two).within(both)


@pytest.mark.parametrize(
    "looser",
    [
        {"escalate": [{"after": "2h", "to": "cfo"}]},
        {"break_glass": "cfo"},
        {"reject": 2},
        {"not_requester": False},
    ],
)
def test_what_a_looser_policy_let_pass_does_not_satisfy_a_stricter_one(looser: Any) -> None:
    strict, loose = policy(who="finance"), policy(who="finance", **looser)
    assert not strict.within(loose)
    assert loose.within(strict)


def test_one_approval_of_a_role_does_not_stand_for_two_stages_of_it() -> None:
    assert not policy(stages=[{"who": "finance"}, {"who": "finance"}]).within(policy(who="finance"))


# -- budgets and limits ------------------------------------------------------------------------------------------------

PAY = {"tool": "t", "budget": {"amount": 100, "per": "day"}}


def spent(amount: float, raised: float = 0, key: str = "r0:budget:0") -> dict[str, Used]:
    return {key: Used(amount=Decimal(str(amount)), raised=Decimal(str(raised)))}


@pytest.mark.parametrize(
    ("used", "amount", "allowed"),
    [
        (spent(0), 100, True),
        (spent(60), 40, True),
        (spent(60), 40.01, False),
        (spent(60, raised=1), 40.01, True),
        (spent(0), -5, False),
        (spent(0), "a lot", False),
        (spent(0), None, False),
        ({}, 1, False),
    ],
)
def test_a_rule_that_allows_holds_up_to_its_budget(used: Any, amount: Any, allowed: bool) -> None:
    verdict = decide(rules({**PAY, "decision": "allow"}), call(arguments={"amount": amount}, used=used))
    assert (verdict.decision == "allow") is allowed


def test_a_rule_that_asks_denies_what_goes_beyond_its_budget() -> None:
    asking = rules({**PAY, "decision": "ask"})
    assert decide(asking, call(arguments={"amount": 40}, used=spent(60))).decision == "ask"
    denied = decide(asking, call(arguments={"amount": 41}, used=spent(60)))
    assert (denied.decision, denied.rules) == ("deny", ("r0",))
    assert denied.reason == "Of the budget of 100 per day, 60 is used, and 41 more would go beyond it."
    assert decide(asking, call(arguments={"amount": 1})).decision == "deny"


def test_a_limit_counts_calls_and_the_cost_of_the_model_is_counted_before() -> None:
    limited = rules({"tool": "t", "limit": {"calls": 3, "per": "hour"}, "decision": "allow"})
    assert decide(limited, call(used=spent(2, key="r0:limit:0"))).decision == "allow"
    assert decide(limited, call(used=spent(3, key="r0:limit:0"))).decision == "ask"
    costly = rules({"tool": "t", "budget": {"cost": 2, "per": "run"}, "decision": "allow"})
    assert decide(costly, call(used=spent(1.99))).decision == "allow"
    assert decide(costly, call(used=spent(2))).decision == "ask"


def test_what_a_call_uses_is_charged_to_the_account_that_the_rule_names() -> None:
    budget = {"amount": 100, "per": "day", "each": ["agent", "person"], "same": "currency"}
    paying = rules({"tool": "t", "budget": budget, "decision": "allow"}, {"tool": "t", "decision": "allow"})
    facts = call(arguments={"amount": 7, "currency": "EUR"}, used=spent(0))
    (charge,) = charges(paying, decide(paying, facts), facts)
    assert charge.account == '{"agent":"ops","person":"ann","same":{"currency":"EUR"}}'
    assert (charge.amount, charge.meter.key) == (Decimal(7), "r0:budget:0")
    over = call(arguments={"amount": 7, "currency": "EUR"}, used=spent(99))
    assert decide(paying, over).rules == ("r1",)
    assert charges(paying, decide(paying, over), over) == ()


# -- links, personal data ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("links", "allowed", "denied"),
    [
        (None, False, True),
        ({}, False, True),
        ({"body": ()}, True, False),
        ({"body": TYPED}, True, True),
        ({"body": (*TYPED, *OUTSIDE)}, False, True),
        ({"body": OUTSIDE}, False, False),
    ],
)
def test_links_in_a_text_are_judged_by_where_they_were_found(links: Any, allowed: bool, denied: bool) -> None:
    facts = call(arguments={"body": "see this"}, origins=links or {})
    words = {"tool": "t", "args": {"body": {"links_from": "typed"}}}
    assert (decide(rules({**words, "decision": "allow"}), facts).decision == "allow") is allowed
    assert (decide(rules({**words, "decision": "deny"}), facts).decision == "deny") is denied


@pytest.mark.parametrize(
    ("read", "denied", "allowed"), [(True, True, False), (False, False, True), (None, True, False)]
)
def test_once_personal_data_was_read(read: Any, denied: bool, allowed: bool) -> None:
    closing = rules({"tool": "t", "context": {"personal_data_read": True}, "decision": "deny"})
    opening = rules({"tool": "t", "context": {"personal_data_read": False}, "decision": "allow"})
    assert (decide(closing, call(personal_data_read=read)).decision == "deny") is denied
    assert (decide(opening, call(personal_data_read=read)).decision == "allow") is allowed


# -- log-only, promotion, standing permission --------------------------------------------------------------------------


def test_a_rule_that_only_logs_has_no_effect_and_its_answer_is_recorded() -> None:
    trying = rules(
        {"tool": "t", "decision": "allow"},
        {"tool": "t", "args": {"x": {"is": 1}}, "decision": "deny", "log_only": True},
    )
    verdict = decide(trying, call(arguments={"x": 1}))
    assert (verdict.decision, verdict.rules) == ("allow", ("r0",))
    assert verdict.record()["log_only"] == {"rules": ["r1"], "decision": "deny"}
    assert "log_only" not in decide(trying, call(arguments={"x": 2})).record()


PROMOTE = {"to": "allow", "after": {"approvals_in_a_row": 5}, "decided_by": "lead"}
ASKING = {"tool": "t", "decision": "ask", "promote": PROMOTE}


def test_a_promoted_rule_allows_and_every_other_rule_still_counts() -> None:
    both = rules(ASKING, {"tool": "t", "args": {"x": {"is": 1}}, "decision": "ask"})
    promoted = frozenset({"r0"})
    verdict = decide(both, call(arguments={"x": 2}, promoted=promoted))
    assert (verdict.decision, verdict.rules, verdict.promoted) == ("allow", ("r0",), True)
    assert decide(both, call(arguments={"x": 2})).decision == "ask"
    assert decide(both, call(arguments={"x": 1}, promoted=promoted)).rules == ("r1",)
    denying = rules(ASKING, {"tool": "t", "decision": "deny"})
    assert decide(denying, call(promoted=promoted)).decision == "deny"


def test_nothing_that_destroys_or_comes_from_outside_is_ever_promoted() -> None:
    promoted = frozenset({"r0", "r1"})
    assert decide(rules(ASKING), call(effect="destroy", promoted=promoted)).decision == "ask"
    outside = call(arguments={"x": "a"}, origins={"x": OUTSIDE}, promoted=promoted)
    assert decide(rules(ASKING), outside).decision == "ask"
    assert decide(rules({"tool": "t", "decision": "ask"}), call(promoted=promoted)).decision == "ask"


def test_a_promoted_rule_keeps_its_limits() -> None:
    limited = rules({**ASKING, "limit": {"calls": 3, "per": "day"}})
    used = spent(3, key="r0:limit:0")
    assert decide(limited, call(promoted=frozenset({"r0"}), used=used)).decision == "deny"


def test_a_standing_permission_answers_only_for_the_people_whom_the_rules_would_ask() -> None:
    terms = {"calls": 5, "for": "7d"}
    asking = rules({"tool": "t", "decision": "ask", "approval": {"who": "finance", "grant": terms}})
    given = Granted(ref="GR-1", policy=Policy(groups=(Group(who=("finance",)),)), told="given by Bo until 3 March")
    verdict = decide(asking, call(grants=(given,)))
    assert (verdict.decision, verdict.grant, verdict.rules) == ("allow", "GR-1", ("r0",))
    assert verdict.reason == "A standing permission covers it: GR-1, given by Bo until 3 March."
    others = Granted(ref="GR-2", policy=Policy(groups=(Group(who=("legal",)),)), told="given by Lea")
    assert decide(asking, call(grants=(others,))).decision == "ask"
    assert decide(asking, call(effect="destroy", grants=(given,))).decision == "ask"  # it cannot be undone
    without = rules({"tool": "t", "decision": "ask", "approval": {"who": "finance"}})
    assert decide(without, call(grants=(given,))).decision == "ask"
    typing = {"who": "finance", "grant": terms, "confirm": "type_target"}
    assert decide(rules({"tool": "t", "decision": "ask", "approval": typing}), call(grants=(given,))).decision == "ask"
