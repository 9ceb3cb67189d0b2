"""Workflows: one file per kind of trigger or step."""
