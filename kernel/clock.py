"""Time, ids and references: the only sources of them, injected everywhere. The test doubles ship here."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U


class Clock(Protocol):
    """Where every time comes from."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class Ids(Protocol):
    """Where every id comes from."""

    def new(self) -> str:
        """A new id: 26 characters, sorts by time of creation (ULID)."""
        ...

    def short(self, length: int = 4) -> str:
        """A short reference for people; whoever uses it checks that it is free."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def _base32(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


class SystemIds:
    """ULIDs from the machine's clock and entropy; each is greater than the one before, also within a millisecond.

    The order of messages in a channel hangs on it. Source: the monotonic variant of https://github.com/ulid/spec.
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()  # transactions make ids in threads

    def new(self) -> str:
        fresh = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
        with self._lock:
            self._last = max(fresh, self._last + 1)  # the clock may also have gone back
            return _base32(self._last, 26)

    def short(self, length: int = 4) -> str:
        return _base32(secrets.randbits(5 * length), length)


class FixedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, start: datetime | None = None) -> None:
        self.time = start or datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, **delta: float) -> datetime:
        """Move forward by `timedelta(**delta)` and return the new time."""
        self.time += timedelta(**delta)
        return self.time


class CountedIds:
    """Ids that count up: the same run gives the same ids."""

    def __init__(self) -> None:
        self.count = 0

    def new(self) -> str:
        self.count += 1
        return _base32(self.count, 26)

    def short(self, length: int = 4) -> str:
        self.count += 1
        return _base32(self.count * 7919 % 32**length, length)
