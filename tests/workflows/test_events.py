"""What happens begins workflows: messages, files, signed requests; each of them once."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.engine.hooks import Hooks
from kernel.clock import FixedClock
from tests.workflows.world import World, workflow
from workflows.engine import listening
from workflows.engine.arrivals import Arrivals
from workflows.engine.emoji import canonical

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.store import Store

HEAD = 'name: flow\ndescription: A flow\nchannel: "#general"\n'
SAYS = 'steps:\n  - post: {text: "{trigger.text}"}\n'


def test_a_message_is_matched_by_channel_and_words_without_regard_to_case() -> None:
    trigger = 'trigger: {message: {channel: "#general", contains: [outage, incident]}}\n'
    flows = {"flow": workflow(HEAD + trigger + SAYS)}
    assert listening.of_message(flows, "#general", "We have an OUTAGE")
    assert not listening.of_message(flows, "#finance", "outage")
    assert not listening.of_message(flows, "#general", "all is well")


def test_a_reaction_is_matched_by_channel_and_emoji_however_it_is_written() -> None:
    trigger = 'trigger: {reaction: {channel: "#general", emoji: [thumbsup, "📌", our_logo], by: admin}}\n'
    flows = {"flow": workflow(HEAD + trigger + SAYS)}
    for same in ("+1", "👍", "thumbsup", "+1::skin-tone-4", "👍🏿", "pushpin", "📌", "our_logo", ":our_logo:"):
        assert listening.of_reaction(flows, "#general", same), same
    assert not listening.of_reaction(flows, "#general", "👎")
    assert not listening.of_reaction(flows, "#finance", "👍")
    assert listening.signs(flows) == ["👍", "📌"]


@pytest.mark.parametrize(
    ("name", "character"),
    [("large_green_circle", "🟢"), ("heart", "❤️"), ("rotating_light", "🚨"), ("no_such_thing", "no_such_thing")],
)
def test_an_emoji_has_one_name(name: str, character: str) -> None:
    assert canonical(name) == canonical(character)


async def test_a_file_that_arrives_begins_one_run_and_one_more_when_it_changes(store: Store, tmp_path: Path) -> None:
    clock = FixedClock()
    world = World(store, clock, workflow(HEAD + 'trigger: {file: {path: "inbox/*.csv"}}\n' + SAYS))
    (tmp_path / "inbox").mkdir()
    file = tmp_path / "inbox" / "a.csv"
    file.write_text("1")
    (tmp_path / "inbox" / "b.txt").write_text("no")
    os.utime(file, (clock.now().timestamp() - 1,) * 2)
    first, second = Arrivals(world.launch, tmp_path), Arrivals(world.launch, tmp_path)
    await first.look()
    assert await world.all_runs() == []  # it may still be being written
    for _ in range(3):
        clock.advance(seconds=10)
        await first.look()
        await second.look()  # another replica
    assert len(await world.all_runs()) == 1
    await world.work()
    file.write_text("12")
    os.utime(file, (clock.now().timestamp() - 5,) * 2)
    clock.advance(seconds=10)
    await first.look()
    await world.work()
    assert await world.posts() == ["inbox/a.csv", "inbox/a.csv"]


def signed(secret: str, body: bytes, at: int) -> dict[str, str]:
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-bosun-timestamp": str(at), "x-bosun-signature": f"sha256={digest}"}


@pytest.fixture
def world(store: Store) -> World:
    trigger = "trigger: {webhook: {name: build, secret: BUILD_KEY}}\n"
    return World(store, FixedClock(), workflow(HEAD + trigger + 'steps:\n  - post: {text: "{trigger.data.build}"}\n'))


async def test_a_signed_request_begins_one_run_however_often_it_is_sent(world: World) -> None:
    client = TestClient(Starlette(routes=[Hooks(world.launch, {"BUILD_KEY": "k"}.get).route()]))
    body, at = b'{"build": 7}', int(world.clock.now().timestamp())
    first = client.post("/hooks/build", content=body, headers=signed("k", body, at))
    again = client.post("/hooks/build", content=body, headers=signed("k", body, at))
    assert (first.status_code, len(first.json()["runs"])) == (202, 1)
    assert (again.status_code, again.json()["runs"]) == (202, [])
    await world.work()
    assert await world.posts() == ["7"]


@pytest.mark.parametrize("wrong", ["key", "time", "body", "name", "unsigned", "huge", "no secret"])
async def test_what_is_not_signed_for_it_begins_nothing(world: World, wrong: str) -> None:
    secrets = {} if wrong == "no secret" else {"BUILD_KEY": "k"}
    client = TestClient(Starlette(routes=[Hooks(world.launch, secrets.get).route()]))
    body = b"x" * 300_000 if wrong == "huge" else b"{}"
    at = int(world.clock.now().timestamp()) - (301 if wrong == "time" else 0)
    headers = signed("other" if wrong == "key" else "k", b"else" if wrong == "body" else body, at)
    path = "/hooks/other" if wrong == "name" else "/hooks/build"
    reply = client.post(path, content=body, headers={} if wrong == "unsigned" else headers)
    assert reply.status_code == (413 if wrong == "huge" else 401)
    assert await world.all_runs() == []
