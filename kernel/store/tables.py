"""Imports every module that defines tables, so that the metadata is complete."""

from kernel.store import approvals, inbox, ledger, outbox, runs

__all__ = ["approvals", "inbox", "ledger", "outbox", "runs"]
