"""Imports every module that defines tables, so that the metadata is complete."""

from kernel.store import approvals, executors, files, inbox, ledger, outbox, payments, runs, schedules

__all__ = ["approvals", "executors", "files", "inbox", "ledger", "outbox", "payments", "runs", "schedules", "web"]
