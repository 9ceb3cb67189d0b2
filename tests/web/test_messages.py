"""What people send: stored before it is acknowledged, handed to the desk once, seen by nobody who may not."""

import asyncio
from typing import Any

import httpx
import pytest

from bot.web.words import mentions_us, readable
from kernel.errors import StoreError
from kernel.store import Store, web
from kernel.types import Inbound
from tests.web.conftest import Chat

CLIENT = "c" * 32


def new_id(number: int) -> str:
    return f"{number:032d}"


async def say(
    client: httpx.AsyncClient, text: str, number: int = 1, channel: str = "general", **more: Any
) -> httpx.Response:
    return await client.post("/api/messages", json={"id": new_id(number), "channel": channel, "text": text, **more})


async def test_a_mention_is_handed_over_and_answered_in_a_thread(chat: Chat) -> None:
    async with chat.client("ann") as client:
        answer = await say(client, "@Bosun what is *this*, @bo?")
        await chat.desk.idle()
        thread = (await client.get(f"/api/threads/{new_id(1)}")).json()["messages"]
    assert answer.status_code == 200
    inbound = chat.desk.received[0]
    assert (inbound.kind, inbound.text, inbound.addressed) == ("mention", "what is *this*, @Bo Lindqvist?", True)
    assert inbound.place.in_thread(None) == chat.server.adapter.place("general")
    root, reply = thread
    assert (root["replies"], root["reactions"], reply["author"]["agent"]) == (1, ["eyes"], "echo")
    assert reply["thread"] == root["id"]


async def test_the_same_message_three_times_is_one(chat: Chat) -> None:
    async with chat.client("ann") as client:
        answers = await asyncio.gather(*(say(client, "@bosun hello") for _ in range(3)))
        await chat.desk.idle()
        messages = (await client.get("/api/channels/general/messages")).json()["messages"]
    assert {answer.json()["message"]["id"] for answer in answers} == {new_id(1)}
    assert len(messages) == len(chat.desk.received) == 1


async def test_nobody_takes_over_a_message_by_its_id(chat: Chat) -> None:
    async with chat.client("ann") as ann, chat.client("bo") as bo:
        await say(ann, "mine", channel="dm-ann")
        answer = await say(bo, "yours", channel="dm-bo")
    assert answer.status_code == 409
    assert "mine" not in answer.text


async def test_chatter_stays_in_the_chat(chat: Chat) -> None:
    async with chat.client("ann") as client:
        await say(client, "lunch at noon?")
        await say(client, "`@bosun` is what you write", 2)
        await say(client, "yes", 3, thread=new_id(1))
    await chat.desk.idle()
    assert chat.desk.received == []


async def test_a_follow_up_in_a_thread_of_ours_needs_no_mention(chat: Chat) -> None:
    async with chat.client("ann") as ann, chat.client("bo") as bo:
        await say(ann, "@bosun hello")
        await chat.desk.idle()
        await say(bo, "and for me?", 2, thread=new_id(1))
        await say(bo, "@ann what do you think?", 3, thread=new_id(1))
        await chat.desk.idle()
    kinds = [(one.kind, one.addressed, one.opens_with_other, one.actor.user) for one in chat.desk.received]
    assert kinds == [("mention", True, False, "ann"), ("message", False, False, "bo"), ("message", False, True, "bo")]


async def test_every_message_of_a_dm_is_for_us(chat: Chat) -> None:
    async with chat.client("ann") as client:
        await say(client, "hello", channel="dm-ann")
        await chat.desk.idle()
        messages = (await client.get("/api/channels/dm-ann/messages")).json()["messages"]
    assert (chat.desk.received[0].kind, chat.desk.received[0].place.kind) == ("message", "dm")
    assert [message["author"]["id"] for message in messages] == ["ann", ""]


@pytest.mark.behaviour(4)
async def test_what_the_desk_cannot_store_is_not_acknowledged_and_comes_again(chat: Chat) -> None:
    got: list[Inbound] = []

    async def failing(inbound: Inbound) -> None:
        raise StoreError("The database cannot be written.")

    async def working(inbound: Inbound) -> None:
        got.append(inbound)

    adapter = chat.server.adapter
    await adapter.start(failing)
    async with chat.client("ann") as client:
        assert (await say(client, "@bosun hello")).status_code == 503
        await adapter.stop()
        assert (await say(client, "@bosun hello")).status_code == 503
        await adapter.start(working)
        assert [(one.text, one.redelivered) for one in got] == [("hello", True)]
        assert (await say(client, "@bosun hello")).status_code == 200
    assert len(got) == 1, "it was handed over at the start and not again"


async def test_an_error_that_nobody_thought_of_is_a_sentence_and_the_message_is_kept(chat: Chat) -> None:
    async def broken(inbound: Inbound) -> None:
        raise RuntimeError("details for the log")

    await chat.server.adapter.start(broken)
    async with chat.client("ann") as client:
        answer = await say(client, "@bosun hello")
        await chat.server.adapter.start(chat.desk.receive)
    assert answer.status_code == 500
    assert answer.json()["error"]["message"].startswith("Something went wrong on Bosun's side.")
    assert "details" not in answer.text
    assert [one.text for one in chat.desk.received] == ["hello"]


@pytest.mark.parametrize(
    ("channel", "status"), [("board", 404), ("dm-bo", 404), ("nowhere", 404), ("dm-nobody", 404), ("../x", 409)]
)
async def test_one_writes_only_where_one_reads(chat: Chat, channel: str, status: int) -> None:
    async with chat.client("ann") as client:
        assert (await say(client, "hello", channel=channel)).status_code == status
        if status == 404:
            assert (await client.get(f"/api/channels/{channel}/messages")).status_code == 404


async def test_a_thread_of_a_closed_channel_is_not_there_for_others(chat: Chat) -> None:
    async with chat.client("dee") as dee, chat.client("ann") as ann:
        await say(dee, "secret", channel="board")
        assert (await ann.get(f"/api/threads/{new_id(1)}")).status_code == 404
        assert (await say(ann, "x", 2, thread=new_id(1))).status_code == 404
        press = {"id": new_id(3), "client": CLIENT, "subject": "AP-1", "verb": "approve", "message": new_id(1)}
        assert (await ann.post("/api/press", json=press)).status_code == 404
        channels = [one["id"] for one in (await ann.get("/api/boot")).json()["channels"]]
    assert channels == ["general", "finance", "approvals", "dm-ann"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "short", "channel": "general", "text": "x"},
        {"id": new_id(1), "channel": "general", "text": " "},
        {"id": new_id(1), "channel": "general", "text": "x" * 20_001},
        {"id": new_id(1), "channel": "general", "text": "x", "author": "bo"},
        {"id": new_id(1), "channel": "general", "text": "x", "thread": "' or 1=1"},
        {"id": new_id(1), "channel": "general", "text": "x" * 300_000},
        {"id": new_id(1), "channel": "general", "text": "x", "files": ["f"] * 11},
        ["not", "an", "object"],
    ],
)
async def test_what_the_page_would_never_send_is_refused_with_a_sentence(chat: Chat, body: object) -> None:
    async with chat.client("ann") as client:
        answer = await client.post("/api/messages", json=body)
    assert answer.status_code == 409
    assert answer.json()["error"]["message"]


async def test_a_command_is_not_shown_and_answered_privately(chat: Chat) -> None:
    async with chat.client("ann") as ann, chat.client("bo") as bo:
        assert (await say(ann, "/approvals")).json() == {"command": True}
        assert (await say(ann, "/usr/bin is a folder", 2)).json()["message"]["id"] == new_id(2)
        await chat.desk.idle()
        assert chat.desk.received[0].kind == "command"
        assert chat.desk.received[0].text == "approvals"
        assert "approvals" in (await ann.get("/api/boot")).json()["notices"][0]["html"]
        assert (await bo.get("/api/boot")).json()["notices"] == []
        shown = (await ann.get("/api/channels/general/messages")).json()["messages"]
    assert [message["id"] for message in shown] == [new_id(2)]


async def test_a_press_is_handed_over_once_with_what_it_needs(chat: Chat) -> None:
    async with chat.client("bo") as client:
        await say(client, "@bosun pay", channel="finance")
        await chat.desk.idle()
        card = (await client.get(f"/api/threads/{new_id(1)}")).json()["messages"][1]
        press = {
            "id": new_id(7),
            "client": CLIENT,
            "subject": "AP-7F3K",
            "revision": 1,
            "verb": "approve",
            "message": card["id"],
        }
        for _ in range(3):
            assert (await client.post("/api/press", json=press)).status_code == 200
        await chat.desk.idle()
    presses = [one for one in chat.desk.received if one.kind == "press"]
    assert len(presses) == 1
    got = presses[0]
    assert got.press is not None
    assert (got.press.subject, got.press.revision, got.press.verb) == ("AP-7F3K", 1, "approve")
    assert got.press.trigger == f"{CLIENT}/bo"
    assert (got.place.channel, got.place.thread, got.actor.user) == ("finance", new_id(1), "bo")
    assert chat.desk.payment.votes == {"bo": "approve"}


async def test_earlier_messages_come_in_pages(chat: Chat, store: Store) -> None:
    async with chat.client("ann") as client:
        for number in range(1, 56):
            await say(client, f"line {number}", number)
        first = (await client.get("/api/channels/general/messages")).json()
        before = first["messages"][0]["number"]
        rest = (await client.get("/api/channels/general/messages", params={"before": before})).json()
    assert (len(first["messages"]), first["more"], len(rest["messages"]), rest["more"]) == (50, True, 5, False)
    assert "line 5" in rest["messages"][-1]["html"]
    assert store.read_now(web.head) == 55


async def test_unread_channels_are_those_where_others_wrote(chat: Chat) -> None:
    async with chat.client("ann") as ann, chat.client("bo") as bo:
        await say(ann, "one", 1)
        await say(bo, "two", 2, channel="finance")
        assert (await ann.get("/api/boot")).json()["unread"] == ["finance"]
        assert (await bo.get("/api/boot")).json()["unread"] == ["general"]
        assert (await bo.post("/api/read", json={"channel": "general", "number": 99})).status_code == 200
        assert (await bo.post("/api/read", json={"channel": "general", "number": 0})).status_code == 200
        assert (await bo.get("/api/boot")).json()["unread"] == []


@pytest.mark.parametrize(
    ("text", "ours", "read"),
    [
        ("@bosun hello", True, "hello"),
        ("@Bosun: hello", True, "hello"),
        ("hello @BOSUN", True, "hello"),
        ("@bosun finance: pay", True, "finance: pay"),
        ("ask @bosun, please", True, "ask please"),
        ("me@bosun.example", False, "me@bosun.example"),
        ("@bosuns mate", False, "@bosuns mate"),
        ("`@bosun`", False, "`@bosun`"),
        ("```\n@bosun\n```", False, "```\n@bosun\n```"),
        ("@bo and @BO and @nobody", False, "@Bo L and @Bo L and @nobody"),
        ("`@bo` @bo", False, "`@bo` @Bo L"),
    ],
)
def test_our_mention_is_taken_out_and_names_are_readable(text: str, ours: bool, read: str) -> None:
    assert mentions_us(text) is ours
    assert readable(text, {"bo": "Bo L"}) == read
