"""What an inspection of the set-up can find. Each platform inspects its own."""

from __future__ import annotations

from typing import Literal

from kernel.types import Frozen


class Finding(Frozen):
    """One thing that was looked at."""

    level: Literal["ok", "warn", "error"]
    text: str  # what was found
    hint: str = ""  # what to do about it
