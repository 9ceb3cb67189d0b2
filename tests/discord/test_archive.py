"""What Discord's channels tell the knowledge base: their history, and every message, change and deletion in them."""

from __future__ import annotations

from kernel.types import Place
from knowledge.engine.archives import Told
from tests.discord.conftest import ANN, BO, FINANCE, GENERAL, OTHER_BOT, Bench
from tests.fakes.discord import GUILD

IN_GENERAL = Place(platform="discord", tenant=GUILD, channel=GENERAL)


class Listening:
    """Takes everything that is told of one channel."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.heard: list[Told] = []

    def wants(self, place: Place) -> bool:
        return place.channel == GENERAL

    async def told(self, told: Told) -> None:
        self.heard.append(told)
        self.bench.discord.changed()

    async def until(self, count: int) -> None:
        await self.bench.discord.until(lambda: len(self.heard) >= count)


async def test_a_channel_s_history_comes_page_by_page_with_its_threads(bench: Bench) -> None:
    adapter = await bench.connect(calls_per_second=1000)
    root = bench.discord.write(GENERAL, ANN, "Who pays the caterer?")["id"]
    thread = bench.discord.begin_thread(GENERAL, ANN, "Catering", root)
    bench.discord.write(thread, BO, f"<@{ANN}> the office budget")
    for number in range(120):
        bench.discord.write(GENERAL, OTHER_BOT, f"chatter {number}")
    first = await adapter.archive.page(IN_GENERAL)
    assert (len(first.messages), first.messages[0].text, first.messages[0].outside) == (100, "chatter 119", True)
    second = await adapter.archive.page(IN_GENERAL, first.before)
    assert second.before == ""
    assert [(told.by, told.text) for told in second.messages if told.place.thread == root] == [
        ("Ann", "Who pays the caterer?"),
        ("Bo", "@Ann the office budget"),
    ]
    assert second.messages[-1].url == f"https://discord.com/channels/{GUILD}/{thread}/{second.messages[-1].message}"


async def test_events_tell_what_is_said_changed_and_deleted(bench: Bench) -> None:
    adapter = await bench.connect()
    adapter.listener = listening = Listening(bench)
    said = await bench.discord.say(GENERAL, ANN, "Lunch is at noon.")
    await bench.discord.say(FINANCE, ANN, "Not for the knowledge base.")
    await listening.until(1)
    await bench.discord.edit(GENERAL, said, "Lunch is at one.")
    await listening.until(2)
    await bench.discord.delete(GENERAL, said)
    await listening.until(3)
    assert [(told.event, told.message, told.text) for told in listening.heard] == [
        ("said", said, "Lunch is at noon."),
        ("changed", said, "Lunch is at one."),
        ("gone", said, ""),
    ]
