"""A second process on the same data folder is refused in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kernel.errors import AlreadyRunning, ConfigError
from kernel.lock import hold

HOLD = """
import sys
from pathlib import Path
from kernel.lock import hold
lock = hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


def test_another_process_is_refused_until_the_first_one_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning, match=r"Another Bosun process is using .* BOSUN_DATA"):
            hold(tmp_path)
        first.kill()  # whatever ends the process frees the folder
        first.wait()
    hold(tmp_path).release()


def test_the_folder_is_made(tmp_path: Path) -> None:
    hold(tmp_path / "new" / "data").release()
    assert (tmp_path / "new" / "data").is_dir()


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be made"):
        hold(tmp_path / "file" / "data")
