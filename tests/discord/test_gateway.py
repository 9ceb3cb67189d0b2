"""One process holds the connection, another takes over; what was missed is read; a missing intent is lived with."""

import asyncio
from datetime import timedelta

import pytest

from kernel.clock import FixedClock
from kernel.errors import ConfigError, StoreError
from kernel.store import open_store
from kernel.types import Text
from tests.discord.conftest import ANN, BO, FINANCE, FINANCE_ROLE, GENERAL, Bench
from tests.fakes.discord import BOT, GUILD, FakeDiscord


async def test_without_the_content_intent_it_goes_on_with_what_mentions_it_and_tells_the_operators(
    bench: Bench,
) -> None:
    bench.discord.world.app_flags = 0
    adapter = await bench.connect()
    await bench.discord.until(lambda: bench.side.told)
    assert not adapter.gateway.content
    assert "Message Content Intent" in next(iter(bench.side.told.values()))
    root = await bench.discord.say(GENERAL, ANN, f"<@{BOT}> can you read this?")
    bench.side.taking_part.add(root)
    await adapter.post(bench.row(Text(markdown="Yes."), bench.place(root)))
    await bench.discord.say(root, ANN, "and this?")  # empty for us
    await bench.discord.say(root, ANN, "and this?", reply_to=bench.discord.said(root)[0]["id"])
    await bench.discord.say(bench.discord.world.dm(ANN).id, ANN, "and here?")
    events = await bench.heard(3)
    assert [event.text for event in events] == ["can you read this?", "and this?", "and here?"]


async def test_a_wrong_token_is_said_at_once(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="DISCORD_BOT_TOKEN"):
        await bench.connect(token="wrong")


async def test_a_bot_that_is_in_no_server_is_told_how_to_be_invited(bench: Bench) -> None:
    bench.discord.in_guild = False
    with pytest.raises(ConfigError, match="permissions=309237763136"):
        await bench.connect()


@pytest.mark.behaviour(32)
async def test_another_server_is_not_served(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="no server that it may serve"):
        await bench.connect(guild="1999999999999999999")
    assert (await bench.connect(guild=GUILD)).tenant == GUILD


# -- what was missed ------------------------------------------------------------------------------


async def test_what_was_said_while_nobody_listened_is_read_in_order_and_once(bench: Bench) -> None:
    await bench.connect()
    thread = await bench.discord.say(GENERAL, ANN, f"<@{BOT}> before")
    dm = bench.discord.world.dm(BO)
    await bench.discord.say(dm.id, BO, "before, in private")
    await bench.heard(2)
    bench.discord.begin_thread(GENERAL, BOT, "before", thread)
    await bench.adapters.pop().stop()
    bench.side.taking_part.add(thread)
    bench.inbox.events.clear()
    bench.discord.write(GENERAL, ANN, f"<@{BOT}> one")
    bench.discord.write(GENERAL, ANN, "chatter")
    bench.discord.write(GENERAL, BO, f"<@{BOT}> two")
    bench.discord.write(thread, ANN, "three, in the thread")
    bench.discord.write(dm.id, BO, "four, in private")
    adapter = await bench.connect()
    await adapter.caught_up()
    assert [(event.text, event.caught_up) for event in bench.inbox.events if event.place.thread is None] == [
        ("before", True),  # the last minute is read again; the same key makes it the same event
        ("one", True),
        ("two", True),
        ("before, in private", True),
        ("four, in private", True),
    ]
    assert [event.text for event in bench.inbox.events if event.place.thread] == ["three, in the thread"]
    assert {event.actor.roles for event in bench.inbox.events if event.actor.user == BO} == {(FINANCE_ROLE,)}


async def test_the_first_words_ever_in_a_channel_are_caught_up(bench: Bench) -> None:
    first = await bench.connect()
    await first.caught_up()
    await bench.adapters.pop().stop()
    bench.discord.write(GENERAL, ANN, f"<@{BOT}> good morning")
    adapter = await bench.connect()
    await adapter.caught_up()
    assert [event.text for event in bench.inbox.events] == ["good morning"]


async def test_what_cannot_be_read_now_is_read_later(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> before")
    await bench.heard(1)
    await bench.adapters.pop().stop()
    bench.discord.write(GENERAL, ANN, f"<@{BOT}> missed")
    bench.discord.faults.fail("history", "drop", times=2)
    adapter = await bench.connect()
    await adapter.caught_up()
    assert [event.text for event in bench.inbox.events].count("missed") == 1


async def test_a_channel_in_which_nothing_was_said_is_not_read(bench: Bench) -> None:
    await bench.connect()
    bench.discord.write(FINANCE, ANN, "old talk")
    await bench.adapters.pop().stop()
    adapter = await bench.connect()
    await adapter.caught_up()
    await bench.adapters.pop().stop()
    before = bench.discord.counts["history"]
    quiet = await bench.connect()
    await quiet.caught_up()
    assert bench.discord.counts["history"] == before
    assert bench.inbox.events == []


async def test_a_session_that_cannot_be_resumed_is_caught_up(bench: Bench) -> None:
    adapter = await bench.connect()
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> before")
    await bench.heard()
    bench.discord.gateway.forget_sessions()
    bench.discord.write(GENERAL, ANN, f"<@{BOT}> in the gap")
    await bench.discord.gateway.drop()
    assert (await bench.heard(2))[-1].text == "in the gap"
    assert adapter.leader.leads


# -- several processes ----------------------------------------------------------------------------


@pytest.mark.postgres
async def test_one_process_listens_and_another_takes_over_when_it_ends(
    discord: FakeDiscord, postgres_with_tables: str
) -> None:
    store = open_store(postgres_with_tables)
    bench = Bench(discord, store)
    try:
        first, second = await bench.connect(), await bench.connect()
        assert (first.leader.leads, second.leader.leads) == (True, False)
        assert len(discord.gateway.connections) == 1
        await second.post(bench.row(Text(markdown="I can write all the same."), bench.place()))
        await first.stop()
        await second.leader.look()
        assert second.leader.leads
        await discord.say(GENERAL, ANN, f"<@{BOT}> anybody there?")
        assert [event.text for event in await bench.heard()] == ["anybody there?"]
    finally:
        for adapter in bench.adapters[1:]:
            await adapter.stop()
        store.close()


@pytest.mark.postgres
async def test_a_process_that_dies_is_followed_once_its_lease_has_run_out(
    discord: FakeDiscord, postgres_with_tables: str
) -> None:
    store = open_store(postgres_with_tables)
    bench = Bench(discord, store)
    try:
        first, second = await bench.connect(), await bench.connect()
        assert first.leader.lease + first.leader.every < 8.0  # and a connection takes less than two seconds
        first.leader.lease = 0.05
        await first.leader.look()
        assert first.leader._task is not None
        first.leader._task.cancel()  # dead: it renews no more
        async with asyncio.timeout(10):
            while not second.leader.leads:
                await second.leader.look()
        await discord.until(lambda: len(discord.gateway.connections) == 2)  # two for a moment: nothing counts twice
        await discord.say(GENERAL, ANN, f"<@{BOT}> anybody there?")
        events = await bench.heard(2)
        assert len({event.key for event in events}) == 1
    finally:
        for adapter in bench.adapters:
            await adapter.stop()
        store.close()


class DatabaseAway:
    """A database that cannot be reached."""

    async def write(self, work: object) -> bool:
        raise StoreError("The database is away.")


async def test_a_process_that_cannot_renew_its_lease_lets_go_of_the_connection(bench: Bench) -> None:
    adapter = await bench.connect()
    adapter.leader.store = DatabaseAway()  # type: ignore[assignment]  # all that is asked of it
    await adapter.leader.look()
    assert bench.discord.gateway.connections  # for the rest of its lease
    adapter.leader._held_until = 0.0
    await adapter.leader.look()
    await bench.discord.until(lambda: not bench.discord.gateway.connections)


async def test_how_far_back_is_looked_has_a_limit(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> before")
    await bench.heard()
    await bench.adapters.pop().stop()
    bench.inbox.events.clear()
    bench.discord.write(GENERAL, ANN, f"<@{BOT}> an old question")
    bench.clock = FixedClock(bench.clock.now() + timedelta(hours=25))
    adapter = await bench.connect()
    await adapter.caught_up()
    assert bench.inbox.events == []
