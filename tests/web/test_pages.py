"""The pages outside the chat, the dashboard, and routes that others mount on the same port."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.web.server import WebServer
from bot.web.views import Settings
from kernel.store import Store
from tests.web.conftest import Chat


async def test_a_document_shows_its_passages_to_those_who_may_read_it(chat: Chat) -> None:
    async with chat.client("ann") as ann, chat.client("cy") as cy:
        page = await ann.get("/documents/handbook")
        assert (await cy.get("/documents/handbook")).status_code == 404
        nowhere = await cy.get("/nowhere/at-all")
        assert nowhere.status_code == 404
        assert "Back to the chat" in nowhere.text
        assert (await ann.get("/documents/other")).status_code == 404
    assert "<section class='prose' id='two'>" in page.text
    assert "<script>" not in page.text
    assert "charter/knowledge/handbook.md" in page.text


async def test_every_address_of_the_chat_is_the_same_page(chat: Chat) -> None:
    async with chat.client("ann") as client:
        pages = {(await client.get(path)).text for path in ("/", "/home", "/waiting", "/c/general", "/c/general/t/x")}
    assert len(pages) == 1


async def test_home_is_of_one_person(chat: Chat) -> None:
    async with chat.client("ann") as ann, chat.client("bo") as bo:
        body = {"id": "1" * 32, "channel": "finance", "text": "@bosun pay"}
        await ann.post("/api/messages", json=body)
        await chat.desk.idle()
        hers, his = (await ann.get("/api/home")).json(), (await bo.get("/api/home")).json()
    assert (len(hers["waiting"]), len(his["waiting"])) == (0, 1)
    assert his["waiting"][0]["link"] == f"/c/finance/t/{'1' * 32}"
    assert his["waiting"][0]["card"]["actions"][0]["verb"] == "approve"
    assert hers["running"][0]["state"] == "waiting"


async def test_mounted_routes_are_outside_the_sign_in(chat: Chat, store: Store, tmp_path: Path) -> None:
    async def events(request: Request) -> PlainTextResponse:
        return PlainTextResponse((await request.body()).decode())

    server = WebServer(
        store=store,
        clock=chat.clock,
        ids=chat.desk.ids,
        directory=chat.team,
        settings=Settings(folder=tmp_path / "data", port=0),
        sources=chat.sources,
        mounts=[Route("/slack/events", events, methods=["POST"])],
    )
    await server.start()
    try:
        async with chat.client() as client:
            answer = await client.post(
                f"{server.url}/slack/events", content=b"hi", headers={"host": "bosun.example.org"}
            )
    finally:
        await server.stop()
    assert answer.text == "hi"
