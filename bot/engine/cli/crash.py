"""Where the details of an unexpected error go."""

from __future__ import annotations

import os
import tempfile
import traceback
from pathlib import Path

from kernel.clock import SystemClock
from kernel.config import Settings

NAME = "bosun-error.log"


def record(error: Exception) -> Path:
    """Append the traceback to a file in the data folder, or else in the temporary folder; returns its path."""
    text = f"--- {SystemClock().now().isoformat()}\n{''.join(traceback.format_exception(error))}\n"
    data = Path(os.environ.get("BOSUN_DATA", "") or Settings.data)
    for folder in (data, Path(tempfile.gettempdir())):
        try:
            with (folder / NAME).open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            continue
        return folder / NAME
    return Path(os.devnull)
