"""The rules that ship: they load against the real tools, and their own tests hold."""

import re
from pathlib import Path

from rules.engine.known import Known, KnownTool
from rules.engine.rulebook import RuleBook
from tools.engine import discover

FOLDER = Path(__file__).parents[2] / "charter/rules"


def starter() -> RuleBook:
    tools = {
        tool.name: KnownTool(
            effect=tool.effect, arguments=tool.schema.arguments, authority=tool.authority, free_text=tool.free_text
        )
        for tool in discover()
    }
    known = Known(
        tools=tools,
        agents=frozenset({"lead", "finance", "ops", "research", "writer"}),
        roles=frozenset({"finance", "admin"}),
        channels=frozenset({"#general", "#finance", "#approvals"}),
        workflows=frozenset({"digest"}),
    )
    book = RuleBook()
    book.load({f"rules/{path.name}": path.read_text() for path in sorted(FOLDER.glob("*.yaml"))}, known)
    return book


def test_the_starter_rules_load_and_their_tests_hold() -> None:
    results = starter().run_tests()
    assert len(results) >= 12
    assert [result for result in results if not result.ok] == []


def test_no_tool_that_acts_is_left_to_the_default() -> None:
    rules = [rule for rule in starter().current.rules if rule.verdict == "ask" and rule.otherwise is not None]
    tools = {tool for rule in rules for tool in rule.tool or ()}
    effects = {effect for rule in rules for effect in rule.effect or ()}
    acting = [tool for tool in discover() if tool.effect != "read"]
    assert [tool.name for tool in acting if tool.name not in tools and tool.effect not in effects] == []


def test_the_rules_of_the_documentation_load_and_their_tests_hold() -> None:
    page = (FOLDER.parents[1] / "docs/decision-rights.md").read_text()
    examples = re.findall(r"^```yaml rules\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    known = starter().known
    for number, text in enumerate(examples):
        book = RuleBook()
        book.load({f"docs/example-{number}.yaml": text}, known)
        results = book.run_tests()
        assert results
        assert [result for result in results if not result.ok] == []
        assert [found.line() for found in book.lint() if found.serious] == []
    assert examples
