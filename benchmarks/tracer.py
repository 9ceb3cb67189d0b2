"""Runs a program under cProfile in all its threads: `python -m benchmarks.tracer OUT bot up`.

It counts calls and slows what makes many of them. SIGUSR1 begins to write down, SIGUSR2 writes OUT (for pstats).
"""

from __future__ import annotations

import cProfile
import pstats
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

PROFILES: list[cProfile.Profile] = []


def follow(*_: object) -> None:
    """Profile the thread that calls, by its CPU time."""
    sys.setprofile(None)
    profile = cProfile.Profile(time.thread_time)
    PROFILES.append(profile)
    profile.enable()


def begin() -> None:
    """Forget what was before."""
    for profile in PROFILES:
        profile.clear()


def end(out: Path) -> None:
    """Write what all threads did."""
    total: pstats.Stats | None = None
    for profile in PROFILES:
        profile.create_stats()
        if not profile.stats:
            continue
        total = pstats.Stats(profile) if total is None else total.add(profile)
    if total is not None:
        total.dump_stats(out)


def main() -> None:
    """Run the program under the profiler."""
    out = Path(sys.argv[1])
    signal.signal(signal.SIGUSR1, lambda *_: begin())
    signal.signal(signal.SIGUSR2, lambda *_: end(out))
    sys.argv = sys.argv[2:]
    threading.setprofile(follow)
    follow()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
