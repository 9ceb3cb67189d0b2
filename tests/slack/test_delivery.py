"""Nothing is acknowledged before it is stored, and what comes again counts once."""

from __future__ import annotations

import pytest

from kernel.errors import PlatformError
from tests.fakes.slack import BOT
from tests.slack.conftest import ANN, GENERAL, Bench, Inbox


async def test_what_is_not_stored_is_not_acknowledged_and_comes_again(bench: Bench) -> None:
    bench.slack.sockets.ack_timeout = 0.05
    bench.slack.sockets.retry_delays = (0.05,) * 40
    await bench.connect()
    bench.inbox.down = True
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> hello")
    await bench.slack.until(lambda: bench.inbox.tries >= 3)
    assert bench.slack.sockets.acknowledgements == 0
    bench.inbox.down = False
    await bench.settled()
    event = bench.inbox.only()
    assert event.redelivered
    assert bench.slack.sockets.acknowledgements == 2


async def test_redeliveries_of_one_event_are_all_acknowledged_and_stored_once(bench: Bench) -> None:
    await bench.connect()
    ts = await bench.slack.say(GENERAL, ANN, f"<@{BOT}> hello")
    message = bench.slack.world.channels[GENERAL].messages[ts]
    for _ in range(3):
        await bench.slack.announce(GENERAL, message)
    await bench.settled()
    assert bench.slack.sockets.acknowledgements == 8
    assert len(bench.inbox.events) == 1


async def test_a_redelivery_to_another_process_has_the_same_key(bench: Bench) -> None:
    await bench.connect()
    ts = await bench.slack.say(GENERAL, ANN, f"<@{BOT}> hello")
    await bench.settled()
    await bench.adapters[0].stop()
    later = Inbox(bench.slack.changed)
    await bench.connect(later)
    await bench.slack.announce(GENERAL, bench.slack.world.channels[GENERAL].messages[ts])
    await bench.settled()
    assert set(later.keys) == set(bench.inbox.keys)


async def test_a_press_that_is_not_stored_is_not_acknowledged(bench: Bench) -> None:
    bench.slack.sockets.ack_timeout = 0.1
    await bench.connect()
    bench.inbox.down = True
    sent = await bench.slack.slash(GENERAL, ANN, "status")
    await sent.settled.wait()
    assert not sent.acknowledged


async def test_two_sockets_share_the_events_and_one_may_be_refreshed(bench: Bench) -> None:
    bench.slack.sockets.ack_timeout = 0.2  # what is sent to the closing socket comes again
    bench.slack.sockets.retry_delays = (0.0,) * 40
    await bench.connect(sockets=2)
    assert len(bench.slack.sockets.connections) == 2
    opened = bench.slack.counts["apps.connections.open"]
    await bench.slack.sockets.refresh()
    await bench.slack.until(lambda: bench.slack.counts["apps.connections.open"] > opened)
    await bench.slack.until(lambda: len(bench.slack.sockets.connections) == 2)
    for number in range(4):
        await bench.slack.say(GENERAL, ANN, f"<@{BOT}> {number}")
    await bench.settled()
    assert sorted(event.text for event in bench.inbox.events) == ["0", "1", "2", "3"]


async def test_one_refused_connection_stops_the_start_and_leaves_none_open(bench: Bench) -> None:
    bench.slack.faults.fail("apps.connections.open", "internal_error")
    with pytest.raises(PlatformError, match="internal_error"):
        await bench.connect(sockets=2)
    await bench.slack.until(lambda: bench.slack.sockets.connections == [])
