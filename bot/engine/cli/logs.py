"""What the process writes to standard error."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
OURS = ("bot", "agents", "workflows", "knowledge", "tools", "rules", "kernel")


def configure(level: str) -> None:
    """Our own messages from `level` up, those of libraries from warning up. Texts of messages are never logged."""
    logging.basicConfig(format=FORMAT, level=logging.WARNING)
    for room in OURS:
        logging.getLogger(room).setLevel(level.upper())
