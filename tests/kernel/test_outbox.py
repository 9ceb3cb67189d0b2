"""One row is shown once, in order, by one sender per channel, however many processes send."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from functools import partial

from kernel.clock import FixedClock
from kernel.store import Session, Store, outbox
from kernel.store.outbox import Claimed, OutboxRow
from kernel.types import Place, Text
from tests.kernel.databases import on_postgres

PLACE = Place(platform="slack", tenant="T1", channel="C1")
LANE = PLACE.lane
CLOCK = FixedClock()
NOW = CLOCK.now()


def put(store: Store, row_id: str, text: str = "", place: Place = PLACE, subject: str | None = None) -> bool:
    return store.write_now(
        lambda session: outbox.put(session, row_id, place, Text(markdown=text or row_id), NOW, subject=subject)
    )


def claim(store: Store, owner: str = "one", lane: str = LANE, later: timedelta = timedelta()) -> Claimed | None:
    return store.write_now(lambda session: outbox.claim(session, lane, owner, NOW + later))


def claimed(store: Store, owner: str = "one", later: timedelta = timedelta()) -> Claimed:
    row = claim(store, owner, later=later)
    assert row is not None
    return row


def delivered(store: Store, row: Claimed, remote_id: str = "m") -> None:
    store.write_now(partial(outbox.delivered, row_id=row.id, version=row.version, remote_id=remote_id))


def stored(store: Store, row_id: str) -> OutboxRow:
    return store.read_now(lambda session: session.get_one(OutboxRow, row_id))


def test_a_row_is_queued_once(store: Store) -> None:
    assert put(store, "a", "first")
    assert not put(store, "a", "second")
    content = stored(store, "a").content
    assert isinstance(content, Text)
    assert content.markdown == "first"


async def test_the_same_row_from_two_processes_is_one(stores: tuple[Store, Store]) -> None:
    def work(session: Session) -> bool:
        return outbox.put(session, "a", PLACE, Text(markdown="x"), NOW)

    fresh = await asyncio.gather(*(stores[n % 2].write(work) for n in range(12)))
    assert sorted(fresh) == [False] * 11 + [True]


def test_rows_of_a_channel_are_taken_in_order_and_one_at_a_time(store: Store) -> None:
    for row_id in ("b", "a", "c"):
        put(store, row_id)
    order = []
    for _ in range(3):
        row = claimed(store)
        assert claim(store) is None
        assert claim(store, "two") is None
        order.append(row.id)
        delivered(store, row)
    assert order == ["a", "b", "c"]
    assert claim(store) is None


def test_channels_do_not_wait_for_each_other(store: Store) -> None:
    other = PLACE.model_copy(update={"channel": "C2"})
    put(store, "a")
    put(store, "b", place=other)
    assert claimed(store).id == "a"
    assert claim(store, lane=other.lane) is not None


async def test_of_many_senders_one_gets_the_channel(stores: tuple[Store, Store]) -> None:
    """Again and again, until everything is sent: never two rows of the channel under way at once."""
    for number in range(6):
        put(stores[0], f"{number}")
    order = []
    for _ in range(6):
        won = await asyncio.gather(
            *(
                stores[n % 2].write(partial(outbox.claim, lane=LANE, owner=f"process {n % 2}", now=NOW))
                for n in range(10)
            )
        )
        (row,) = [row for row in won if row is not None]
        order.append(row.id)
        delivered(stores[0], row)
    assert order == ["0", "1", "2", "3", "4", "5"]


def test_a_row_that_sorts_first_but_comes_later_waits_for_the_one_under_way(store: Store) -> None:
    """A message that was approved is named after its call, which is older than what was said meanwhile."""
    put(store, "b")
    under_way = claimed(store)
    put(store, "a")
    assert claim(store, "two") is None
    delivered(store, under_way)
    assert claimed(store, "two").id == "a"


@on_postgres
async def test_a_row_that_sorts_first_is_not_claimed_while_another_claim_commits(stores: tuple[Store, Store]) -> None:
    """The second process cannot see what the first one has not committed yet, and comes to another row first."""
    first, second = stores
    put(first, "b")
    claiming, go_on = threading.Event(), threading.Event()

    def claim_slowly(session: Session) -> Claimed | None:
        row = outbox.claim(session, LANE, "one", NOW)
        claiming.set()
        assert go_on.wait(10)
        return row

    slow = asyncio.create_task(first.write(claim_slowly))
    await asyncio.to_thread(claiming.wait, 10)
    put(second, "a")
    quick = asyncio.create_task(second.write(partial(outbox.claim, lane=LANE, owner="two", now=NOW)))
    await waits_for_a_lock(second)
    go_on.set()
    taken = await slow
    assert taken is not None
    assert taken.id == "b"
    assert await quick is None
    delivered(first, taken)
    assert claimed(second, "two").id == "a"


async def waits_for_a_lock(store: Store) -> None:
    """Return once a transaction of this database waits for another one."""

    def waiting(session: Session) -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return int(session.connection().exec_driver_sql(query).scalar_one())

    async with asyncio.timeout(10):
        while not await store.read(waiting):
            pass


def test_a_first_post_that_waits_holds_up_what_follows_and_an_edit_does_not(store: Store) -> None:
    put(store, "a")
    put(store, "b")
    first = claimed(store)
    later = NOW + timedelta(seconds=30)
    store.write_now(lambda session: outbox.put_back(session, first.id, "busy", later))
    assert claim(store) is None
    assert claimed(store, later=timedelta(seconds=30)).id == "a"
    delivered(store, first)
    store.write_now(lambda session: outbox.revise(session, "a", Text(markdown="edited")))
    edit = claimed(store)
    assert edit.remote_id == "m"
    store.write_now(lambda session: outbox.put_back(session, edit.id, "busy", later))
    assert claimed(store).id == "b"


def test_a_row_that_was_given_up_holds_up_nothing_and_a_new_version_revives_it(store: Store) -> None:
    put(store, "a")
    put(store, "b")
    store.write_now(partial(outbox.put_back, row_id=claimed(store).id, error="refused", retry_at=None))
    assert stored(store, "a").state == outbox.DEAD
    row = claimed(store)
    assert row.id == "b"
    delivered(store, row)
    store.write_now(lambda session: outbox.revise(session, "a", Text(markdown="again")))
    assert claimed(store).id == "a"


def test_a_revision_while_sending_is_sent_next_and_only_the_last(store: Store) -> None:
    put(store, "a")
    row = claimed(store)
    for text in ("second", "third"):
        store.write_now(lambda session, text=text: outbox.revise(session, "a", Text(markdown=text)))  # type: ignore[misc]
    assert claim(store) is None
    delivered(store, row)
    edit = claimed(store)
    assert isinstance(edit.content, Text)
    assert (edit.content.markdown, edit.version, edit.remote_id) == ("third", 3, "m")
    delivered(store, edit)
    assert stored(store, "a").state == outbox.SENT
    assert claim(store) is None


async def test_revisions_from_two_processes_at_once_are_all_counted(stores: tuple[Store, Store]) -> None:
    """A lost count would leave a card as it was before the last vote."""
    put(stores[0], "a")

    def work(session: Session) -> bool:
        return outbox.revise(session, "a", Text(markdown="x"))

    await asyncio.gather(*(stores[n % 2].write(work) for n in range(20)))
    assert stored(stores[0], "a").version == 21


async def test_a_revision_is_never_lost_to_a_delivery_at_the_same_time(stores: tuple[Store, Store]) -> None:
    for number in range(15):
        row_id = f"{number}"
        put(stores[0], row_id)
        row = claimed(stores[0])
        await asyncio.gather(
            stores[0].write(partial(outbox.delivered, row_id=row_id, version=row.version, remote_id="m")),
            stores[1].write(lambda session, row_id=row_id: outbox.revise(session, row_id, Text(markdown="new"))),  # type: ignore[misc]
        )
        edit = claimed(stores[0])
        assert (edit.id, edit.version, edit.remote_id) == (row_id, 2, "m")
        delivered(stores[0], edit)


def test_what_a_dead_process_was_sending_is_in_doubt(store: Store) -> None:
    other = PLACE.model_copy(update={"channel": "C2"})
    put(store, "a")
    put(store, "b", place=other)
    claim(store, "dead")
    claim(store, "alive", other.lane)
    assert store.write_now(lambda session: outbox.release(session, {"alive"})) == 1
    row = claimed(store, "alive")
    assert (row.id, row.doubt, row.attempts) == ("a", True, 2)
    delivered(store, row)
    assert not stored(store, "a").doubt


def test_lanes_with_something_to_send_are_known(store: Store) -> None:
    other = PLACE.model_copy(update={"channel": "C2"})
    put(store, "a")
    put(store, "b")
    put(store, "c", place=other)
    later = NOW + timedelta(seconds=30)
    store.write_now(lambda session: outbox.put_back(session, "c", "busy", later))
    assert store.read_now(lambda session: outbox.due_lanes(session, NOW)) == [LANE]
    assert sorted(store.read_now(lambda session: outbox.due_lanes(session, later))) == [LANE, other.lane]


def test_the_copies_of_a_card_are_found(store: Store) -> None:
    other = PLACE.model_copy(update={"channel": "C2"})
    put(store, "b", subject="AP-1", place=other)
    put(store, "a", subject="AP-1")
    put(store, "c", subject="AP-2")
    assert [row.id for row in store.read_now(lambda session: outbox.copies(session, "AP-1"))] == ["a", "b"]


def test_a_message_is_known_by_its_id_in_its_own_channel(store: Store) -> None:
    put(store, "a")
    delivered(store, claimed(store), "m-1")
    found = store.read_now(lambda session: outbox.by_remote(session, "slack", LANE, "m-1"))
    assert found is not None
    assert found.id == "a"
    assert store.read_now(lambda session: outbox.by_remote(session, "slack", "slack:T1:C2", "m-1")) is None


async def test_whoever_commits_wakes_the_sender_of_the_channel(store: Store) -> None:
    woken: list[str] = []
    store.on(outbox.TOPIC, woken.append)
    await store.write(lambda session: outbox.put(session, "a", PLACE, Text(markdown="x"), NOW))
    await store.write(lambda session: outbox.put(session, "a", PLACE, Text(markdown="x"), NOW))
    assert woken == [LANE]
    row = claimed(store)
    await store.write(lambda session: outbox.revise(session, "a", Text(markdown="y")))
    await store.write(partial(outbox.delivered, row_id="a", version=row.version, remote_id="m"))
    assert woken == [LANE] * 3
