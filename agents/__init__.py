"""Agents: one file per kind of specialist."""
