"""What a button or a dialog carries back as text, read without trust: anybody may send anything in its place."""

from __future__ import annotations

import re

MOST = 999_999_999  # a revision counts the edits of one approval
_REVISION = re.compile(r"[0-9]{1,9}")


def revision_of(carried: object) -> int | None:
    """The revision; None where it is none that we have ever sent."""
    text = str(carried)
    return int(text) if _REVISION.fullmatch(text) else None
