"""Tools are found by looking; what is declared incompletely does not load, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.errors import ConfigError
from tools.engine import Catalogue, discover

GOOD = '''
from __future__ import annotations
from pydantic import Field
from kernel.types import ToolResult
from tools.engine import Arguments, ToolContext, said, tool

class Greet(Arguments):
    who: str = Field(description="Whom to greet")
    title: str = Field(default="", description="How they are addressed")

@tool(effect="read", authority=("who",))
async def greet(args: Greet, ctx: ToolContext) -> ToolResult:
    """Say hello
    to somebody."""
    return said(f"Hello {args.title} {args.who}", origin="typed")
'''


def load(folder: Path, **files: str) -> Catalogue:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return discover(folder)


def test_a_file_is_enough(tmp_path: Path) -> None:
    catalogue = load(tmp_path, greet=GOOD)
    assert catalogue.names() == ("greet",)
    found = catalogue.get("greet")
    assert found is not None
    assert (found.effect, found.authority) == ("read", ("who",))
    assert catalogue.get("other") is None


def test_the_model_is_told_what_it_needs(tmp_path: Path) -> None:
    (schema,) = load(tmp_path, greet=GOOD).schemas(["greet", "unknown", "greet"])
    assert schema.description == "Say hello to somebody."
    assert schema.arguments == {
        "type": "object",
        "additionalProperties": False,
        "required": ["who"],
        "properties": {
            "who": {"type": "string", "description": "Whom to greet"},
            "title": {"type": "string", "default": "", "description": "How they are addressed"},
        },
    }


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('effect="read", ', "", "greet declares no effect. Write @tool(effect=...) with one of: read, fetch, write"),
        ('effect="read"', 'effect="reed"', "greet declares the effect 'reed'"),
        ('authority=("who",)', 'authority=("whom",)', "there is no argument 'whom'"),
        ('authority=("who",)', 'authority=("title",)', "'title' bears authority, so it may not have a default"),
        ('authority=("who",)', 'authority=("who",), free_text=("who",)', "'who' is both authority and free text"),
        ('"""Say hello\n    to somebody."""', "", "greet has no docstring"),
        ("args: Greet", "args: str", "the first parameter is not annotated with a subclass of Arguments"),
        ('description="Whom to greet"', "", "the argument who has no description"),
        ("from pydantic", "from pydentic", "ModuleNotFoundError: No module named 'pydentic'"),
        ("@tool", "# @tool", "it defines no tool"),
    ],
)
def test_what_is_declared_incompletely_does_not_load(tmp_path: Path, before: str, after: str, says: str) -> None:
    assert before in GOOD
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, greet=GOOD.replace(before, after), fine=GOOD.replace("greet", "fine"))
    assert f"tools/greet.py: {says}" in caught.value.message or says in caught.value.message
    assert caught.value.message.startswith("tools/greet.py: ")


def test_every_fault_of_every_file_is_named(tmp_path: Path) -> None:
    bad = GOOD.replace('effect="read", ', "").replace("Whom to greet", "")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, one=bad, two="raise ValueError('no')")
    assert [line.split(":")[0] for line in caught.value.message.splitlines()] == [
        "tools/one.py",
        "tools/one.py",
        "tools/two.py",
    ]


def test_two_tools_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Two tools are called greet"):
        load(tmp_path, one=GOOD, two=GOOD)


def test_the_tools_that_ship_load() -> None:
    catalogue = discover()
    for tool in catalogue:
        assert tool.description.endswith(".")
        assert tool.schema.arguments["additionalProperties"] is False
