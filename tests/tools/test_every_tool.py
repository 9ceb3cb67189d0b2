"""What holds for every tool that ships: whatever a model hands in, the door answers and nothing breaks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kernel.store import open_store
from kernel.types import Json, ToolCall
from rules.engine.outcome import Finished, Parked
from tests.tools.conftest import Perform
from tests.tools.office import Office
from tools.engine import ToolContext, discover
from tools.engine.setup.file import ToolsFile

TOOLS = {tool.name: tool for tool in discover()}
SERVERS = ToolsFile.model_validate(
    {
        "mail": {"imap": "imaps://mail.test", "smtp": "smtps://mail.test", "password": "MAIL_PASSWORD"},
        "calendar": {"url": "https://dav.test", "user": "x", "password": "DAV_PASSWORD"},
        "web": {"search": {"provider": "brave", "key": "SEARCH_KEY"}},
        "databases": {"shop": {"url": "SHOP_URL"}},
    }
)
HOSTILE: tuple[Json, ...] = (
    "",
    "../../etc/passwd",
    "x" * 100_000,
    "\u202egnp.exe\u0007",
    "'; DROP TABLE run; --",
    -1,
    10**30,
    None,
    True,
    ["a"] * 200,
    {"$ref": "#"},
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Office]:
    """One for all: nothing here depends on what was there before."""
    folder = tmp_path_factory.mktemp("office")
    database = shutil.copy(sqlite_template, folder / "bosun.sqlite3")
    made = Office(open_store(f"sqlite:///{database}"), folder / "workspace")
    yield made
    made.store.close()


@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_what_does_not_fit_is_refused_in_a_sentence(office: Office, name: str) -> None:
    run = office.run("anything")
    for arguments in ({"nonsense": 1}, {"text": "a\0b", "path": "a\0b"}):
        outcome = await office.act(run, name, **arguments)
        assert isinstance(outcome, Finished)
        assert outcome.result.error
        assert outcome.result.content.startswith("The arguments do not fit")
        assert {piece.origin for piece in outcome.result.pieces} == {"nowhere"}  # it quotes nothing


@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_hostile_values_break_nothing(office: Office, name: str) -> None:
    """Every argument in turn gets every hostile value: a result or a question to people, never an exception."""
    properties = TOOLS[name].schema.arguments["properties"]
    whole: dict[str, Any] = {key: _plain(shape) for key, shape in properties.items()}
    for key in properties:
        for value in HOSTILE:
            call = ToolCall(id="u1", tool=name, arguments={**whole, key: value})
            outcome = await office.door.act(call, office.run("anything"), 2)
            assert isinstance(outcome, Finished | Parked)


def _plain(shape: dict[str, Any]) -> Json:
    if "enum" in shape:
        return shape["enum"][0]
    plain: dict[str, Json] = {
        "integer": shape.get("minimum", 1),
        "number": 1,
        "boolean": False,
        "array": [],
        "object": {},
    }
    return plain.get(str(shape.get("type")), "x")


@pytest.mark.parametrize("name", sorted(name for name, tool in TOOLS.items() if tool.needs(SERVERS)))
async def test_without_its_secret_a_tool_says_which_one(ctx: ToolContext, perform: Perform, name: str) -> None:
    refused = await perform(TOOLS[name], replace(ctx, setup=SERVERS))
    assert refused.error
    for secret in TOOLS[name].needs(SERVERS):
        assert secret in refused.content
    assert refused.content.endswith("which is not set on this installation.")


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_what_acts_says_what_it_acts_on(name: str) -> None:
    tool = TOOLS[name]
    if tool.effect == "write":
        assert tool.safe_to_repeat  # else a person would be asked after every crash
    if tool.effect not in {"read", "fetch"}:
        assert tool.authority or tool.free_text
    assert tool.timeout <= 180
    assert tool.max_output <= 100_000
