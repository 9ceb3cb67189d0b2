"""Texts with places in braces, such as {steps.facts.text}. Names only: nothing in a template is evaluated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PLACE = re.compile(r"\{([^{}]*)\}")
FIXED = ("workflow.name", "workflow.channel", "run.ref", "run.date")


def places(text: str) -> list[str]:
    """The names in braces, in order."""
    return [name.strip() for name in PLACE.findall(text)]


def known_places(steps: Collection[str]) -> tuple[str, ...]:
    """The names that a step may use after these steps."""
    return (*FIXED, *(f"steps.{step}.text" for step in steps))


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each place replaced by its value, once: braces in a value stay as they are."""
    filled = PLACE.sub(lambda match: values[match[1].strip()], text)
    return re.sub(r"\n{3,}", "\n\n", filled).strip()
