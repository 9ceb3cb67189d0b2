"""A small charter in a folder, which tests change."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.engine import charter as charters
from bot.engine.charter import Charter
from rules.engine.known import KnownTool
from workflows.engine import steps

KINDS = steps.discover()
TOOLS = {"pay": KnownTool(effect="spend", arguments={"type": "object", "properties": {"amount": {"type": "number"}}})}

FILES = {
    "bosun.yaml": """\
name: Acme
time_zone: Europe/Zurich
channels:
  "#general": {purpose: Everybody, slack: C1}
  "#finance": {readers: [finance], slack: C2, web: money}
operators: "#general"
""",
    "people.yaml": """\
people:
  ann: {name: Ann, web: ann, slack: U1}
  bo: {name: Bo, web: bo, slack: [U2, U22], roles: [finance]}
  cy: {name: Cy, web: cy, active: false, roles: [finance]}
roles:
  finance: {slack_group: S1, discord_role: "77"}
  admin: {members: [ann]}
""",
    "agents/lead.md": "---\nname: lead\ndescription: Answers\ntools: [pay]\n---\nAnswer.\n",
    "rules/money.yaml": """\
version: 1
rules:
  - id: pay-asks
    why: Money is decided by finance.
    tool: [pay]
    decision: ask
    approval: {who: [finance]}
""",
    "workflows/hello.yaml": """\
name: hello
description: Says hello
channel: "#general"
steps:
  - post: {text: Hello}
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


Change = Callable[[str, str, str], None]


@pytest.fixture
def change(folder: Path) -> Change:
    """Replace a piece of a file."""

    def replace(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return replace


@pytest.fixture
def charter(folder: Path) -> Charter:
    return load(folder)


def load(folder: Path) -> Charter:
    return charters.load(folder, TOOLS, KINDS)
