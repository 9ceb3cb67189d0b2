"""A server of people, a database, and adapters that are connected to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from bot.discord.adapter import DiscordAdapter
from bot.discord.settings import DiscordSettings
from bot.engine.commands import discover
from bot.engine.text_command import TextCommand
from kernel.clock import Clock, SystemClock
from kernel.errors import StoreError
from kernel.store import Store, open_store
from kernel.store.outbox import Claimed
from kernel.types import Actor, Body, Inbound, Json, Place
from tests.fakes.discord import GUILD, FakeDiscord

GENERAL, FINANCE = "1200000000000000001", "1200000000000000002"
ANN, BO, OUTSIDER, OTHER_BOT = (
    "1300000000000000001",
    "1300000000000000002",
    "1300000000000000003",
    "1300000000000000004",
)
FINANCE_ROLE = "1400000000000000001"


class Inbox:
    """Receives events; can be down, as a database can."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.events: list[Inbound] = []
        self.tries = 0
        self.down = False

    async def __call__(self, inbound: Inbound) -> None:
        self.tries += 1
        self.changed()
        if self.down:
            raise StoreError("The database is away.")
        self.events.append(inbound)
        self.changed()

    def only(self) -> Inbound:
        """The one event that came."""
        assert len(self.events) == 1, [event.key for event in self.events]
        return self.events[0]


class Side:
    """What the adapter asks of Bosun, in memory."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.taking_part: set[str] = set()  # threads
        self.posted: dict[str, str] = {}  # message of ours -> the thread that it was posted for
        self.told: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.awaits: set[str] = set()  # emoji

    async def engaged(self, place: Place, text: str) -> bool:
        return place.thread in self.taking_part

    def awaited(self, place: Place, emoji: str) -> bool:
        return emoji in self.awaits

    async def root_of(self, place: Place, message: str) -> str | None:
        return self.posted.get(message)

    async def event_of(self, message: str) -> Inbound | None:
        return next((event for event in self.inbox.events if event.message == message), None)

    async def taken(self, lane: str, messages: list[str]) -> frozenset[str]:
        return frozenset(messages) & frozenset(self.posted)

    async def suggest(self, kind: str, actor: Actor, place: Place, typed: str) -> list[str]:
        self.asked.append((kind, typed))
        return ["AP-7F3K", "AP-8G4L"]

    async def tell_operators(self, key: str, text: str) -> None:
        self.told[key] = text

    def accounts(self) -> list[str]:
        return [ANN, BO, OUTSIDER]

    def commands(self) -> tuple[TextCommand, ...]:
        return discover()


class Bench:
    """What a test has at hand."""

    def __init__(self, discord: FakeDiscord, store: Store) -> None:
        self.discord = discord
        self.store = store
        self.inbox = Inbox(discord.changed)
        self.side = Side(self.inbox)
        self.clock: Clock = SystemClock()
        self.adapters: list[DiscordAdapter] = []
        self.rows = 0

    async def connect(self, inbox: Inbox | None = None, owner: str = "", **knobs: object) -> DiscordAdapter:
        """A new process: an adapter that knows nothing but what is stored."""
        settings = DiscordSettings.model_validate(
            {
                "token": self.discord.token,
                "api_url": self.discord.api_url,
                "gateway_url": self.discord.gateway_url,
                "settle": 0.02,
                **knobs,
            }
        )
        owner = owner or f"process-{len(self.adapters)}"
        adapter = DiscordAdapter(settings, self.store, self.clock, self.side, owner)
        self.adapters.append(adapter)
        await adapter.start(inbox or self.inbox)
        return adapter

    def row(self, body: Body | None, place: Place | None = None, **values: Json) -> Claimed:
        """An outbox row as the sender hands it over."""
        place = place or self.place()
        self.rows += 1
        values.setdefault("id", f"row{self.rows}")
        values.setdefault("created_at", self.clock.now())
        return Claimed(
            platform="discord",
            lane=place.lane,
            place=place.model_dump(mode="json"),
            body=body.model_dump(mode="json") if body else None,
            **values,
        )

    def place(self, thread: str | None = None) -> Place:
        """#general, or a thread in it."""
        return Place(platform="discord", tenant=GUILD, channel=GENERAL, thread=thread)

    async def heard(self, count: int = 1) -> list[Inbound]:
        """Wait for so many events."""
        await self.discord.until(lambda: len(self.inbox.events) >= count)
        return self.inbox.events


def actor(user: str) -> Json:
    """An account as outbox rows hold it."""
    return Actor(platform="discord", tenant=GUILD, user=user).model_dump(mode="json")


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A small server."""
    discord = FakeDiscord()
    world = discord.world
    world.add_role(FINANCE_ROLE, "finance")
    world.add_member(ANN, "Ann")
    world.add_member(BO, "Bo", roles=[FINANCE_ROLE])
    world.add_member(OUTSIDER, "Olga", here=False)
    world.add_member(OTHER_BOT, "Robot", bot=True)
    world.add_channel(GENERAL, "general")
    world.add_channel(FINANCE, "finance")
    await discord.start()
    yield discord
    await discord.stop()


@pytest.fixture
def store(sqlite_with_tables: str) -> Iterator[Store]:
    """A database with tables, on SQLite."""
    store = open_store(sqlite_with_tables)
    yield store
    store.close()


@pytest.fixture
async def bench(discord: FakeDiscord, store: Store) -> AsyncIterator[Bench]:
    """A server and a database that adapters can be connected to."""
    bench = Bench(discord, store)
    yield bench
    for adapter in bench.adapters:
        await adapter.stop()
