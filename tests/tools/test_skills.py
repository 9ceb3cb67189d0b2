"""Skills of the charter are listed by what they are for and read when they are needed, and nothing beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tools.cases import shows
from tests.tools.conftest import Perform
from tools.engine import ToolContext
from tools.read_skill import read_skill

STARTER = Path(__file__).parents[2] / "charter/skills"


@pytest.fixture
def skilled(tmp_path: Path, ctx: ToolContext) -> ToolContext:
    folder = tmp_path / "skills"
    (folder / "refunds/forms").mkdir(parents=True)
    (folder / "refunds/SKILL.md").write_text(
        "---\nname: refunds\ndescription: How refunds\n  are made\n---\nAsk first."
    )
    (folder / "refunds/forms/letter.md").write_text("Dear customer")
    (folder / "refunds/picture.png").write_bytes(b"\x89PNG\xff")
    (folder / "broken").mkdir()
    (folder / "broken/SKILL.md").write_text("no front matter")
    (tmp_path / "secret.md").write_text("the password")
    (folder / "refunds/link.md").symlink_to(tmp_path / "secret.md")
    return replace(ctx, skills=folder)


@shows("works", "read_skill")
async def test_skills_are_listed_and_read(skilled: ToolContext, perform: Perform) -> None:
    listed = await perform(read_skill, skilled, name="")
    assert listed.content.splitlines() == [
        "broken: its SKILL.md has no front matter with a description",
        "refunds: How refunds are made",
    ]
    read = await perform(read_skill, skilled, name="refunds")
    assert "Ask first." in read.content
    assert "forms/letter.md" in read.content
    assert {piece.origin for piece in read.pieces} == {"member_text"}
    letter = await perform(read_skill, skilled, name="refunds", file="forms/letter.md")
    assert letter.content == "Dear customer"


@pytest.mark.parametrize(
    ("name", "file", "says"),
    [
        ("returns", "SKILL.md", "There is no skill of this name. There are: broken, refunds."),
        ("../refunds", "SKILL.md", "There is no skill of this name."),
        ("refunds", "../../secret.md", "The skill refunds has no such file."),
        ("refunds", "link.md", "The skill refunds has no such file."),
        ("refunds", "/etc/passwd", "The skill refunds has no such file."),
        ("refunds", "picture.png", "The file is not text."),
    ],
)
@shows("not let in", "read_skill")
@shows("not there", "read_skill")
@shows("garbage", "read_skill")
async def test_nothing_else_is_read(skilled: ToolContext, perform: Perform, name: str, file: str, says: str) -> None:
    refused = await perform(read_skill, skilled, name=name, file=file)
    assert refused.error
    assert refused.content.startswith(says)


async def test_the_skills_that_ship_are_described(ctx: ToolContext, perform: Perform) -> None:
    listed = await perform(read_skill, replace(ctx, skills=STARTER), name="")
    assert "meeting-notes: How notes of a meeting are written here." in listed.content
    assert "no front matter" not in listed.content
