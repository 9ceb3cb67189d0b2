"""Agent files: what they may say, and how a fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.engine.definition import load_agents, parse_agent
from kernel.config import ROOT
from kernel.errors import CharterError

GOOD = """---
name: finance
description: Money.
tools: [pay, "read_*"]
channels: ["#finance"]
---
You do money.

---
A line inside.
"""


def faults(text: str) -> list[str]:
    with pytest.raises(CharterError) as caught:
        parse_agent("agents/finance.md", text)
    return caught.value.problems


def test_a_file_becomes_an_agent() -> None:
    agent = parse_agent("agents/finance.md", GOOD)
    assert (agent.name, agent.shown, agent.model, agent.channels) == ("finance", "Finance", "default", ("#finance",))
    assert agent.instructions.endswith("---\nA line inside.")
    assert [agent.may_ask_for(tool) for tool in ("pay", "read_file", "write_file")] == [True, True, False]


def test_faults_name_file_line_and_what_was_meant() -> None:
    assert faults(GOOD.replace("tools:", "tool:")) == [
        "agents/finance.md:4: unknown word 'tool' (did you mean 'tools'?)"
    ]
    assert faults(GOOD.replace("description: Money.\n", "")) == ["agents/finance.md:2: 'description' is missing"]
    assert faults(GOOD.replace("name: finance", "name: Fi nance"))[0].startswith("agents/finance.md:2: name:")
    assert faults("You do money.")[0].startswith("agents/finance.md:1: an agent file begins with front matter")
    assert faults("---\nname: a\n")[0] == "agents/finance.md:1: the front matter has no second line of ---"
    assert "instructions are missing" in faults("---\nname: a\ndescription: b\n---\n\n")[0]


def test_a_folder_is_checked_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / "finance.md").write_text(GOOD)
    (folder / "money.md").write_text(GOOD.replace("name: finance", "name: money").replace("pay,", "pya,"))
    with pytest.raises(CharterError) as caught:
        load_agents(folder, tools=["pay", "read_file"], channels=["#finance"])
    assert caught.value.problems == [
        "agents/money.md:4: unknown tool 'pya' (did you mean 'pay'?)",
        "agents/money.md:1: the channel '#finance' is bound to agents/finance.md already",
    ]


def test_a_charter_without_a_lead_is_refused(tmp_path: Path) -> None:
    (tmp_path / "finance.md").write_text(GOOD)
    with pytest.raises(CharterError, match="'lead' is missing"):
        load_agents(tmp_path)


def test_the_starter_agents_load() -> None:
    roster = load_agents(ROOT / "charter" / "agents")
    assert roster.lead.name == "lead"
    assert len(roster.specialists) >= 3
