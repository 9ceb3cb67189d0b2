"""What a process costs, as Linux says it, and which core it runs on."""

from __future__ import annotations

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds
PAGE = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024  # MB


def cpu_seconds(pid: int) -> float:
    """CPU time of the process, its threads and its children so far, user and system; accurate to 10 ms."""
    total = 0.0
    for one in _family(pid):
        fields = Path(f"/proc/{one}/stat").read_text("utf-8").rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total * TICK


def memory_mb(pid: int) -> float:
    """Resident memory of the process and its children, in MB of 1,048,576 bytes."""
    pages = (int(Path(f"/proc/{one}/statm").read_text("utf-8").split()[1]) for one in _family(pid))
    return sum(pages) * PAGE


def is_alone(pid: int) -> bool:
    """Whether the process has no children."""
    return len(_family(pid)) == 1


def pin(pid: int, core: int) -> None:
    """Keep the process on one core, where the machine has more than one. To be called before it has threads."""
    if core < (os.cpu_count() or 1):
        os.sched_setaffinity(pid, {core})


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        children = (task / "children").read_text("utf-8").split() if (task / "children").exists() else []
        for child in children:
            found += _family(int(child))
    return found
