"""The command line as a program, and a data folder that holds something."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kernel.store import Store, open_store
from kernel.store.migrations import upgrade

ROOT = Path(__file__).parents[2]
Bosun = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def bosun(data: Path, tmp_path: Path) -> Bosun:
    """Run `bosun` with these arguments and settings, from a folder that is not Bosun's."""

    def run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"BOSUN_DATA": str(data), "PYTHONPATH": _with_root(), **settings}
        command = [sys.executable, "-P", "-m", "bot", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60, check=False
        )

    return run


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    """The database in the data folder."""
    opened = open_store(f"sqlite:///{data / 'bosun.sqlite3'}")
    upgrade(opened)
    yield opened
    opened.close()


def _with_root() -> str:
    return os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))
