"""Runs a program and writes down where its CPU time goes: `python -m benchmarks.sampler OUT bot up`.

A timer interrupts the main thread a thousand times a second. Every thread is then charged with the CPU that it has
used since: the main thread precisely, the others where they stood when they gave way. Charged is the Python function;
time in C counts for the function that called it. SIGUSR1 begins, SIGUSR2 ends and writes OUT.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, FrameType

EVERY = 0.001  # seconds


class Sampler:
    """Samples between `begin` and `end`."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.own: Counter[CodeType] = Counter()  # nanoseconds
        self.all: Counter[CodeType] = Counter()
        self.threads: Counter[str] = Counter()
        self._used: dict[int, int] = {}
        self._names: dict[int | None, str] = {}
        self._main = threading.get_ident()

    def begin(self) -> None:
        """Begin to sample."""
        signal.signal(signal.SIGALRM, self._look)
        signal.siginterrupt(signal.SIGALRM, False)
        signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)

    def end(self) -> None:
        """Stop and write the result."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        rows = [
            {
                "where": f"{code.co_filename}:{code.co_firstlineno}",
                "name": code.co_qualname,
                "own": self.own[code],
                "all": spent,
            }
            for code, spent in self.all.items()
        ]
        self.out.write_text(json.dumps({"functions": rows, "threads": dict(self.threads)}), "utf-8")

    def _look(self, _number: int, interrupted: FrameType | None) -> None:
        for ident, current in sys._current_frames().items():
            frame = interrupted if ident == self._main else current
            if frame is None:
                continue
            if ident not in self._names:
                self._names = {thread.ident: thread.name for thread in threading.enumerate()}
            try:
                now = time.clock_gettime_ns(time.pthread_getcpuclockid(ident))
            except OSError:  # it has just ended
                continue
            spent = now - self._used.get(ident, now)
            self._used[ident] = now
            if spent > 0:
                self._charge(frame, spent, self._names.get(ident, "other"))

    def _charge(self, frame: FrameType, spent: int, thread: str) -> None:
        self.threads[thread.rstrip("0123456789_-")] += spent
        self.own[frame.f_code] += spent
        seen: set[CodeType] = set()
        walk: FrameType | None = frame
        while walk is not None:
            if walk.f_code not in seen:
                seen.add(walk.f_code)
                self.all[walk.f_code] += spent
            walk = walk.f_back


def main() -> None:
    """Run the program under the sampler."""
    sampler = Sampler(Path(sys.argv[1]))
    signal.signal(signal.SIGUSR1, lambda *_: sampler.begin())
    signal.signal(signal.SIGUSR2, lambda *_: sampler.end())
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
