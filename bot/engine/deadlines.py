"""What time does to approvals, in each process: expiry, direct messages, reminders, escalations, digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.ticker import Ticker

if TYPE_CHECKING:
    from kernel.clock import Clock
    from rules.engine.approvals import Approvals

DIGEST_EVERY = 20.0  # seconds between two looks at who is to be told what waits for them


class Deadlines:
    """Does what is due. Every process may: what is due is a row that one of them claims."""

    def __init__(self, approvals: Approvals, clock: Clock) -> None:
        self.approvals = approvals
        self.clock = clock
        self.jobs = (self._expire, self._run)  # for the ticker of the process
        self._digests = Ticker([self._tell], every=DIGEST_EVERY)

    def start(self) -> None:
        """Begin to send digests."""
        self._digests.start()

    async def stop(self) -> None:
        """Send no more."""
        await self._digests.stop()

    async def _expire(self) -> None:
        await self.approvals.expire_due(self.clock.now())

    async def _run(self) -> None:
        await self.approvals.run_due(self.clock.now())

    async def _tell(self) -> None:
        await self.approvals.send_digests(self.clock.now())
