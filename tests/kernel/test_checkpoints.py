"""A checkpoint is posted once an hour while something is written, and once more at the end."""

from __future__ import annotations

from sqlmodel import select

from bot.engine.checkpoints import Checkpoints
from kernel import ledger
from kernel.checkpoints import PREFIX, Signer, parse
from kernel.clock import CountedIds, FixedClock
from kernel.store import Store, checkpoints
from kernel.store.outbox import OutboxRow
from kernel.types import Place

AUDIT = Place(platform="web", tenant="local", channel="audit")


class Keeper:
    """One process that takes checkpoints."""

    def __init__(self, store: Store, place: Place | None = AUDIT, clock: FixedClock | None = None) -> None:
        self.store = store
        self.clock = clock or FixedClock()
        self.checkpoints = Checkpoints(
            store=store,
            clock=self.clock,
            ids=CountedIds(),
            signer=lambda: Signer(bytes(32)),
            channel=lambda: place,
        )

    async def write(self) -> None:
        await self.store.write(lambda session: ledger.append(session, self.clock.now(), "call.done", "c", {}))

    @property
    def posted(self) -> list[str]:
        rows = self.store.read_now(lambda session: list(session.exec(select(OutboxRow).order_by("id"))))
        return [row.body["markdown"] for row in rows]


async def test_one_an_hour_and_only_where_something_was_written(store: Store) -> None:
    keeper = Keeper(store)
    await keeper.checkpoints.take_due()
    assert keeper.posted == []
    await keeper.write()
    keeper.clock.advance(hours=1)
    await keeper.checkpoints.take_due()
    await keeper.write()
    keeper.clock.advance(minutes=59)
    await keeper.checkpoints.take_due()
    assert len(keeper.posted) == 1
    keeper.clock.advance(minutes=1)
    for _ in range(3):
        await keeper.checkpoints.take_due()
        keeper.clock.advance(hours=1)
    assert [text.split(" entries")[0] for text in keeper.posted] == [
        "**Checkpoint of the ledger**: 1",
        "**Checkpoint of the ledger**: 2",
    ]
    line = next(line for line in keeper.posted[1].splitlines() if line.startswith(PREFIX))
    assert parse(line).entries == 2
    assert store.read_now(lambda session: ledger.verify(session, [parse(line)])).ok


async def test_one_more_when_bosun_is_stopped(store: Store) -> None:
    keeper = Keeper(store)
    await keeper.write()
    await keeper.checkpoints.take_due()
    await keeper.write()
    await keeper.checkpoints.take_last()
    await keeper.checkpoints.take_last()
    assert [row.entries for row in store.read_now(checkpoints.kept)] == [1, 2]


async def test_another_process_does_not_take_a_second_one_in_the_hour(store: Store) -> None:
    first = Keeper(store)
    await first.write()
    await first.checkpoints.take_due()
    await first.write()
    await Keeper(store, clock=first.clock).checkpoints.take_due()
    assert len(first.posted) == 1


async def test_without_a_channel_none_is_made(store: Store) -> None:
    keeper = Keeper(store, None)
    await keeper.write()
    await keeper.checkpoints.take_due()
    await keeper.checkpoints.take_last()
    assert store.read_now(checkpoints.kept) == []
