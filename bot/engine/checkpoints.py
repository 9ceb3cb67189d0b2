"""Every hour, and when Bosun is stopped, a signed checkpoint of the ledger goes to a channel that the charter names."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel import moments
from kernel.errors import StoreError
from kernel.store import checkpoints as rows
from kernel.store import ledger, outbox
from kernel.types import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kernel.checkpoints import Checkpoint, Signer
    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.types import Place

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)


class Checkpoints:
    """Signs the end of the ledger and posts it. Of several processes, one does it each hour."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        signer: Callable[[], Signer],
        channel: Callable[[], Place | None],
    ) -> None:
        """`channel` is where they go; None: nowhere, and none is made. `signer` is asked once one is to be made."""
        self.store = store
        self.clock = clock
        self.ids = ids
        self._signer = signer
        self._channel = channel
        self._due: datetime | None = None  # None: look at once

    async def take_due(self) -> None:
        """Take one if the last is an hour old and something was written since."""
        now = self.clock.now()
        if self._channel() is not None and (self._due is None or now >= self._due):
            self._due = await self._take(EVERY)

    async def take_last(self) -> None:
        """Take one whatever the hour, if something was written since the last: Bosun is being stopped."""
        if self._channel() is None:
            return
        try:
            await self._take(timedelta(0))
        except StoreError as error:
            log.warning("the last checkpoint could not be taken: %s", error)

    async def _take(self, apart: timedelta) -> datetime:
        """When to look again."""
        signer, place = self._signer(), self._channel()

        def write(session: Session) -> datetime:
            now = self.clock.now()
            entries, head = ledger.end(session)  # held from here on, so that of several processes one goes first
            last = rows.newest(session)
            if last is not None and now - last.at < apart:
                return last.at + apart
            if place is None or entries == (last.entries if last is not None else 0):
                return now + EVERY
            found = signer.sign(entries=entries, head=head, at=now)
            session.add(rows.CheckpointRow(**found.model_dump()))
            session.flush()
            outbox.put(session, self.ids.new(), place, message(found), now)
            return now + EVERY

        return await self.store.write(write)


def message(found: Checkpoint) -> Text:
    """What stands in the channel."""
    at = moments.written(found.at, seconds=True)
    first = f"**Checkpoint of the ledger**: {found.entries:,} entries at {at}, head"
    return Text(
        markdown=f"{first} `{found.head}`.\n```\n{found}\n```\n`bosun ledger verify --checkpoint ...` checks it."
    )
