"""Where an event is answered, and putting into the outbox what is said there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import outbox
from kernel.types import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.engine.adapter import Adapter
    from kernel.clock import Clock
    from kernel.store import Session
    from kernel.types import Body, Inbound, Place


class Telling:
    """What the desk says, in the transaction of what it tells about."""

    def __init__(self, clock: Clock, adapters: Mapping[str, Adapter]) -> None:
        self.clock = clock
        self.adapters = adapters

    def place(self, inbound: Inbound) -> Place:
        """Where the answer goes: the thread, or a new one below the message where the platform has threads."""
        place = inbound.place
        can = self.adapters[place.platform].capabilities
        threaded = can.threads and (place.kind != "dm" or can.dm_threads)
        if place.thread is None and threaded and inbound.message is not None:
            return place.in_thread(inbound.message)
        return place

    def tell(self, session: Session, row_id: str, place: Place, what: str | Body, *, to: Inbound | None = None) -> bool:
        """Say it there, to whoever sent `to` alone where it is given. False if it was said before."""
        kind = outbox.MESSAGE if to is None else outbox.NOTICE
        actor = None if to is None else to.actor
        body = Text(markdown=what) if isinstance(what, str) else what
        extra = None if to is None else {"answers": to.key}
        return outbox.put(session, row_id, place, body, self.clock.now(), kind=kind, to=actor, extra=extra)
