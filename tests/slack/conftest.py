"""A workspace, a database, and adapters that are connected to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from bot.slack.adapter import SlackAdapter
from bot.slack.settings import SlackSettings
from bot.slack.tiers import Tier
from kernel.clock import SystemClock
from kernel.errors import StoreError
from kernel.store import Store, open_store
from kernel.store.outbox import Claimed
from kernel.types import Actor, Body, Inbound, Json, Place
from tests.fakes.slack import TEAM, FakeSlack

GENERAL = "C0GENERAL"
PRIVATE = "C0PRIVATE"
ANN, BO, GUEST, OUTSIDER, OTHER_BOT = "U0ANN", "U0BO", "U0GUEST", "U0OUT", "U0ROBOT"


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

    @property
    def keys(self) -> list[str]:
        return [event.key for event in self.events]

    def only(self) -> Inbound:
        """The one event that came."""
        assert len(self.events) == 1, self.keys
        return self.events[0]


class Threads:
    """Which threads Bosun takes part in."""

    def __init__(self) -> None:
        self.engaged: set[tuple[str, str | None]] = set()

    def __call__(self, place: Place, text: str) -> bool:
        return (place.channel, place.thread) in self.engaged


class Bench:
    """What a test has at hand."""

    def __init__(self, slack: FakeSlack, store: Store) -> None:
        self.slack = slack
        self.store = store
        self.inbox = Inbox(slack.changed)
        self.threads = Threads()
        self.clock = SystemClock()
        self.adapters: list[SlackAdapter] = []

    async def connect(self, inbox: Inbox | None = None, **knobs: object) -> SlackAdapter:
        """A new process: an adapter that knows nothing but what is stored."""
        settings = SlackSettings.model_validate(
            {
                "bot_token": self.slack.bot_token,
                "app_token": self.slack.app_token,
                "api_url": self.slack.api_url,
                "sockets": 1,
                **knobs,
            }
        )
        adapter = SlackAdapter(settings, self.store, self.clock, self.threads)
        await adapter.start(inbox or self.inbox)
        adapter.outgoing.second_look = 0
        adapter.outgoing.tier = Tier(per_minute=60_000, at_once=1_000)  # how signs give way has its own tests
        self.adapters.append(adapter)
        return adapter

    async def settled(self) -> None:
        """Wait until everything that was sent is acknowledged or given up."""
        await self.slack.until(lambda: not self.slack.sockets.open)

    def row(self, body: Body | None, place: Place | None = None, **values: Json) -> Claimed:
        """An outbox row as the sender hands it over."""
        place = place or Place(platform="slack", tenant=TEAM, channel=GENERAL)
        values.setdefault("id", f"row{len(self.slack.calls)}")
        values.setdefault("created_at", self.clock.now())
        return Claimed(
            platform="slack",
            lane=place.lane,
            place=place.model_dump(mode="json"),
            body=body.model_dump(mode="json") if body else None,
            **values,
        )


def actor(user: str) -> Json:
    """An account as outbox rows hold it."""
    return Actor(platform="slack", tenant=TEAM, user=user).model_dump(mode="json")


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A small workspace."""
    slack = FakeSlack()
    slack.world.add_user(ANN, "Ann")
    slack.world.add_user(BO, "Bo")
    slack.world.add_user(GUEST, "Gus", guest=True)
    slack.world.add_user(OUTSIDER, "Olga", team="T0ELSE")
    slack.world.add_user(OTHER_BOT, "Robot", bot=True)
    slack.world.add_channel(GENERAL, "general", ANN, BO, GUEST)
    await slack.start()
    yield slack
    await slack.stop()


@pytest.fixture
def store(sqlite_with_tables: str) -> Iterator[Store]:
    """An empty database."""
    store = open_store(sqlite_with_tables)
    yield store
    store.close()


@pytest.fixture
async def bench(slack: FakeSlack, store: Store) -> AsyncIterator[Bench]:
    """A workspace and a database that adapters can be connected to."""
    bench = Bench(slack, store)
    yield bench
    for adapter in bench.adapters:
        await adapter.stop()
