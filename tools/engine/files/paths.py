"""What a path in a workspace looks like: the names along it, and why the others are refused."""

from __future__ import annotations

import unicodedata

from tools.engine.failure import CannotDo

LONGEST_NAME = 100  # bytes of one name; file systems allow 255, less a suffix for the new version
DEEPEST = 8  # folders


def names_of(path: str) -> tuple[str, ...]:
    """The names along a relative path; CannotDo for everything that is not plainly one."""
    names = tuple(path.split("/"))
    if len(names) > DEEPEST + 1:
        raise CannotDo(f"A path has at most {DEEPEST} folders.")
    for name in names:
        if problem := problem_of(name):
            raise CannotDo(f"This is not a path in the workspace: {problem}. Write it like reports/march.md.")
    return names


def problem_of(name: str) -> str:
    """Why this cannot be a name; empty if it can."""
    if not name:
        return "it has an empty part (it may not begin or end with a slash)"
    if name.startswith("."):
        return "a part begins with a dot"
    if "\\" in name or ":" in name:
        return "it contains a backslash or a colon"
    if name != name.strip() or name.endswith("."):
        return "a part begins or ends with a space or ends with a dot"
    # Invisible and direction-changing characters would let a card show another path than the one that is written.
    if any(unicodedata.category(character)[0] == "C" or not character.isprintable() for character in name):
        return "it contains characters that cannot be seen"
    if unicodedata.normalize("NFC", name) != name:
        return "it contains characters in an unusual form"
    if len(name.encode()) > LONGEST_NAME:
        return f"a part is longer than {LONGEST_NAME} bytes"
    return ""
