"""Imports every module that defines tables, so that the metadata is complete."""

from kernel.store import (
    approvals,
    cursors,
    executors,
    files,
    inbox,
    knowledge,
    ledger,
    outbox,
    payments,
    runs,
    schedules,
    web,
)

__all__ = [
    "approvals",
    "cursors",
    "executors",
    "files",
    "inbox",
    "knowledge",
    "ledger",
    "outbox",
    "payments",
    "runs",
    "schedules",
    "web",
]
