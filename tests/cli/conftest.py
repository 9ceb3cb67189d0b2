"""The command line, and a data folder that holds something."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.engine.cli import main
from kernel.store import Store, open_store

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a command printed and how it ended."""

    returncode: int
    stdout: str
    stderr: str


Bosun = Callable[..., Shown]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def bosun(data: Path) -> Bosun:
    """Run `bosun` with these arguments and settings in this process."""

    def run(*arguments: str, **settings: str) -> Shown:
        done = CliRunner(env={"BOSUN_DATA": str(data), **settings}).invoke(main, arguments)
        return Shown(returncode=done.exit_code, stdout=done.stdout, stderr=done.stderr)

    return run


@pytest.fixture
def store(data: Path, sqlite_template: Path) -> Iterator[Store]:
    """The database in the data folder."""
    opened = open_store(f"sqlite:///{shutil.copy(sqlite_template, data / 'bosun.sqlite3')}")
    yield opened
    opened.close()
