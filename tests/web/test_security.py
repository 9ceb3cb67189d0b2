"""Who may talk to the server: signed-in people, from the chat's own page, under its own address."""

import stat
from pathlib import Path

import httpx
import pytest

from bot.web.server import WebServer
from bot.web.sessions import Sessions, load_key
from bot.web.views import Settings
from kernel import ledger
from kernel.clock import CountedIds, FixedClock
from kernel.errors import ConfigError
from kernel.store import Store
from kernel.store.ledger import entries
from tests.web.conftest import Chat


async def test_a_login_link_works_once(chat: Chat) -> None:
    link = chat.server.login_link("ann")
    async with chat.client() as first, chat.client() as second:
        assert (await first.get(link)).status_code == 303
        assert (await first.get("/api/boot")).json()["me"]["id"] == "ann"
        assert (await second.get(link)).status_code == 401
        assert (await second.get("/api/boot")).status_code == 401


async def test_looking_ahead_does_not_use_the_link_up(chat: Chat) -> None:
    link = chat.server.login_link("ann")
    async with chat.client() as client:
        assert (await client.get(link, headers={"sec-purpose": "prefetch"})).status_code == 503
        assert (await client.get(link)).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "a.b", "e30.0", "é.é"])
async def test_a_forged_link_or_cookie_signs_nobody_in(chat: Chat, token: str) -> None:
    async with chat.client() as client:
        assert (await client.get("/login", params={"token": token})).status_code == 401
        name = chat.server.cookie_name
        cookie = f"{name}={token}".encode()
        assert (await client.get("/api/boot", headers={b"cookie": cookie})).status_code == 401


async def test_the_cookie_is_for_this_browser_alone(chat: Chat) -> None:
    async with chat.client() as client:
        cookie = (await client.get(chat.server.login_link())).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


async def test_a_session_survives_a_restart_and_ends_after_thirty_days(store: Store, tmp_path: Path) -> None:
    clock = FixedClock()

    def sessions(*, demo: bool = False) -> Sessions:
        return Sessions(folder=tmp_path, store=store, clock=clock, ids=CountedIds(), demo=demo)

    cookie = sessions().cookie("ann")
    assert stat.S_IMODE((tmp_path / "web.key").stat().st_mode) == 0o600
    session = sessions().read(cookie)
    assert session is not None
    assert session.person == "ann"
    assert sessions(demo=True).read(cookie) is None, "a real session is none in demo mode, and the other way round"
    assert sessions().read(sessions(demo=True).cookie("ann")) is None
    clock.advance(days=30)
    assert sessions().read(cookie) is None


async def test_a_link_ends_after_twelve_hours_and_is_no_cookie(store: Store, tmp_path: Path) -> None:
    clock = FixedClock()
    sessions = Sessions(folder=tmp_path, store=store, clock=clock, ids=CountedIds(), demo=False)
    token = sessions.login_token("ann")
    assert sessions.read(token) is None
    assert await sessions.redeem(sessions.cookie("ann")) is None
    clock.advance(hours=12)
    assert await sessions.redeem(token) is None


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "web.key").write_bytes(b"short")
    with pytest.raises(ConfigError, match=r"web\.key is damaged"):
        load_key(tmp_path / "web.key")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1.evil.example:80", "127.0.0.1:1", ""])
async def test_a_foreign_host_is_refused(chat: Chat, host: str) -> None:
    async with chat.client("ann") as client:
        answer = await client.get("/api/boot", headers={"host": host})
    assert answer.status_code in {400, 403}


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_foreign_origin_is_refused(chat: Chat, origin: str, method: str) -> None:
    async with chat.client("ann") as client:
        path = "/api/boot" if method == "GET" else "/api/logout"
        answer = await client.request(method, path, headers={"origin": origin}, json={})
    assert answer.status_code == 403


async def test_a_write_needs_the_pages_own_header_and_no_foreign_site(chat: Chat) -> None:
    async with chat.client("ann") as client:
        assert (await client.post("/api/logout", json={}, headers={"sec-fetch-site": "cross-site"})).status_code == 403
        del client.headers["x-bosun"]
        assert (await client.post("/api/logout", json={})).status_code == 403


async def test_localhost_and_the_given_addresses_are_ours(chat: Chat) -> None:
    port = chat.server.url.rsplit(":", 1)[1]
    async with chat.client("ann") as client:
        host = f"localhost:{port}"
        assert (await client.get("/api/boot", headers={"host": host, "origin": f"http://{host}"})).status_code == 200


async def test_every_answer_carries_the_security_headers(chat: Chat) -> None:
    async with chat.client("ann") as client:
        for path in ("/", "/api/boot", "/static/js/main.js", "/nowhere", "/documents/none"):
            headers = (await client.get(path)).headers
            assert "default-src 'self'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["x-frame-options"] == "DENY"
        assert (await client.get("/api/boot")).headers["cache-control"] == "no-store"
        assert (await client.get("/static/js/main.js")).headers["cache-control"] == "no-cache"


async def test_health_is_open_to_everybody(chat: Chat) -> None:
    async with chat.client() as client:
        answer = await client.get("/healthz", headers={"host": "anything"})
    assert answer.json() == {"status": "ok"}


async def test_without_signing_in_nothing_is_shown(chat: Chat) -> None:
    async with chat.client() as client:
        for path in ("/api/boot", "/api/home", "/api/events", "/api/channels/general/messages", "/api/threads/x"):
            assert (await client.get(path)).status_code == 401, path
        for path in ("/", "/c/general", "/documents/handbook", "/files/x"):
            answer = await client.get(path)
            assert answer.status_code == 401, path
            assert "Handbook" not in answer.text
        headers = {"x-bosun": "1"}
        for path in ("/api/messages", "/api/press", "/api/files", "/api/persona"):
            assert (await client.post(path, json={}, headers=headers)).status_code == 401, path


async def test_a_persona_switch_is_on_record(chat: Chat, store: Store) -> None:
    async with chat.client("ann") as client:
        assert (await client.post("/api/persona", json={"person": "bo"})).status_code == 200
        assert (await client.get("/api/boot")).json()["me"]["id"] == "bo"
        assert (await client.post("/api/persona", json={"person": "mallory"})).status_code == 404
    kinds = [(row.kind, row.subject, row.body) for row in store.read_now(lambda session: list(entries(session)))]
    assert kinds == [("web.persona", "bo", {"from": "ann", "to": "bo"})]
    assert store.read_now(ledger.verify).ok


async def test_a_tab_of_the_earlier_persona_cannot_act_as_the_new_one(chat: Chat) -> None:
    async with chat.client("ann") as client:
        await client.post("/api/persona", json={"person": "bo"})
        answer = await client.post("/api/read", json={"channel": "general", "number": 0}, headers={"x-bosun": "ann"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "other_person"


async def test_there_are_no_personas_outside_demo_mode(store: Store, tmp_path: Path) -> None:
    real = Chat(store, tmp_path / "data", demo=False)
    await real.start()
    try:
        async with real.client("ann") as client:
            assert (await client.get("/api/boot")).json()["demo"] is False
            assert (await client.post("/api/persona", json={"person": "bo"})).status_code == 403
            assert (await client.get("/api/boot")).json()["me"]["id"] == "ann"
    finally:
        await real.stop()


async def test_somebody_who_left_the_team_is_signed_out(chat: Chat) -> None:
    async with chat.client() as client:
        await client.get(chat.server.login_link("mallory"))
        assert (await client.get("/api/boot")).status_code == 401


async def test_a_taken_port_is_named(chat: Chat, store: Store, tmp_path: Path) -> None:
    port = int(chat.server.url.rsplit(":", 1)[1])
    second = WebServer(
        store=store,
        clock=FixedClock(),
        ids=CountedIds(),
        directory=chat.team,
        settings=Settings(folder=tmp_path / "data", port=port),
        sources=chat.sources,
    )
    with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
        await second.start()


async def test_the_server_listens_on_this_machine_alone(chat: Chat) -> None:
    assert chat.server.url.startswith("http://127.0.0.1:")
    async with httpx.AsyncClient() as client:
        assert (await client.get(chat.server.url + "/healthz")).status_code == 200
