"""What every tool has to bear, and the tests that say for which tools they show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])

CASES = (
    "works",  # against the real protocol server, or our own tables
    "not let in",  # a password, a permission or a reader's right is missing
    "not there",  # what it is asked about does not exist
    "hangs",  # the other side never answers
    "garbage",  # it answers with something else
    "huge",  # it answers with more than is read
    "too many",  # it wants to be asked less often
    "crash",  # Bosun is killed before it knows what came of the call, which is made again
    "hostile",  # what comes back means to give orders
)
SHOWN: dict[tuple[str, str], str] = {}  # tool and case -> test


def shows(case: str, *tools: str) -> Callable[[Test], Test]:
    """Say that a test shows the case for these tools."""
    assert case in CASES
    assert tools

    def note(test: Test) -> Test:
        SHOWN.update({(tool, case): f"{test.__module__}.{test.__qualname__}" for tool in tools})
        return test

    return note
