"""What an inspection of the set-up can find. Each platform inspects its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)  # not of `kernel.types`, which would have `--help` wait
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warn", "error"]
    text: str  # what was found
    hint: str = ""  # what to do about it
