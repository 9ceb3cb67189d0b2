"""Channels as sources: read back page by page, kept by events, compared after an absence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kernel.clock import FixedClock
from kernel.errors import PlatformError, TargetGone
from kernel.store import Store
from kernel.types import Place
from knowledge import chat
from knowledge.engine.archives import Page, Told
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.source_settings import Surroundings
from knowledge.engine.web_client import WebClient
from tests.knowledge.conftest import Opened
from tests.knowledge.team import FINANCE, IN_FINANCE, IN_GENERAL, Audience

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Channel:
    """A platform with one channel, on `knowledge.engine.archives.Archive`. Pages hold two roots with their replies."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.said: dict[str, Told] = {}  # in order
        self.closed = False
        self.breaks_at = ""  # asked for what is before this message, it fails
        self.asked: list[str] = []

    def say(self, message: str, text: str, at: datetime, root: str = "") -> Told:
        """A message, with the thread that its root then has."""
        if root:
            place = self.place.in_thread(root)
            self.said[root] = self.said[root].model_copy(update={"place": place})
        self.said[message] = Told(
            place=self.place.in_thread(root or None),
            message=message,
            by="Ada",
            at=at,
            text=text,
            url=f"https://chat.test/{message}",
        )
        return self.said[message]

    def edit(self, message: str, text: str, at: datetime) -> Told:
        """A message with other words; the event of it."""
        self.said[message] = self.said[message].model_copy(update={"text": text, "changed_at": at})
        return self.said[message].model_copy(update={"event": "changed"})

    def delete(self, message: str) -> Told:
        """The event of a message that is gone."""
        return Told(place=self.place, message=message, at=self.said.pop(message).at, event="gone")

    async def page(self, place: Place, before: str = "") -> Page:
        """Two roots, newest first."""
        self.asked.append(before)
        if self.closed:
            raise TargetGone("not_in_channel")
        if before and before == self.breaks_at:
            raise PlatformError("The connection broke.")
        roots = [told for told in self.said.values() if told.place.thread in {None, told.message}]
        older = [told for told in reversed(roots) if not before or told.at < self.said[before].at]
        some = older[:2]
        told = [each for root in some for each in self.said.values() if each is root or _under(each, root)]
        return Page(messages=tuple(told), before=some[-1].message if len(older) > 2 else "")


def _under(told: Told, root: Told) -> bool:
    return told.message != root.message and told.place.thread == root.message


@pytest.fixture
async def knowledge(sqlite_store: Store, open_knowledge: Opened) -> Knowledge:
    return await open_knowledge(sqlite_store)


@pytest.fixture
def channel() -> Channel:
    """#finance with a question that was answered in a thread, and small talk."""
    channel = Channel(FINANCE)
    channel.say("m1", "Who pays the caterer?", START)
    channel.say("m2", "The office budget does.", START + timedelta(minutes=5), root="m1")
    channel.say("m3", "Lunch is at noon.", START + timedelta(days=1))
    channel.say("m4", "The printer is broken again.", START + timedelta(days=2))
    channel.say("m5", "Invoices go to Jo from today.", START + timedelta(days=3))
    return channel


@pytest.fixture
async def around(
    knowledge: Knowledge, sqlite_store: Store, clock: FixedClock, tmp_path: Path, channel: Channel
) -> AsyncIterator[Surroundings]:
    clock.advance(seconds=(START + timedelta(days=4) - clock.now()).total_seconds())
    client = WebClient()
    yield Surroundings(
        charter=tmp_path,
        files=knowledge.files,
        web=client,
        clock=clock,
        store=sqlite_store,
        secret=dict[str, str]().get,
        resolve=tuple,
        places=lambda _name: [FINANCE],
        chats=knowledge.chats,
        archives={"web": channel},
    )
    await client.close()


async def read(knowledge: Knowledge, around: Surroundings) -> str:
    """Read the channel as the keeper does; the state of the source."""
    [source] = chat.open_source(chat.Settings(name="history", kind="chat", channels=("#finance",)), around)
    knowledge.chats.listen_to({source.place.lane: source.title})
    return (await knowledge.sync(source)).state


async def words(knowledge: Knowledge, query: str, audience: Audience = IN_FINANCE) -> list[str]:
    return [passage.text for passage in (await knowledge.search(query, audience)).passages]


async def test_a_channel_is_read_back_and_only_its_readers_find_it(knowledge: Knowledge, around: Surroundings) -> None:
    assert await read(knowledge, around) == "ready"
    [first, *_] = (await knowledge.search("who pays the caterer", IN_FINANCE)).passages
    assert first.text == "Ada (2 March 2026): Who pays the caterer?"
    assert first.url == "https://chat.test/m1"
    assert "Ada (2 March 2026): The office budget does." in await words(knowledge, "office budget")
    assert await words(knowledge, "caterer office budget", IN_GENERAL) == []


async def test_reading_back_goes_on_where_it_stood(
    knowledge: Knowledge, around: Surroundings, channel: Channel
) -> None:
    channel.breaks_at = "m4"
    assert await read(knowledge, around) == "away"
    assert channel.asked == ["", "m4"]
    assert await words(knowledge, "invoices go to Jo")
    channel.breaks_at = ""
    channel.asked.clear()
    assert await read(knowledge, around) == "ready"
    assert channel.asked == ["m4"]
    assert await words(knowledge, "who pays the caterer")


async def test_what_is_said_changed_and_deleted_is_known_at_once(
    knowledge: Knowledge, around: Surroundings, channel: Channel
) -> None:
    await read(knowledge, around)
    now = START + timedelta(days=4)
    await knowledge.chats.told(channel.say("m6", "The cinema opens on Friday.", now))
    assert (await words(knowledge, "cinema"))[0].endswith("The cinema opens on Friday.")
    await knowledge.chats.told(channel.edit("m6", "The cinema opens on Sunday.", now))
    assert not [text for text in await words(knowledge, "cinema") if "Friday" in text]
    await knowledge.chats.told(channel.say("m7", "Which film is it?", now, root="m6"))
    threads = [passage.document_id for passage in (await knowledge.search("which film", IN_FINANCE)).passages]
    thread = await knowledge.document(threads[0], IN_FINANCE)
    assert thread is not None
    assert [chunk.text[20:] for chunk in thread.chunks] == ["The cinema opens on Sunday.", "Which film is it?"]
    await knowledge.chats.told(channel.edit("m6", "The cinema never opens.", now + timedelta(minutes=1)))
    assert not [text for text in await words(knowledge, "cinema") if "Sunday" in text]
    await knowledge.chats.told(channel.delete("m6"))
    assert not [text for text in await words(knowledge, "cinema opens") if "cinema" in text]


async def test_an_older_page_neither_brings_back_what_was_deleted_nor_older_words(
    knowledge: Knowledge, around: Surroundings, channel: Channel
) -> None:
    await read(knowledge, around)
    page = await channel.page(FINANCE)
    await knowledge.chats.told(channel.edit("m5", "Invoices go to Kim.", START + timedelta(days=4)))
    await knowledge.chats.told(channel.delete("m4"))
    for told in page.messages:  # they were asked for before, and come now
        await knowledge.chats.told(told)
    assert (await words(knowledge, "invoices go to"))[0].endswith("Invoices go to Kim.")
    assert not [text for text in await words(knowledge, "printer broken") if "printer" in text]


async def test_what_was_changed_and_deleted_in_an_absence_is_found_when_the_history_is_compared(
    knowledge: Knowledge, around: Surroundings, channel: Channel, clock: FixedClock
) -> None:
    channel.say("m6", "The safe opens with 1234.", START + timedelta(days=3, hours=1))
    channel.say("m7", "No, with 9999.", START + timedelta(days=3, hours=2), root="m6")
    await read(knowledge, around)
    channel.edit("m5", "Invoices go to Kim.", START + timedelta(days=4))
    channel.delete("m7")
    channel.delete("m4")
    clock.advance(minutes=30)
    await read(knowledge, around)
    assert not [text for text in await words(knowledge, "invoices safe 9999 Jo") if "9999" in text or "Jo" in text]
    assert [text for text in await words(knowledge, "safe opens") if "1234" in text]
    assert not [text for text in await words(knowledge, "printer broken") if "printer" in text]
    assert [text for text in await words(knowledge, "caterer") if "caterer" in text]  # too old to be compared


async def test_a_channel_that_closes_answers_no_more(
    knowledge: Knowledge, around: Surroundings, channel: Channel
) -> None:
    await read(knowledge, around)
    channel.closed = True
    assert await read(knowledge, around) == "cut off"
    assert await words(knowledge, "invoices go to Jo") == []
    channel.closed = False
    assert await read(knowledge, around) == "ready"
    assert await words(knowledge, "invoices go to Jo")


async def test_channels_that_are_no_sources_and_direct_messages_are_let_go(knowledge: Knowledge) -> None:
    knowledge.chats.listen_to({FINANCE.lane: "#finance"})
    general = Place(platform="web", tenant="local", channel="general")
    private = FINANCE.model_copy(update={"kind": "dm"})
    for place in (general, private):
        assert not knowledge.chats.wants(place)
        await knowledge.chats.told(Told(place=place, message="m1", by="Ada", at=START, text="My secret is blue."))
    assert (await knowledge.status()).documents == 0


async def test_a_message_more_leaves_the_others_where_they_are_in_the_index(
    knowledge: Knowledge, channel: Channel
) -> None:
    knowledge.chats.listen_to({FINANCE.lane: "#finance"})
    for number in range(4):
        await knowledge.chats.told(channel.say(f"n{number}", f"Number {number} is said.", START))
    await knowledge.settled(30)
    before = await chunk_ids(knowledge)
    await knowledge.chats.told(channel.say("n4", "Number 4 is said.", START))
    after = await chunk_ids(knowledge)
    assert len(before - after) == 1  # the window of the message before has a neighbour more
    assert len(after - before) == 3


async def chunk_ids(knowledge: Knowledge) -> set[int]:
    from kernel.store.knowledge import readable_chunks

    found: list[int] = await knowledge._store.read(lambda session: readable_chunks(session, IN_FINANCE.readers, 1000))
    return set(found)
