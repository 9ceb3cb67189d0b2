"""How a change of a text file is shown to people before it is made."""

from __future__ import annotations

import difflib

from kernel.types import Payload

MOST_COMPARED = 5_000  # lines: comparing takes time in the square of them


def change_of(path: str, before: str | None, after: str) -> Payload:
    """The new text of a new file, the difference where there is one. Blocks: call it in a thread."""
    if before is None:
        return Payload(title=path, content=after, language="text")
    return Payload(title=path, content=_difference(path, before, after), language="diff")


def _difference(path: str, before: str, after: str) -> str:
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > MOST_COMPARED:
        return f"The file is too long to be compared. The whole new text:\n\n{after}"
    lines = list(difflib.unified_diff(old, new, f"{path} (now)", f"{path} (new)", lineterm="", n=3))
    return "\n".join(lines) or "Nothing changes but the ends of lines."
