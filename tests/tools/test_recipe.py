"""docs/adding-a-tool.md, followed to the letter."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from kernel.types import Person
from tests.tools.conftest import Perform
from tests.tools.team import MIA, Team
from tools.engine import ToolContext, discover

RECIPE = Path(__file__).parents[2] / "docs" / "adding-a-tool.md"


class InZurich(Team):
    """The team, with Mia in Zurich."""

    def by_id(self, person_id: str) -> Person | None:
        return MIA.model_copy(update={"time_zone": "Europe/Zurich"}) if person_id == MIA.id else None


async def test_the_tool_of_the_recipe_works(tmp_path: Path, ctx: ToolContext, perform: Perform) -> None:
    code = re.search(r"```python\n(.*?)```", RECIPE.read_text(), re.DOTALL)
    assert code is not None
    folder = tmp_path / "recipe"
    folder.mkdir()
    (folder / "local_time.py").write_text(code[1])
    catalogue = discover(folder)
    assert catalogue.names() == ("local_time",)
    local_time = catalogue.get("local_time")
    assert local_time is not None
    surroundings = replace(ctx, directory=InZurich())
    found = await perform(local_time, surroundings, person="mia")
    assert found.content == "Mia Brandt: Monday 10:00"
    unknown = await perform(local_time, surroundings, person="tom")
    assert (unknown.error, unknown.content) == (
        True,
        "The charter does not say in which time zone this person is.",
    )


def test_the_recipe_names_every_field_of_the_declaration() -> None:
    text = RECIPE.read_text()
    for name in ("effect", "authority", "free_text", "safe_to_repeat", "secrets", "timeout", "preview"):
        assert f"| `{name}` |" in text
