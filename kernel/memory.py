"""What a process that runs for long does about its memory once it has started."""

from __future__ import annotations

import gc

YOUNG = 10_000  # new objects between two looks of the garbage collector; Python's own 700 suits short programs


def settle() -> None:
    """What is loaded by now stays: the collector need not look at it again and again, 60 ms each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
