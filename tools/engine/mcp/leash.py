"""Runs an MCP server and passes on what it writes, within limits. Also a program: it stands between it and Bosun.

What a server writes is a message a line. A line without an end would be kept in Bosun's memory, and endless lines would
keep it busy, so they end the server instead. It imports nothing of ours and is run without our environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

GRACE = 1.0  # seconds that a server has after its input has ended: Bosun has hung up, or was killed
WINDOW = 10.0  # seconds in which so many bytes may come


def _end() -> None:
    """End the server and everything that it started: it is in a session of its own with us."""
    os.killpg(0, signal.SIGKILL)


def _feed(server: subprocess.Popen[bytes], target: int) -> None:
    """Pass on what Bosun says. Once that ends, so does the server."""
    with contextlib.suppress(OSError):
        while data := os.read(0, 65536):
            _write(target, data)
    with contextlib.suppress(OSError):
        os.close(target)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(GRACE)
    _end()


class Meter:
    """How much came in the last while."""

    def __init__(self, most_line: int, most_window: int) -> None:
        self.most_line = most_line
        self.most_window = most_window
        self.began = time.monotonic()
        self.window = 0

    def allows(self, line: int, more: int) -> bool:
        """Whether a line of so many bytes, `more` of them new, is within the limits."""
        now = time.monotonic()
        if now - self.began > WINDOW:
            self.began, self.window = now, 0
        self.window += more
        return line <= self.most_line and self.window <= self.most_window


def _pass_on(source: int, meter: Meter) -> bool:
    """Copy complete lines that can be messages; False if the server went beyond the limits."""
    rest = bytearray()
    while chunk := os.read(source, 65536):
        rest += chunk
        whole, newline, begun = bytes(rest).rpartition(b"\n")
        if not meter.allows(len(begun), len(chunk)):
            return False
        if not newline:
            continue
        rest = bytearray(begun)
        for line in whole.split(b"\n"):
            if len(line) > meter.most_line:
                return False
            if line.lstrip().startswith(b"{"):  # anything else is no message: servers print greetings
                _write(1, line + b"\n")
    return True


def _write(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def main() -> None:
    """leash.py LINE WINDOW PROGRAM ARGUMENTS..."""
    most_line, most_window, *command = sys.argv[1:]
    (source, output), (input_, target) = os.pipe(), os.pipe()
    try:
        server = subprocess.Popen(command, stdin=input_, stdout=output, stderr=subprocess.DEVNULL)
    except OSError as error:
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)
    os.close(output)
    os.close(input_)
    threading.Thread(target=_feed, args=(server, target), daemon=True).start()
    try:
        within = _pass_on(source, Meter(int(most_line), int(most_window)))
    except BrokenPipeError:
        within = False
    if not within:
        _end()
    sys.exit(server.wait())


if __name__ == "__main__":
    main()
