"""What is told when a call has its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.store import Session
    from kernel.types import RunFacts


class Watcher(Protocol):
    """Draws conclusions from what calls came to, and is registered with the services."""

    def finished(self, session: Session, call_id: str, run: RunFacts, *, failed: bool) -> None:
        """The call has its result, in the transaction that writes it. Most calls are nothing to it: it is cheap."""
        ...


def tell(watchers: Iterable[Watcher], session: Session, call_id: str, run: RunFacts, *, failed: bool) -> None:
    """Tell all of them."""
    for watcher in watchers:
        watcher.finished(session, call_id, run, failed=failed)
