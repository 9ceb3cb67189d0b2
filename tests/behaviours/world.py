"""The whole of Bosun in this process, between a workspace, a language model and a browser's HTTP client."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlmodel import col, select

from bot.engine.app import App
from kernel.config import Address, Secret, Settings
from kernel.store import Session, approvals, inbox, outbox, payments, runs, web
from knowledge.engine.vector_lines import ProcessLine, ThreadLine
from tests.behaviours import inside
from tests.behaviours.clock import Clock
from tests.behaviours.team import CHARTER, populate, populate_discord, write_charter
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.discord import FakeDiscord
from tests.fakes.slack import FakeSlack

T = TypeVar("T")

TOPICS = (web.TOPIC, outbox.TOPIC, runs.STATE, runs.ENDED, runs.READY, "approvals")
PATIENCE = 30.0  # seconds; on a busy machine the slow half of an import takes ten
LOOK_AGAIN = 0.05  # seconds; for what changes without anybody being woken


class World:
    """Bosun and everything around it. `app` is the running process; `restart` gives another one on the same data."""

    def __init__(self, folder: Path, *, alone: bool = False, clock: Clock | None = None) -> None:
        self.folder = folder
        self.alone = alone  # as a newcomer starts it: the starter charter, no Slack, no language model
        self.clock = clock or Clock()
        self.slack = FakeSlack(self.clock)
        self.discord = FakeDiscord(self.clock)
        self.model = FakeAnthropic()
        self.charter = folder / "charter"
        self.app: App
        self.running = False
        self.tuned: dict[str, tuple[Any, ...]] = {}  # function of `inside` -> what it is told at every start
        self._untuned: dict[str, tuple[Any, ...]] = {}  # the same -> what puts it back
        self.rough = False  # presses may fail, and people press again
        self.kills = 0  # how often Bosun was killed
        self._changed = asyncio.Event()

    # -- life cycle -------------------------------------------------------------------------------

    async def open(self) -> None:
        """Everything that Bosun needs, and Bosun."""
        self.write_charter()
        populate(self.slack)
        self.slack.observers.append(lambda _call: self.changed())
        populate_discord(self.discord)
        self.discord.observers.append(lambda _call: self.changed())
        await self.slack.start()
        self.discord.interactions.patience = PATIENCE  # the deadline has tests of its own
        await self.discord.start()
        await self.model.start()
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise

    def write_charter(self) -> None:
        """The team's files."""
        if self.alone:
            shutil.copytree(CHARTER, self.charter)
        else:
            write_charter(self.charter)

    async def close(self) -> None:
        """End it all."""
        if self.running:
            await self.stop()
        await self.slack.stop()
        await self.discord.stop()
        await self.model.stop()

    @property
    def settings(self) -> Settings:
        """What the environment of this installation says."""
        here = Settings(charter=self.charter, data=self.folder / "data", web=Address(port=0))
        if self.alone:
            return here
        return replace(
            here,
            slack_bot_token=Secret(self.slack.bot_token),
            slack_app_token=Secret(self.slack.app_token),
            slack_api_url=self.slack.api_url,
            discord_bot_token=Secret(self.discord.token),
            discord_api_url=self.discord.api_url,
            discord_gateway_url=self.discord.gateway_url,
            anthropic_api_key=Secret(self.model.key),
            anthropic_base_url=self.model.url,
        )

    async def start(self, *, reached: bool = True) -> None:
        """Start a process; `reached` waits until it has reached every platform."""
        vectors = ProcessLine if self.alone else ThreadLine  # a process of its own would load Chroma at every start
        self.app = App(self.settings, clock=self.clock, vectors=vectors)
        for topic in TOPICS:
            self.app.store.on(topic, lambda _key: self.changed())
        inside.tune(self.app)
        for name, arguments in self.tuned.items():
            await self.ask(name, *arguments)
        await asyncio.to_thread(self.app.model.warm)
        await self.app.start()
        self.running = True
        if reached:
            await self.ask("reached")

    @property
    def slowness(self) -> int:
        """How many times longer things may take: a killed process has to start again, a call to be made again."""
        return 4 if self.rough else 1

    def not_rough(self, why: str) -> None:
        """Skip the test where more goes wrong than what it is about."""
        if self.rough:
            pytest.skip(why)

    @property
    def returning(self) -> bool:
        """Whether it was killed and is being started again."""
        return False

    async def up(self) -> None:
        """Wait until Bosun runs, where somebody may have killed it."""

    def moment(self) -> None:
        """A gesture was made."""

    async def ask(self, name: str, *arguments: Any) -> Any:
        """Call a function of `inside` with the App."""
        return await getattr(inside, name)(self.app, *arguments)

    async def tune(self, name: str, *arguments: Any) -> None:
        """Have a function of `inside` change something until the test is over, also in later processes."""
        self.tuned[name] = arguments
        self._untuned[name] = (*arguments[:-1], await self.ask(name, *arguments))

    async def untune(self) -> None:
        """Put back what was changed."""
        self.tuned.clear()
        while self._untuned:
            name, arguments = self._untuned.popitem()
            await self.ask(name, *arguments)

    async def stop(self) -> None:
        """Stop the process in an orderly way."""
        self.running = False
        await self.app.stop()

    async def restart(self) -> None:
        """Stop, and start on the same data."""
        await self.stop()
        await self.start()

    # -- waiting ----------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something happened that somebody may wait for."""
        self._changed.set()

    async def until(self, look: Callable[[], Awaitable[T | None]], patience: float = PATIENCE) -> T:
        """The first true value of `look()`, which is asked after every change. TimeoutError after `patience`.

        As long as a killed Bosun is on its way back nobody loses patience with it.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(patience * self.slowness) as limit:
            while True:
                if self.returning:
                    limit.reschedule(loop.time() + patience * self.slowness)
                self._changed.clear()
                value = await look()
                if value:
                    return value
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN):
                        await self._changed.wait()

    async def seen(self, look: Callable[[], T | None], patience: float = PATIENCE) -> T:
        """The same for what can be looked at without waiting."""

        async def looked() -> T | None:
            return look()

        return await self.until(looked, patience)

    async def held(self) -> None:
        """Wait until the model begins an answer that it is to hold back."""
        async with asyncio.timeout(PATIENCE * self.slowness):
            await self.model.holding.wait()

    async def quiet(self, patience: float = PATIENCE) -> None:
        """Wait until everything that arrived is dealt with and everything that is to be shown is shown."""
        await self.until(self._nothing_under_way, patience)

    async def _nothing_under_way(self) -> bool:
        return await self._all_taken() and not await self.app.store.read(_under_way)

    async def quiet_but_for_runs(self) -> None:
        """Wait until everything that arrived is dealt with, while runs may go on."""
        await self.until(self._all_taken)

    async def _all_taken(self) -> bool:
        if not self.running or self.slack.sockets.open or not await self._discord_heard():
            return False
        return not await self.app.store.read(_arrived) and await self._discord_heard()

    async def _discord_heard(self) -> bool:
        """Every event of Discord has reached Bosun and is taken."""
        if self.alone:
            return True
        session_id, taken = await self.ask("heard") or ("", 0)
        session = self.discord.gateway.sessions.get(session_id)
        return session is not None and taken == len(session.events)

    async def indexed(self) -> None:
        """Wait until every document of the charter can be found by its meaning."""

        async def look() -> bool:
            return bool(await self.ask("indexed"))

        await self.until(look)

    # -- looking at what was done -----------------------------------------------------------------

    async def paid(self, reference: str) -> list[payments.Payment]:
        """What stands on the list of payments under this reference."""
        return await self.app.store.read(
            lambda session: list(
                session.exec(select(payments.Payment).where(col(payments.Payment.reference) == reference))
            )
        )

    async def amounts(self, reference: str) -> list[Decimal]:
        """The amounts on that list."""
        return [Decimal(payment.amount) for payment in await self.paid(reference)]

    async def runs(self, said: str) -> list[runs.Run]:
        """The runs whose request holds these words."""
        return await self.app.store.read(
            lambda session: list(session.exec(select(runs.Run).where(col(runs.Run.request).contains(said))))
        )

    async def events(self, said: str) -> list[inbox.InboxRow]:
        """The stored events whose text holds these words."""
        rows = await self.app.store.read(lambda session: list(session.exec(select(inbox.InboxRow))))
        return [row for row in rows if said in row.inbound.text]


def _arrived(session: Session) -> bool:
    return session.exec(select(inbox.InboxRow.id).where(col(inbox.InboxRow.state) == inbox.NEW)).first() is not None


def _under_way(session: Session) -> bool:
    now_or_never = (
        select(runs.Run.id).where(col(runs.Run.state) == runs.QUEUED, col(runs.Run.retry_at).is_(None)),
        select(outbox.OutboxRow.id).where(col(outbox.OutboxRow.state).in_((outbox.QUEUED, outbox.SENDING))),
        select(approvals.Approval.id).where(col(approvals.Approval.state) == approvals.APPROVED),
    )
    return any(session.exec(query).first() is not None for query in now_or_never)
