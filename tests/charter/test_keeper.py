"""A change takes effect when it is saved; a bad one leaves the charter in force and is reported once."""

import asyncio
from pathlib import Path

from bot.engine.charter import Charter
from bot.engine.charter_keeper import CharterKeeper
from kernel.errors import CharterError
from tests.charter.conftest import KINDS, TOOLS, Change


class Heard:
    """What the keeper says."""

    def __init__(self, keeper: CharterKeeper) -> None:
        self.names: list[str] = []
        self.problems: list[list[str]] = []
        self.told = asyncio.Event()
        keeper.on_change.append(self.changed)
        keeper.on_problem.append(self.refused)

    def changed(self, charter: Charter) -> None:
        self.names.append(charter.team.name)
        self.told.set()

    async def refused(self, error: CharterError) -> None:
        self.problems.append(error.problems)


async def test_a_change_takes_effect_by_itself(folder: Path, change: Change) -> None:
    keeper = CharterKeeper(folder, TOOLS, KINDS)
    heard = Heard(keeper)
    keeper.start()
    try:
        change("bosun.yaml", "name: Acme", "name: Globex")
        await asyncio.wait_for(heard.told.wait(), 10)
    finally:
        await keeper.stop()
    assert keeper.current.team.name == "Globex"
    assert heard.names == ["Globex"]


async def test_a_bad_change_leaves_the_charter_in_force_and_is_reported_once(folder: Path, change: Change) -> None:
    keeper = CharterKeeper(folder, TOOLS, KINDS)
    heard = Heard(keeper)
    before = keeper.current
    change("rules/money.yaml", "who: [finance]", "who: [finanse]")
    assert not await keeper.look()
    assert not await keeper.look()
    assert keeper.current is before
    [[problem]] = heard.problems
    assert problem.startswith("rules/money.yaml:7: unknown role 'finanse'")
    change("rules/money.yaml", "who: [finanse]", "who: [admin]")
    assert await keeper.look()
    assert "admin" in keeper.current.rules["rules/money.yaml"]


async def test_a_file_that_is_written_again_without_a_change_changes_nothing(folder: Path) -> None:
    keeper = CharterKeeper(folder, TOOLS, KINDS)
    heard = Heard(keeper)
    (folder / "bosun.yaml").write_text((folder / "bosun.yaml").read_text())
    assert not await keeper.look()
    assert heard.names == []


async def test_a_charter_that_vanishes_is_reported_and_stays_in_force(folder: Path) -> None:
    keeper = CharterKeeper(folder, TOOLS, KINDS)
    heard = Heard(keeper)
    (folder / "bosun.yaml").rename(folder / "gone.txt")
    assert not await keeper.look()
    assert len(heard.problems) == 1
    assert keeper.current.team.name == "Acme"
    (folder / "gone.txt").rename(folder / "bosun.yaml")
    assert not await keeper.look()  # the same as what is in force
