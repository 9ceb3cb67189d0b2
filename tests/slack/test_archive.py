"""What Slack's channels tell the knowledge base: their history, and every message, change and deletion in them."""

from __future__ import annotations

from kernel.types import Place
from knowledge.engine.archives import Told
from tests.fakes.slack import BOT, TEAM
from tests.slack.conftest import ANN, BO, GENERAL, GUEST, Bench

IN_GENERAL = Place(platform="slack", tenant=TEAM, channel=GENERAL)


class Listening:
    """Takes everything that is told of one channel."""

    def __init__(self) -> None:
        self.heard: list[Told] = []

    def wants(self, place: Place) -> bool:
        return place.channel == GENERAL

    async def told(self, told: Told) -> None:
        self.heard.append(told)


async def test_a_channel_s_history_comes_page_by_page_with_its_threads(bench: Bench) -> None:
    adapter = await bench.connect(read_interval=0)
    root = bench.slack.write(GENERAL, ANN, "Who pays the caterer?")["ts"]
    bench.slack.write(GENERAL, BO, f"<@{ANN}> the office budget", root)
    bench.slack.write(GENERAL, BOT, "I say so too.", root)
    for number in range(120):
        bench.slack.write(GENERAL, GUEST, f"chatter {number}")
    bench.slack.faults.limit("conversations.replies", 0, 0.01)
    first = await adapter.archive.page(IN_GENERAL)
    assert first.messages[0].text == "chatter 119"
    assert first.messages[0].outside
    bench.slack.faults.heal()
    second = await adapter.archive.page(IN_GENERAL, first.before)
    assert second.before == ""
    thread = [told for told in second.messages if told.place.thread == root]
    assert [(told.by, told.text) for told in thread] == [
        ("Ann", "Who pays the caterer?"),
        ("Bo", "@Ann the office budget"),
    ]
    assert thread[1].url.endswith(
        f"/archives/{GENERAL}/p{thread[1].message.replace('.', '')}?thread_ts={root}&cid={GENERAL}"
    )


async def test_events_tell_what_is_said_changed_and_deleted(bench: Bench) -> None:
    adapter = await bench.connect()
    adapter.listener = listening = Listening()
    bench.slack.world.add_channel("C0OTHER", "other", ANN)
    ts = await bench.slack.say(GENERAL, ANN, "Lunch is at noon.")
    await bench.settled()
    await bench.slack.say("C0OTHER", ANN, "Not for the knowledge base.")
    await bench.slack.say(bench.slack.world.dm(ANN).id, ANN, "Between us.")
    await bench.slack.edit(GENERAL, ts, "Lunch is at one.")
    await bench.settled()
    reply = await bench.slack.say(GENERAL, BO, "Where?", ts)
    await bench.settled()
    await bench.slack.delete(GENERAL, reply)
    await bench.settled()
    assert [(told.event, told.message, told.text) for told in listening.heard] == [
        ("said", ts, "Lunch is at noon."),
        ("changed", ts, "Lunch is at one."),
        ("said", reply, "Where?"),
        ("gone", reply, ""),
    ]
    assert listening.heard[2].place.thread == ts
    assert not listening.heard[0].outside
