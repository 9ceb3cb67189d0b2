"""How often messages that show progress may be edited: a rate that all of a platform's share."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.engine.adapter import Capabilities

GROWING = timedelta(minutes=2)  # since its last edit a message counts as one that is edited again and again


class EditPace:
    """The edits of one platform."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}  # outbox row of a progress object -> its last edit

    def due(self, row_id: str, capabilities: Capabilities, now: datetime) -> datetime | None:
        """When the row may be edited again; None for now. The more grow at once, the slower each of them."""
        last = self._last.get(row_id)
        if last is None:
            return None
        growing = sum(now - edited < GROWING for edited in self._last.values())
        seconds = max(capabilities.edit_interval, capabilities.edit_share * growing)
        due = last + timedelta(seconds=seconds)
        return due if due > now else None

    def edited(self, row_id: str, now: datetime) -> None:
        """The row was edited, and it still is progress."""
        self._last[row_id] = now

    def ended(self, row_id: str) -> None:
        """The row is progress no more."""
        self._last.pop(row_id, None)
