"""What was said while Bosun was away is handed over once, oldest first, and only what is for us."""

from __future__ import annotations

from kernel.store import Session, cursors
from tests.fakes.slack import BOT, TEAM
from tests.slack.conftest import ANN, BO, GENERAL, Bench, Inbox


async def test_mentions_direct_messages_and_our_threads_are_caught_up(bench: Bench) -> None:
    first = await bench.connect()
    dm = bench.slack.world.dm(ANN)
    root = await bench.slack.say(GENERAL, ANN, f"<@{BOT}> before")
    old = await bench.slack.say(GENERAL, BO, "an old thread of others")
    await bench.slack.say(dm.id, ANN, "before, privately")
    bench.threads.engaged.add((GENERAL, root))
    await bench.settled()
    await first.stop()

    bench.slack.write(GENERAL, BO, "chatter")
    bench.slack.write(GENERAL, BO, f"<@{BOT}> while you were away")
    bench.slack.write(GENERAL, BO, "a follow-up", root)
    bench.slack.write(GENERAL, BO, f"<@{BOT}> asked in an old thread", old)
    bench.slack.write(GENERAL, BO, "not for us", old)
    bench.slack.write(dm.id, ANN, "a private question")

    later = Inbox(bench.slack.changed)
    second = await bench.connect(later)
    await second.caught_up()
    fresh = [event for event in later.events if event.key not in bench.inbox.keys]
    channel = [event.text for event in fresh if event.place.channel == GENERAL]
    assert channel == ["while you were away", "a follow-up", "asked in an old thread"]
    assert [event.text for event in fresh if event.place.channel == dm.id] == ["a private question"]
    assert all(event.caught_up for event in later.events)
    assert next(event for event in fresh if event.place.channel == dm.id).place.kind == "dm"


async def test_what_slack_delivers_as_well_has_the_same_key(bench: Bench) -> None:
    first = await bench.connect()
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> before")
    await bench.settled()
    await first.stop()
    missed = bench.slack.write(GENERAL, ANN, f"<@{BOT}> missed")
    later = Inbox(bench.slack.changed)
    second = await bench.connect(later)
    await second.caught_up()
    await bench.slack.announce(GENERAL, missed)
    await bench.settled()
    assert [event.text for event in later.events].count("missed") == 1


async def test_what_slack_leaves_out_for_there_being_too_much_is_read(bench: Bench) -> None:
    adapter = await bench.connect()
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> before")
    await bench.settled()
    await adapter.cursors.flush()
    await adapter.caught_up()
    bench.slack.write(GENERAL, ANN, f"<@{BOT}> left out")
    told = {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1518467820, "api_app_id": "A0"}
    sent = await bench.slack.deliver("events_api", told)
    await sent.settled.wait()
    assert sent.acknowledged
    await adapter.caught_up()
    assert [event.text for event in bench.inbox.events] == ["before", "left out"]


async def test_what_slack_leaves_out_in_the_rest_of_the_minute_is_read_when_it_is_over(bench: Bench) -> None:
    adapter = await bench.connect()
    await adapter.caught_up()
    minute = int(bench.clock.now().timestamp()) - 58  # it is over in one or two seconds
    told = {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": minute, "api_app_id": "A0"}
    await (await bench.slack.deliver("events_api", told)).settled.wait()
    await adapter.caught_up()
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> heard")
    await bench.settled()
    await adapter.cursors.flush()
    bench.slack.write(GENERAL, ANN, f"<@{BOT}> left out")
    await bench.slack.until(lambda: [event.text for event in bench.inbox.events] == ["heard", "left out"])


async def test_what_cannot_be_read_now_is_read_later_and_counts_as_unread_until_then(bench: Bench) -> None:
    first = await bench.connect()
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> before")
    await bench.settled()
    await first.stop()
    bench.slack.write(GENERAL, ANN, f"<@{BOT}> missed")
    bench.slack.faults.fail("conversations.history", "500", times=2)
    later = Inbox(bench.slack.changed)
    second = await bench.connect(later)
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> meanwhile")
    await second.caught_up()
    assert [event.text for event in later.events].count("missed") == 1


async def test_a_channel_that_cannot_be_read_does_not_stop_the_others(bench: Bench) -> None:
    first = await bench.connect()
    bench.slack.world.add_channel("C0GONE", "gone", ANN)
    await bench.slack.say("C0GONE", ANN, f"<@{BOT}> here")
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> there")
    await bench.settled()
    await first.stop()
    del bench.slack.world.channels["C0GONE"]
    bench.slack.write(GENERAL, ANN, f"<@{BOT}> missed")
    later = Inbox(bench.slack.changed)
    second = await bench.connect(later)
    await second.caught_up()
    assert "missed" in [event.text for event in later.events]


async def test_what_could_not_be_stored_holds_the_cursor_back(bench: Bench) -> None:
    bench.slack.sockets.ack_timeout = 0.5
    bench.slack.sockets.retry_delays = ()
    first = await bench.connect()
    bench.inbox.down = True
    lost = await bench.slack.say(GENERAL, ANN, f"<@{BOT}> lost")
    await bench.settled()
    assert bench.inbox.tries
    bench.inbox.down = False
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> stored")
    await bench.slack.until(lambda: bench.inbox.events)
    await bench.settled()
    await first.stop()

    def read(session: Session) -> list[tuple[str, str, str]]:
        return cursors.of(session, "slack:", bench.clock.now())

    (lane,) = [row for row in bench.store.read_now(read) if not row[1]]
    assert lane[2] == lost
    later = Inbox(bench.slack.changed)
    second = await bench.connect(later)
    await second.caught_up()
    assert "lost" in [event.text for event in later.events]


async def test_a_gap_without_any_connection_is_caught_up_on(bench: Bench) -> None:
    slack = await bench.connect()
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> before")
    await bench.settled()
    await slack.cursors.flush()
    await slack.caught_up()
    bench.slack.write(GENERAL, ANN, f"<@{BOT}> in the gap")
    await bench.slack.sockets.refresh()
    await bench.slack.until(lambda: "in the gap" in [event.text for event in bench.inbox.events])
