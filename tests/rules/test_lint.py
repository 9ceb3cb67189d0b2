"""The linter: what it claims is so, for single values it claims all that is so, and people can read it."""

from itertools import product
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kernel.people import Role
from rules.engine.decide import decide
from rules.engine.facts import CallFacts
from rules.engine.known import Known, KnownTool
from rules.engine.language import Rule
from rules.engine.linting.findings import Finding
from rules.engine.linting.lint import lint
from rules.engine.ruleset import RuleSet
from tests.rules.test_decide import CONDITION, SELECTORS, TOOLS, VERDICT, maybe, rule_lists, some

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # making a failing example smaller would take minutes
SCALAR = [{"type": kind} for kind in ("string", "number", "boolean", "null")]
GLOBS = ["*", "**", "a", "a*", "a?", "drafts/**", "drafts/*", "*.md", "drafts/a.md"]
SETS: list[frozenset[str]] = [
    frozenset({"typed"}), frozenset({"outside_text"}), frozenset({"typed", "outside_text"}), frozenset({"nowhere"}),
]  # fmt: skip


def known(*, x: Any, tools: dict[str, Any] | None = None) -> Known:
    arguments = {"properties": {"x": x, "y": {"type": "array", "items": {"anyOf": SCALAR}}}}
    return Known(
        tools={
            name: KnownTool(effect=effect, arguments=arguments, authority=("x", "y"))
            for name, effect in (tools or TOOLS).items()
        },
        agents=frozenset({"ops", "sales"}),
    )


def some_facts(random: Any) -> CallFacts:
    """A call as it could be, whatever the rules say of it."""
    tool = random.choice(list(TOOLS))
    values: list[Any] = [None, "a", "A ", "b", "zz", 1, 2.5, 5, 9, "1", True, False]
    values += ["a1", "drafts/a.md", "DRAFTS/b/c.md", "drafts/../x"]
    x, y = random.choice(values), random.choices(values, k=random.randrange(4))
    given = {"x": x, "y": y}
    leaves = {"x": [x] if x is not None else [], "y": [each for each in y if each is not None]}
    origins = {name: tuple(random.choice(SETS) for _ in each) for name, each in leaves.items() if random.random() < 0.9}
    return CallFacts(
        agent=random.choice(["ops", "sales"]),
        tool=tool,
        effect=TOOLS[tool],
        arguments=given,
        origins=origins,
        channel=random.choice([None, "", "#a", "#b"]),
        platform="web",
        roles=frozenset(random.sample(["finance", "interns"], random.randrange(3))),
        unsure_roles=frozenset(random.sample(["finance", "interns"], random.randrange(2))),
        workflow=random.choice([None, "digest"]),
        outside_text_read=random.choice([True, False, None]),
        authority=("x", "y"),
        texts=(),
    )


@st.composite
def whole_rules(draw: st.DrawFn) -> list[Rule]:
    """Rules with globs, targets and context as well."""
    more = maybe(
        targets=maybe(**{"from": some(st.sampled_from(["typed", "nowhere"]))}).filter(bool),
        context=maybe(outside_text_read=st.booleans()),
    )
    condition = st.one_of(CONDITION, maybe(matches=some(st.sampled_from(GLOBS))).filter(bool))
    args = st.fixed_dictionaries({"args": st.dictionaries(st.sampled_from(["x", "y"]), condition, min_size=1)})
    made = draw(st.lists(st.tuples(SELECTORS, VERDICT, more, args | st.just({})), min_size=2, max_size=6))
    return [
        Rule.model_validate({"id": f"r{n}", "why": "W.", **selectors, **verdict, **also, **again})
        for n, (selectors, verdict, also, again) in enumerate(made)
    ]


@given(whole_rules(), st.randoms(use_true_random=True))
@settings(max_examples=40, deadline=None)
def test_what_it_claims_holds_for_every_call(rules: list[Rule], random: Any) -> None:
    found = lint(rules, known(x={"anyOf": SCALAR}))
    never = {each.subject for each in found if each.kind in {"unreachable", "overruled"}}
    needless = {each.subject for each in found if each.kind == "redundant"}
    whole, without = RuleSet(rules), RuleSet([rule for rule in rules if rule.id not in needless])
    for _ in range(80 if never or needless else 0):
        facts = some_facts(random)
        verdict = decide(whole, facts)
        assert not never & set(verdict.rules)
        other = decide(without, facts)
        assert (other.decision, other.policy) == (verdict.decision, verdict.policy)


FEW = maybe(**{
    "is": some(st.sampled_from(["a", "b", 1])), "not": some(st.sampled_from(["a", 1])),
    "at_most": st.sampled_from([1, 3]), "at_least": st.sampled_from([1, 3]),
    "from": some(st.sampled_from(["typed", "nowhere"])), "only_from": some(st.sampled_from(["typed", "nowhere"])),
})  # fmt: skip
SINGLE = maybe(
    agent=some(st.sampled_from(["ops", "sales"])),
    tool=some(st.sampled_from(["pay", "mail"])),
    channel=some(st.sampled_from(["#a"])),
    attended=st.booleans(),
    args=st.fixed_dictionaries({"x": FEW.filter(bool)}),
)


@given(st.lists(st.tuples(SINGLE, VERDICT), min_size=2, max_size=6))
@settings(max_examples=25, deadline=None, phases=QUICK)
def test_for_single_values_it_finds_every_rule_that_never_decides(made: list[tuple[Any, Any]]) -> None:
    rules = [Rule.model_validate({"id": f"r{n}", "why": "W.", **one, **two}) for n, (one, two) in enumerate(made)]
    tools = {"pay": "spend", "mail": "send"}
    found = lint(rules, known(x={"anyOf": SCALAR[:2]}, tools=tools))
    never = {each.subject for each in found if each.kind in {"unreachable", "overruled"}}
    whole, decides = RuleSet(rules), set[str]()
    some_sets: list[Any] = [(frozenset({"typed"}),), (frozenset({"nowhere"}),), (frozenset({"typed", "nowhere"}),)]
    some_sets += [
        (frozenset({"member"}),),
        (frozenset({"typed", "member"}),),
        (frozenset({"nowhere", "member"}),),
        None,
    ]
    values: list[Any] = ["a", "a ", "b", "b ", "zz", 0, 1, "1", 2, 3, "3", 4, "0", "4"]
    everything = product(("ops", "sales"), tools, ("#a", "", None), (None, "digest"), values, some_sets)
    for agent, tool, channel, workflow, value, origins in everything:
        facts = CallFacts(
            agent=agent, tool=tool, effect=tools[tool], arguments={"x": value}, channel=channel, workflow=workflow,
            origins={} if origins is None else {"x": origins},
        )  # fmt: skip
        decides.update(decide(whole, facts).rules)
        if len(decides) == len(rules):
            break
    assert never == {rule.id for rule in rules} - decides


@given(rule_lists())
@settings(max_examples=30, deadline=None)
def test_the_order_of_rules_changes_no_verdict_of_it(rules: list[Rule]) -> None:
    def never(several: list[Rule]) -> set[str]:
        found = lint(several, known(x={"anyOf": SCALAR}))
        return {each.subject for each in found if each.kind in {"unreachable", "overruled"}}

    assert never(rules) == never(rules[::-1])


def test_a_number_written_as_text_is_a_value_of_its_own() -> None:
    contrary = Rule.model_validate(
        {"id": "r", "why": "W.", "tool": "pay", "args": {"x": {"is": [1], "not": [1]}}, "decision": "ask"}
    )
    facts = CallFacts(agent="ops", tool="pay", effect="spend", arguments={"x": "1"})
    assert decide(RuleSet([contrary]), facts).rules == ("r",)  # as text it is the same loosely, and not exactly
    assert [each.kind for each in lint([contrary], known(x={"anyOf": SCALAR[:2]}, tools={"pay": "spend"}))] == []


# -- in a team lead's words ---------------------------------------------------------------------------------------

MONEY = Known(
    tools={
        "pay": KnownTool(
            effect="spend",
            arguments={"properties": {"account": {"type": "string"}, "amount": {"type": "number"}}},
            authority=("account",),
        ),
        "save": KnownTool(effect="write", arguments={"properties": {"path": {"type": "string"}}}),
        "look": KnownTool(effect="read", arguments={"properties": {}}),
    },
    agents=frozenset({"ops"}),
)


def rule(rule_id: str, **words: Any) -> Rule:
    return Rule.model_validate({"id": rule_id, "why": "W.", "tool": "pay", **words})


def linted(*rules: Rule, roles: dict[str, Role] | None = None) -> list[Finding]:
    return [each for each in lint(rules, MONEY, roles) if each.kind != "no_rule"]


def said(*rules: Rule, roles: dict[str, Role] | None = None) -> list[str]:
    return [each.text for each in linted(*rules, roles=roles)]


ASK = {"decision": "ask", "approval": {"who": "finance"}}


def test_a_rule_whose_conditions_contradict_each_other_is_unreachable() -> None:
    assert said(rule("odd", args={"amount": {"at_least": 100, "at_most": 50}}, decision="allow")) == [
        "odd: no call fits it"
    ]
    assert said(rule("odd", workflow="digest", attended=True, **ASK)) == ["odd: no call fits it"]


def test_an_allowance_that_a_question_always_precedes_never_decides() -> None:
    small = rule("small", args={"amount": {"at_most": 50}}, decision="allow")
    assert said(small, rule("all", **ASK)) == ["small: it never decides: whatever fits it is decided by all"]
    assert said(small, rule("large", args={"amount": {"at_least": 51}}, **ASK)) == []


def test_several_rules_together_can_leave_nothing_to_decide() -> None:
    small = rule("small", args={"amount": {"at_most": 100}}, decision="allow")
    low = rule("low", args={"amount": {"at_most": 60}}, decision="deny")
    high = rule("high", args={"amount": {"at_least": 40}}, **ASK)
    assert said(small, low, high) == ["small: it never decides: whatever fits it is decided by low and high"]
    gap = rule("high", args={"amount": {"at_least": 61}}, **ASK)
    assert said(small, low, gap) == []


def test_a_rule_that_another_repeats_is_a_note() -> None:
    wide = rule("wide", args={"account": {"from": ["typed", "paid_before"]}}, decision="allow")
    narrow = rule("narrow", args={"account": {"from": ["typed"]}}, decision="allow")
    (found,) = linted(wide, narrow)
    assert (found.kind, found.subject, found.serious) == ("redundant", "narrow", False)
    assert found.text == "narrow: without it nothing changes: wide decides the same"


def test_of_two_equal_rules_one_is_left() -> None:
    assert [each.subject for each in linted(rule("one", decision="deny"), rule("two", decision="deny"))] == ["two"]


def test_a_stricter_approval_is_not_redundant() -> None:
    both = {"decision": "ask", "approval": {"who": "finance", "need": 2}}
    large = rule("large", args={"amount": {"at_least": 1000}}, **both)
    assert said(rule("any", **ASK), large) == []
    assert said(rule("any", **both), rule("large", args={"amount": {"at_least": 1000}}, **ASK)) == [
        "large: without it nothing changes: any decides the same"
    ]


@pytest.mark.parametrize(
    ("narrow", "wide", "within"),
    [
        ("drafts/a.md", "drafts/**", True),
        ("drafts/*", "drafts/**", True),
        ("drafts/**", "drafts/*", False),  # deeper folders
        ("drafts/*", "drafts/?*", False),  # the empty name
        ("*.md", "*", True),
        ("*", "*.md", False),
    ],
)
def test_globs_are_compared_by_what_they_match(narrow: str, wide: str, within: bool) -> None:
    one = rule("one", tool="save", args={"path": {"matches": wide}}, decision="allow")
    two = rule("two", tool="save", args={"path": {"matches": narrow}}, decision="allow")
    assert ("two" in {each.subject for each in linted(one, two)}) is within


def test_a_grant_that_other_rules_always_bar_is_named() -> None:
    def asks(rule_id: str, *, last: bool = False, **words: Any) -> Rule:
        who = {"who": "finance", **({"grant": {"calls": 5, "for": "7d"}} if rule_id == "granting" else {})}
        return rule(rule_id, approval=who, **{"otherwise" if last else "decision": "ask"}, **words)

    barred = ["granting: its grant has no effect: all asks as well and permits none"]
    assert said(asks("granting", last=True), asks("all", last=True)) == barred
    assert said(asks("granting", args={"amount": {"at_most": 50}}), asks("all")) == barred
    assert said(asks("granting"), asks("large", args={"amount": {"at_least": 51}})) == []
    narrow = asks("granting", args={"amount": {"at_most": 50}})
    assert said(narrow, asks("all", last=True)) == []  # the weaker question is not asked with it


def test_a_rule_within_a_budget_overrules_nothing() -> None:
    metered = rule("metered", budget={"amount": 1000, "per": "day"}, decision="allow")
    assert said(metered, rule("rest", otherwise="ask", approval={"who": "finance"})) == []


def test_a_rule_that_only_logs_overrules_nothing() -> None:
    assert said(rule("no", decision="deny", log_only=True), rule("yes", decision="allow")) == []


def test_a_tool_that_is_left_to_the_default_is_named() -> None:
    found = lint([rule("pay", decision="deny")], MONEY)
    assert [(each.kind, each.subject, each.serious) for each in found] == [("no_rule", "save", False)]


def test_those_who_have_to_agree_are_counted() -> None:
    roles = {"finance": Role(name="finance", members=("bo",)), "ops": Role(name="ops")}
    two = {"decision": "ask", "approval": {"who": "finance", "need": 2}}
    nobody = {"decision": "ask", "approval": {"who": "ops"}}
    assert said(rule("two", **two), roles=roles) == [
        "two: 2 of finance have to agree, and only 1 can: it can never be approved"
    ]
    assert said(rule("none", **nobody), roles=roles) == [
        "none: 1 of ops have to agree, and nobody holds the role: it can never be approved"
    ]
    asks = {"requester": "finance", **ASK}
    assert [each.serious for each in linted(rule("own", **asks), roles=roles)] == [True]
    assert [each.serious for each in linted(rule("other", **ASK), roles=roles)] == [False]


def test_a_group_of_a_platform_may_hold_anybody() -> None:
    roles = {"finance": Role(name="finance", groups={"slack": "S1"})}
    assert said(rule("two", decision="ask", approval={"who": "finance", "need": 2}), roles=roles) == []


def test_more_than_one_deciding_role_is_noted() -> None:
    roles = {name: Role(name=name, members=("bo", "cy")) for name in ("finance", "sales")}
    (found,) = linted(rule("both", decision="ask", approval={"who": ["finance", "sales"]}), roles=roles)
    assert (found.kind, found.serious) == ("several_roles", False)
