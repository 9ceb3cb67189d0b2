"""Imports every module that defines tables, so that the metadata is complete."""

from kernel.store import approvals, executors, inbox, ledger, outbox, runs

__all__ = ["approvals", "executors", "inbox", "ledger", "outbox", "runs", "web"]
