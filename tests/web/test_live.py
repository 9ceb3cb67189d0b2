"""The stream of changes: what was missed comes first, then what happens, to those who may see it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson

from kernel.store import Store, web
from kernel.types import Form, Place, Text
from tests.web.conftest import Chat

GENERAL = Place(platform="web", tenant="local", channel="general")


class Events:
    """What one open stream has said."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.last_id = 0

    async def next(self, name: str) -> Any:
        """The data of the next event with this name; others are skipped."""
        async with asyncio.timeout(10):
            kind = ""
            async for line in self._lines:
                if line.startswith("id: "):
                    self.last_id = int(line[4:])
                elif line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == name:
                    return orjson.loads(line[6:])
        raise AssertionError(f"the stream ended before {name!r}")


@contextlib.asynccontextmanager
async def listen(
    client: httpx.AsyncClient, after: int | str = "", tab: str = "tab", **headers: str
) -> AsyncIterator[Events]:
    params = {"client": tab, "after": str(after)}
    async with client.stream("GET", "/api/events", params=params, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Events(answer.aiter_lines())


async def test_what_was_missed_comes_first_and_then_what_happens(chat: Chat) -> None:
    async with chat.client("ann") as client:
        await chat.desk.show(GENERAL, Text(markdown="before"))
        cursor = (await client.get("/api/boot")).json()["cursor"]
        await chat.desk.show(GENERAL, Text(markdown="missed"))
        async with listen(client, cursor) as events:
            assert "missed" in (await events.next("message"))["html"]
            await events.next("ready")
            await chat.desk.show(GENERAL, Text(markdown="live"))
            assert "live" in (await events.next("message"))["html"]
            last = events.last_id
        await chat.desk.show(GENERAL, Text(markdown="while away"))
        async with listen(client, cursor, **{"last-event-id": str(last)}) as events:
            assert "while away" in (await events.next("message"))["html"]


async def test_of_one_message_only_the_newest_state_is_sent(chat: Chat) -> None:
    async with chat.client("ann") as client:
        row = await chat.desk.show(GENERAL, Text(markdown="1"))
        for number in range(2, 6):
            await chat.desk.revise(row, Text(markdown=str(number)))
        async with listen(client, 0) as events:
            message = await events.next("message")
            assert "5" in message["html"]
            await events.next("ready")
        assert events.last_id == message["seq"]


async def test_a_stream_shows_only_what_its_person_may_read(chat: Chat) -> None:
    async with chat.client("ann") as ann, listen(ann, 0) as events:
        await events.next("ready")
        for place in ("board", "dm-bo"):
            await chat.desk.show(GENERAL.model_copy(update={"channel": place}), Text(markdown="secret"))
        await chat.desk.tell(GENERAL, "bo", "secret")
        await chat.desk.sign(GENERAL.model_copy(update={"channel": "board"}), "status", state="processing")
        await chat.desk.show(GENERAL, Text(markdown="for all"))
        assert "for all" in (await events.next("message"))["html"]


async def test_a_notice_goes_to_all_tabs_and_a_dialog_to_one(chat: Chat) -> None:
    form = Form(subject="AP-1", verb="reject", title="Reject", fields=())
    async with (
        chat.client("ann") as client,
        listen(client, 0, tab="one") as one,
        listen(client, 0, tab="two") as two,
        chat.client("bo") as other,
        listen(other, 0, tab="one") as stranger,
    ):
        for events in (one, two, stranger):
            await events.next("ready")
        await chat.server.adapter.open_form("one/ann", form)
        await chat.desk.tell(GENERAL, "ann", "only you")
        await chat.desk.show(GENERAL, Text(markdown="for all"))
        assert (await one.next("form"))["subject"] == "AP-1"
        for events in (one, two):
            assert "only you" in (await events.next("notice"))["html"]
        assert "for all" in (await stranger.next("message"))["html"]


async def test_what_another_process_writes_arrives_too(chat: Chat, store: Store) -> None:
    row = web.WebMessage(
        id="other",
        number=0,
        seq=0,
        channel="general",
        body=Text(markdown="from elsewhere").model_dump(mode="json"),
        created_at=chat.clock.now(),
    )
    async with chat.client("ann") as client, listen(client, 0) as events:
        await events.next("ready")
        store.write_now(lambda session: web.add_message(session, row))  # wakes nobody in this process
        assert "from elsewhere" in (await events.next("message"))["html"]


async def test_stopping_ends_the_streams_and_frees_the_port(chat: Chat) -> None:
    async with chat.client("ann") as client, listen(client, 0) as events:
        await events.next("ready")
        await chat.server.stop()
        with contextlib.suppress(AssertionError, httpx.RemoteProtocolError):
            await events.next("never")
    async with chat.client() as client:
        try:
            await client.get("/healthz")
        except httpx.ConnectError:
            return
    raise AssertionError("the port is still open")
