"""What a source asks of an account that the tools work with: a CRM, a calendar, an MCP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from kernel.types import Frozen


class Record(Frozen):
    """A piece of what an account has: a contact, a deal, a resource."""

    key: str  # the account's own id of it
    version: str = ""  # unchanged: the text is the same
    title: str
    text: str  # Markdown
    url: str = ""  # opens it
    written_at: datetime | None = None


class Records(Protocol):
    """An account whose records can be listed."""

    def records(self) -> AsyncIterator[Record]:
        """All that there are. SourceAway or SourceCutOff where the account cannot be read."""
        ...
