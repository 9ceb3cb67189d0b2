"""Events over HTTP: the same events, behind Slack's signature."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from bot.slack.adapter import SlackAdapter
from tests.fakes.slack import BOT, TEAM
from tests.fakes.slack.delivery import Http
from tests.slack.conftest import ANN, GENERAL, Bench


@asynccontextmanager
async def web_server(slack: SlackAdapter) -> AsyncIterator[str]:
    """The web server that mounts the route; gives the URL."""
    app = Starlette(routes=[slack.route()])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    with_socket = server.config.bind_socket()
    running = asyncio.create_task(server.serve(sockets=[with_socket]))
    try:
        yield f"http://127.0.0.1:{with_socket.getsockname()[1]}/slack/events"
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def http(bench: Bench) -> AsyncIterator[Http]:
    """Slack delivers to the adapter over HTTP."""
    slack = await bench.connect(app_token="", signing_secret=bench.slack.signing_secret)
    async with web_server(slack) as url:
        yield bench.slack.over_http(url)


def mention(ts: str = "1700000000.000100") -> dict[str, object]:
    """A mention as Slack posts it."""
    event = {"type": "app_mention", "user": ANN, "text": f"<@{BOT}> hi", "ts": ts, "channel": GENERAL}
    return {"type": "event_callback", "team_id": TEAM, "event_id": "Ev1", "event": event}


async def test_events_presses_and_commands_arrive(bench: Bench, http: Http) -> None:
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> hello")
    sent = await bench.slack.slash(GENERAL, ANN, "status")
    assert sent.acknowledged
    assert [event.kind for event in bench.inbox.events] == ["mention", "command"]
    assert bench.slack.counts["apps.connections.open"] == 0


async def test_a_wrong_signature_is_refused(bench: Bench, http: Http) -> None:
    assert (await http.post("events_api", mention(), secret="forged"))[0] == 401
    assert bench.inbox.events == []


async def test_an_old_request_is_refused(bench: Bench, http: Http) -> None:
    assert (await http.post("events_api", mention(), age=301))[0] == 401
    assert (await http.post("events_api", mention(), age=200))[0] == 200
    assert len(bench.inbox.events) == 1


async def test_slack_verifies_the_address(bench: Bench, http: Http) -> None:
    status, answer = await http.post("events_api", {"type": "url_verification", "challenge": "abc"})
    assert (status, answer) == (200, {"challenge": "abc"})


async def test_what_is_not_stored_is_posted_again(bench: Bench, http: Http) -> None:
    bench.inbox.down = True
    assert (await http.post("events_api", mention()))[0] == 503
    bench.inbox.down = False
    assert (await http.post("events_api", mention(), attempt=2))[0] == 200
    assert bench.inbox.only().redelivered


async def test_before_it_has_started_it_takes_nothing(bench: Bench) -> None:
    slack = await bench.connect(app_token="", signing_secret="s")
    async with web_server(slack) as url:
        await slack.stop()
        bench.adapters.remove(slack)
        http = bench.slack.over_http(url)
        assert (await http.post("events_api", mention()))[0] == 503
