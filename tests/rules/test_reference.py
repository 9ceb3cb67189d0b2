"""The whole language agrees with the slow, obvious second implementation, call by call."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rules.engine.decide import decide
from rules.engine.facts import CallFacts
from rules.engine.language import Rule
from rules.engine.meters import Used
from rules.engine.ruleset import RuleSet
from tests.rules.reference import decide_slowly
from tests.rules.test_decide import CONDITION, ORIGIN, TOOLS, maybe, some

TEXTS = ["a", "A", "docs/a.md", "docs/x/a.md", "docs/../a.md", "", "b.md"]
TIMES = st.sampled_from([
    {"days": ["fri"], "from": "12:00"}, {"from": "22:00", "until": "06:00"}, {"days": ["sun"], "from": "23:00",
    "until": "01:00", "zone": "Europe/Zurich"}, {"until": "12:00", "zone": "America/New_York"},
])  # fmt: skip
WORDS: dict[str, st.SearchStrategy[Any]] = {
    "agent": some(st.sampled_from(["ops", "sales"])),
    "tool": some(st.sampled_from(list(TOOLS))),
    "effect": some(st.sampled_from(["read", "send", "spend", "destroy"])),
    "channel": some(st.sampled_from(["#a", "#b"])),
    "requester": some(st.sampled_from(["finance", "interns"])),
    "attended": st.booleans(),
    "platform": some(st.sampled_from(["web", "slack"])),
    "workflow": some(st.sampled_from(["digest", "other"])),
    "time": TIMES,
    "context": maybe(outside_text_read=st.booleans(), personal_data_read=st.booleans()).filter(bool),
    "targets": maybe(**{"from": some(ORIGIN), "only_from": some(ORIGIN)}).filter(bool),
    "links_from": some(ORIGIN),
    "log_only": st.booleans(),
}
TEXTUAL = st.one_of(
    some(st.sampled_from(["docs/**", "docs/*", "*.md", "?", "**", "A"])).map(lambda globs: {"matches": globs}),
    st.sampled_from([{"at_most": 1}, {"at_least": 2}, {"at_least": 1, "at_most": 2}]).map(lambda n: {"length": n}),
    some(ORIGIN).map(lambda origins: {"links_from": origins}),
)
ARGS = st.dictionaries(st.sampled_from(["x", "y"]), st.one_of(CONDITION, TEXTUAL, TEXTUAL), min_size=1, max_size=2)
PROMOTE = {"to": "allow", "after": {"approvals_in_a_row": 2}, "decided_by": "admin"}
METERS = maybe(
    budget=st.fixed_dictionaries({"amount": st.sampled_from([3, 10]), "of": st.just("x"), "per": st.just("day")}),
    limit=st.fixed_dictionaries({"calls": st.sampled_from([1, 3]), "per": st.just("day")}),
)
SAYS = st.one_of(
    st.sampled_from([{"decision": "deny"}, {"otherwise": "deny"}]),
    st.tuples(st.sampled_from([{"decision": "allow"}, {"decision": "ask"}, {"otherwise": "ask"}]), METERS).map(
        lambda pair: {**pair[0], **pair[1]}
    ),
    st.sampled_from([{"decision": "ask", "promote": PROMOTE}, {"otherwise": "ask", "promote": PROMOTE}]),
)


@st.composite
def rules_of_every_kind(draw: st.DrawFn) -> list[Rule]:
    """A few rules of few words each, so that most calls meet some of them."""
    made = []
    for number in range(draw(st.integers(1, 4))):
        chosen = draw(st.lists(st.sampled_from([*WORDS, "args", "args"]), max_size=2, unique=True))
        words = {name: draw(ARGS if name == "args" else WORDS[name]) for name in chosen}
        made.append(Rule.model_validate({**words, **draw(SAYS), "id": f"r{number}", "why": "W."}))
    return made


def some_call(random: Any, rules: list[Rule]) -> CallFacts:
    tool = random.choice(list(TOOLS))
    values: list[Any] = [None, 1, 2.5, 5, True, *TEXTS]
    arguments = {name: random.choice([*values, [random.choice(values) for _ in range(2)], []]) for name in ("x", "y")}
    origins = {
        name: tuple(frozenset(random.sample(SETS, random.randrange(1, 3))) for _ in _leaves(value))
        for name, value in arguments.items()
        if random.random() < 0.9
    }
    keys = [f"{rule.id}:{kind}:0" for rule in rules for kind in ("budget", "limit")]
    used = {key: Used(amount=Decimal(random.randrange(12)), raised=Decimal(random.choice([0, 0, 5]))) for key in keys}
    return CallFacts(
        agent=random.choice(["ops", "sales"]),
        tool=tool,
        effect=random.choice([TOOLS[tool], TOOLS[tool], "destroy"]),
        arguments=arguments,
        origins=origins,
        channel=random.choice([None, "", "#a", "#b"]),
        platform=random.choice(["web", "slack", None]),
        requester="ann",
        roles=frozenset(random.sample(["finance", "interns"], random.randrange(3))),
        unsure_roles=frozenset(random.sample(["finance", "interns"], random.randrange(2))),
        workflow=random.choice([None, None, "digest"]),
        now=random.choice(
            [
                None,
                datetime(2026, 11, random.randrange(1, 30), random.randrange(24), random.choice([0, 30]), tzinfo=UTC),
            ]
        ),
        outside_text_read=random.choice([True, False, None]),
        personal_data_read=random.choice([True, False, None]),
        authority=random.choice([("x",), ("x", "y"), ()]),
        texts=random.choice([("y",), ()]),
        always_asked=random.random() < 0.1,
        used={key: value for key, value in used.items() if random.random() < 0.9},
        promoted=frozenset(rule.id for rule in rules if random.random() < 0.5),
    )


MOMENTS = [datetime(2026, 11, 26, tzinfo=UTC) + timedelta(hours=hours, minutes=30 * (hours % 2)) for hours in range(96)]
MOMENTS += [datetime(2026, 11, 27, 12, tzinfo=UTC), datetime(2026, 11, 27, 6, tzinfo=UTC)] * 12  # where windows end
SETS: list[Any] = ["typed", "member_text", "outside_text", "nowhere"]


def _leaves(value: Any) -> list[Any]:
    return [each for each in (value if isinstance(value, list) else [value]) if each is not None]


@given(rules_of_every_kind(), st.randoms(use_true_random=True))
@settings(max_examples=150, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_every_word_decides_as_the_slow_implementation_says(rules: list[Rule], random: Any) -> None:
    whole = RuleSet(rules)
    for _ in range(100):
        facts = some_call(random, rules)
        verdict = decide(whole, facts)
        assert (verdict.decision, set(verdict.rules)) == decide_slowly(rules, facts), facts
