"""The rule file: what it may say, and that whatever is not understood is an error with file, line and a suggestion."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import CharterError
from rules.engine.load import load_file, load_files
from rules.engine.rulebook import RuleBook
from tests.rules.world import RULES, known

HEAD = "version: 1\nrules:\n"
PROMOTE = "tool: pay, decision: ask, promote: {to: allow, after: {approvals_in_a_row: 5}, "


def problems(text: str) -> list[str]:
    with pytest.raises(CharterError) as caught:
        load_file("rules/a.yaml", text, known())
    return caught.value.problems


def rule(words: str) -> str:
    return f"{HEAD}  - {{id: a, why: Because., {words}}}\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("tool: pay, decision: alow", "'alow' is not one of 'allow', 'ask' or 'deny' (did you mean 'allow'?)"),
        ("tools: pay, decision: allow", "unknown word 'tools' (did you mean 'tool'?)"),
        ("tool: pya, decision: allow", "unknown tool 'pya' (did you mean 'pay'?)"),
        ("agent: opps, tool: pay, decision: deny", "unknown agent 'opps' (did you mean 'ops'?)"),
        ("channel: '#finanse', decision: deny", "unknown channel '#finanse' (did you mean '#finance'?)"),
        ("requester: intern, decision: deny", "unknown role 'intern' (did you mean 'interns'?)"),
        ("platform: slak, decision: deny", "unknown platform 'slak' (did you mean 'slack'?)"),
        ("workflow: digset, decision: deny", "unknown workflow 'digset' (did you mean 'digest'?)"),
        ("effect: sends, decision: deny", "'sends' is not one of"),
        (
            "tool: pay, args: {acount: {is: x}}, decision: deny",
            "no argument 'acount' (did you mean 'account'?)",
        ),
        ("tool: pay, args: {amount: {is: x}}, decision: deny", "'amount' of pay is number, never 'x'"),
        ("tool: pay, args: {account: {is: 5}}, decision: deny", "'account' of pay is string, never 5"),
        (
            "tool: deploy, args: {environment: {is: prod}}, decision: deny",
            "never 'prod' (did you mean 'production'?)",
        ),
        ("tool: pay, args: {amount: {at_most: lots}}, decision: deny", "at_most: should be a valid number"),
        ("tool: pay, args: {memo: {from: typed}}, decision: allow", "'memo' of pay is free text and has no origin"),
        ("tool: pay, args: {account: {from: typd}}, decision: allow", "'typd' is not one of"),
        ("tool: pay, args: {account: {links_from: typed}}, decision: deny", "'account' of pay is no free text"),
        ("tool: pay, args: {memo: {links_form: typed}}, decision: deny", "'links_form' (did you mean 'links_from'?)"),
        ("tool: pay, args: {amount: {is: []}}, decision: deny", "the list is empty"),
        ("agent: ops, args: {to: {is: x}}, decision: deny", "'args' needs 'tool' or 'effect'"),
        ("effect: send, args: {too: {is: x}}, decision: deny", "has an argument 'too'"),
        ("effect: send, targets: {}, decision: deny", "'targets' has 'from' or 'only_from'"),
        ("tool: pay, effect: send, decision: deny", "pay has the effect spend, so the rule never holds"),
        ("workflow: digest, attended: true, decision: deny", "never holds"),
        ("tool: pay", "either 'decision' or 'otherwise'"),
        ("tool: pay, decision: ask, otherwise: ask", "either 'decision' or 'otherwise'"),
        ("tool: pay, otherwise: allow", "'allow' is not one of 'ask' or 'deny'"),
        ("tool: pay, decision: allow, approval: {who: finance}", "'approval' belongs to a rule that asks"),
        ("tool: pay, decision: ask, approval: {who: finanze}", "unknown role 'finanze' (did you mean 'finance'?)"),
        ("tool: pay, decision: ask, approval: {who: finance, where: '#x'}", "unknown channel '#x'"),
        ("tool: pay, decision: ask, approval: {who: finance, need: 0}", "need"),
        ("tool: pay, decision: ask, approval: {who: finance, expires: soon}", "'soon' is not a duration"),
        ("tool: pay, decision: ask, approval: {who: requester, need: 2}", "only the requester may"),
        ("tool: pay, decision: ask, approval: {who: [requester, finance], not_requester: true}", "excludes them"),
        ("tool: pay, decision: ask, approval: {who: finance, if_nobody_answers: allow}", "if_nobody_answers: 'allow'"),
        ("tool: pay, decision: ask, approval: {who: finance, escalate: [{after: 2h, to: cfo}]}", "unknown role 'cfo'"),
        ("tool: pay, decision: ask, approval: {who: finance, escalate: [{after: 2d, to: admin}]}", "is too late"),
        ("tool: pay, decision: ask, approval: {who: finance, escalate: [{to: admin}]}", "'after' is missing"),
        ("tool: pay, decision: ask, approval: {who: finance, remind: [30h]}", "'remind' after 30h is too late"),
        ("tool: pay, decision: ask, approval: {who: finance, remind: noon}", "'noon' is not a duration"),
        ("tool: pay, decision: ask, approval: {need: 2}", "either 'who' or 'stages'"),
        ("tool: pay, decision: ask, approval: {who: admin, stages: [{who: finance}]}", "either 'who' or 'stages'"),
        ("tool: pay, decision: ask, approval: {need: 2, stages: [{who: finance}]}", "belong to each of the 'stages'"),
        ("tool: pay, decision: ask, approval: {stages: [{who: finanze}]}", "(did you mean 'finance'?)"),
        ("tool: pay, decision: ask, approval: {stages: [{who: requester, need: 2}]}", "only the requester may"),
        ("tool: pay, decision: ask, approval: {who: finance, break_glass: cfo}", "unknown role 'cfo'"),
        ("tool: pay, decision: ask, approval: {who: finance, break_glass: {who: admin, where: '#x'}}", "'#x'"),
        ("tool: pay, decision: ask, approval: {who: finance, delegat: false}", "(did you mean 'delegate'?)"),
        (
            "tool: pay, decision: ask, approval: {who: finance, batchable: maybe}",
            "batchable: should be a valid boolean",
        ),
        (
            "tool: pay, decision: ask, approval: {who: finance, batchable: true, confirm: type_target}",
            "a call whose target is typed is decided alone",
        ),
        ("tool: pay, decision: ask, approval: {who: finance, reject: 0}", "reject: should be greater"),
        ("tool: pay, decision: ask, approval: {who: finance, grant: {calls: 5}}", "'for' is missing"),
        (
            "tool: pay, decision: ask, approval: {who: finance, grant: {calls: 5, for: 7d, same: acount}}",
            "pay has no argument 'acount' (did you mean 'account'?)",
        ),
        ("tool: pay, decision: allow, budget: {amount: 5}", "'per' is missing"),
        ("tool: pay, decision: allow, budget: {amount: 5, per: week}", "'week' is not one of"),
        ("tool: pay, decision: allow, budget: {per: day}", "either 'amount'"),
        ("tool: pay, decision: allow, budget: {amount: 5, cost: 1, per: day}", "either 'amount'"),
        ("tool: pay, decision: allow, budget: {cost: 1, of: amount, per: day}", "'cost' is that of the model"),
        ("tool: pay, decision: allow, budget: {amount: 5, of: amuont, per: day}", "(did you mean 'amount'?)"),
        ("tool: mail, decision: allow, budget: {amount: 5, per: day}", "mail has no argument 'amount'"),
        ("effect: spend, decision: allow, budget: {amount: 5, per: day}", "needs 'tool'"),
        ("tool: pay, decision: allow, budget: {amount: 5, per: day, each: everyone}", "'everyone' is not one of"),
        ("tool: pay, decision: allow, budget: {amount: 5, per: day, each: [agent, agent]}", "stands here twice"),
        ("tool: pay, decision: allow, budget: {amount: 5, per: day, owner: cfo}", "unknown role 'cfo'"),
        ("tool: pay, decision: deny, budget: {amount: 5, per: day}", "this one denies everything"),
        ("tool: pay, decision: deny, limit: {calls: 5, per: day}", "this one denies everything"),
        ("tool: pay, decision: allow, limit: {calls: 0, per: day}", "calls: should be greater"),
        ("tool: pay, decision: allow, limit: {calls: 5, per: day, same: acount}", "(did you mean 'account'?)"),
        ("tool: pay, decision: ask, promote: {to: allow}", "'after' is missing"),
        (PROMOTE.replace("ask", "allow") + "decided_by: admin}", "'promote' belongs to a rule that asks"),
        (PROMOTE + "decided_by: boss}", "unknown role 'boss'"),
        (PROMOTE.removeprefix("tool: pay, ") + "decided_by: admin}", "what cannot be undone is never promoted"),
        (PROMOTE + "for: {same: acount}, decided_by: admin}", "pay has no argument 'acount' (did you mean 'account'?)"),
        (PROMOTE.replace("5", "1") + "decided_by: admin}", "approvals_in_a_row: should be greater"),
        (PROMOTE + "decided_by: admin, review: often}", "'often' is not a percentage"),
        ("tool: pay, decision: deny, context: {personal_data: true}", "(did you mean 'personal_data_read'?)"),
        ("tool: pay, decision: deny, log_only: perhaps", "log_only: should be a valid boolean"),
        ("tool: pay, decision: deny, time: {days: friday}", "'friday' is not one of"),
        ("tool: pay, decision: deny, time: {from: noon}", "'noon' is not a time of day"),
        ("tool: pay, decision: deny, time: {zone: Zurich}", "'Zurich' is not a time zone"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(words: str, says: str) -> None:
    found = problems(rule(words))
    assert any(says in problem for problem in found), found
    assert all(problem.startswith("rules/a.yaml:3:") for problem in found)


def test_every_mistake_of_every_file_is_named_at_once() -> None:
    files = {
        "rules/a.yaml": rule("tool: pya, decision: alow, budget: {amount: 1}"),
        "rules/b.yaml": rule("tool: pay, decision: deny"),
        "rules/c.yaml": rule("tool: pay, decision: deny"),
    }
    with pytest.raises(CharterError) as caught:
        load_files(files, known())
    assert [problem.partition(" ")[0] for problem in caught.value.problems] == [
        "rules/a.yaml:3:",
        "rules/a.yaml:3:",
        "rules/c.yaml:3:",
    ]
    assert caught.value.problems[-1].endswith("'a' is a rule already, in rules/b.yaml:3")


def test_a_bad_change_leaves_the_old_rules_in_force() -> None:
    book = RuleBook()
    assert book.load({"a.yaml": RULES}, known())
    before = book.current
    with pytest.raises(CharterError):
        book.load({"a.yaml": RULES.replace("decision: deny", "decision: dney")}, known())
    assert book.current is before


def test_the_version_changes_with_what_the_rules_say_and_with_nothing_else() -> None:
    book = RuleBook()
    book.load({"a.yaml": RULES}, known())
    version = book.current.version
    assert not book.load({"a.yaml": "# a comment\n" + RULES.replace("tool: pay\n", "tool:   [pay]\n")}, known())
    assert book.current.version == version
    assert book.load({"a.yaml": RULES.replace("at_most: 100", "at_most: 101")}, known())
    assert book.current.version != version


def test_the_tests_of_a_file_are_run_and_say_what_came_out() -> None:
    book = RuleBook()
    book.load(
        {
            "a.yaml": RULES
            + """
tests:
  - {call: {agent: ops, tool: pay, account: typed, amount: 90}, expect: allow, by: pay-small}
  - {call: {agent: ops, tool: pay, account: outside_text, amount: 90}, expect: ask, by: pay-two}
  - {call: {agent: ops, tool: pay, account: {value: EMBARGO, from: [typed]}, amount: 9}, expect: deny}
  - {call: {agent: ops, tool: look, text: x}, expect: allow, by: default}
  - {call: {agent: ops, tool: pay, account: typed, amount: 900}, expect: allow}
  - {call: {agent: ops, tool: pay, acount: typed}, expect: ask}
"""
        },
        known(),
    )
    results = book.run_tests()
    assert [result.ok for result in results] == [True, True, True, True, False, False]
    assert results[4].text == "expected allow, got ask by pay-two"
    assert results[5].text == "pay has no argument acount"
    assert results[4].where == f"a.yaml:{RULES.count(chr(10)) + 7}"


WORDS = st.sampled_from(
    [
        *("version", "rules", "id", "why", "agent", "tool", "effect", "decision", "otherwise", "approval", "who"),
        *("need", "args", "is", "from", "at_most", "time", "tests", "call", "allow", "ask", "deny", "pay", "ops"),
        *("typed", "finance", "1", "-3", "1e5", "true", "null", "[]", "{}", "[a,b]", "{a:1}"),
        *(":", "-", "#", "|", ">", "&", "*", "!", "%", "@", '"', "'"),
    ]
)


@given(st.lists(st.tuples(st.sampled_from(["", " ", "  - ", "    ", "\n", ": ", ", "]), WORDS), max_size=40))
@settings(max_examples=120, deadline=None)
def test_any_text_loads_or_is_refused_with_a_line(parts: list[tuple[str, str]]) -> None:
    text = "".join(before + word for before, word in parts)
    for candidate in (text, HEAD + text):
        try:
            load_file("rules/a.yaml", candidate, known())
        except CharterError as error:
            refused = error.problems
        else:
            continue
        assert refused
        assert all(problem.startswith("rules/a.yaml:") for problem in refused)
