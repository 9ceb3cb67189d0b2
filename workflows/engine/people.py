"""Whom a run of a workflow belongs to: nobody, so that it holds no role and decides nothing."""

from __future__ import annotations

from kernel.types import Person


def owner(workflow: str) -> Person:
    """The requester of a workflow's runs and calls."""
    return Person(id=f"workflow:{workflow}", name=workflow, listed=False, can_decide=False)
