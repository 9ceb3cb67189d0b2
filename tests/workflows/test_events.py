"""What happens begins workflows: messages, files, signed requests; each of them once."""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.engine.adapter import Heard
from bot.engine.hooks import Hooks
from bot.engine.listeners import Listeners
from kernel.clock import FixedClock
from kernel.errors import CharterError
from kernel.types import Inbound, InboundKind
from tests.fakes.platform import FakePlatform
from tests.rules.people import account
from tests.workflows.world import FINANCE, GENERAL, World, workflow
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
    like = 'trigger: {message: {channel: "#general", contains: down, matches: ["order #* is late"]}}\n'
    flows = {"flow": workflow(HEAD + like + SAYS)}
    assert listening.of_message(flows, "#general", "Order #1881 is LATE")
    assert listening.of_message(flows, "#general", "it is down")
    assert not listening.of_message(flows, "#general", "order 1881 is late")


async def test_what_a_message_begins_is_said_in_its_thread_and_goes_on_beside_the_one_before(store: Store) -> None:
    text = HEAD + 'thread: true\noverlap: parallel\ntrigger: {message: {channel: "#general"}}\n'
    world = World(
        store, FixedClock(), workflow(text + "steps:\n  - wait: {for: 1h}\n  - post: {text: '{trigger.text}'}\n")
    )
    for root in ("m1", "m2"):
        told, thread = {"kind": "message", "text": root, "by": "Ann"}, GENERAL.in_thread(root)
        await world.store.write(
            lambda session, r=root, t=told, p=thread: world.launch.on_event(  # type: ignore[misc]  # bound at once
                session, world.workflows["flow"], r, world.clock.now(), t, thread=p
            )
        )
    elsewhere = FINANCE.in_thread("m3")
    await world.store.write(
        lambda session: world.launch.on_event(
            session, world.workflows["flow"], "m3", world.clock.now(), {**told, "text": "m3"}, thread=elsewhere
        )
    )
    await world.work()
    world.clock.advance(hours=1)
    await world.wake()
    shown = {row.body["markdown"]: row.where.thread for row in await world.shown()}
    assert shown == {"m1": "m1", "m2": "m2", "m3": None}


class Ears:
    """Listeners with a platform on which Ann has said something."""

    def __init__(self, store: Store, trigger: str) -> None:
        self.world = World(store, FixedClock(), workflow(f"{HEAD}trigger: {trigger}\n{SAYS}"))
        self.team = self.world.rights.team
        self.chat = FakePlatform("web")
        self.chat.heard = [Heard(message="m1", actor=account("ann"), text="the shop is slow")]
        self.listeners = Listeners(self.world.launch, self.team, {"web": self.chat})  # type: ignore[arg-type]
        self.count = 0

    async def hear(self, kind: InboundKind, by: str, text: str, **more: Any) -> list[str]:
        """It happens; what stands in the history afterwards, newest first."""
        self.count += 1
        self.world.clock.advance(seconds=1)
        inbound = Inbound(
            key=f"k{self.count}", kind=kind, place=GENERAL, actor=account(by), message="m1", text=text, **more
        )
        found = await self.listeners.of(inbound, self.team.person(inbound.actor))
        await self.world.store.write(lambda session: self.listeners.begin(session, inbound, f"row{self.count}", found))
        await self.world.work()
        return [row.state for row in await self.world.firings("flow")]


async def test_a_message_from_while_nobody_listened_begins_it_or_is_recorded_as_missed(store: Store) -> None:
    ears = Ears(store, '{message: {channel: "#general"}}')
    now = ears.world.clock.now()
    fresh, old = now - timedelta(minutes=10), now - timedelta(minutes=20)
    assert await ears.hear("message", "ann", "old", caught_up=True, sent_at=old) == ["missed"]
    assert await ears.hear("message", "ann", "new", caught_up=True, sent_at=fresh) == ["begun", "missed"]
    assert await ears.world.posts() == ["new"]


async def test_a_reaction_begins_a_run_with_the_message_that_it_is_on_once_its_role_is_known(store: Store) -> None:
    ears = Ears(store, '{reaction: {channel: "#general", emoji: pushpin, by: finance}}')
    for nobody, sign in (("ann", "📌"), ("bo", "👀"), ("gus", "📌"), ("zoe", "📌")):
        assert await ears.hear("reaction", nobody, sign) == []
    ears.team.down = {"finance"}
    assert await ears.hear("reaction", "bo", "📌") == ["unverified"]
    ears.team.down = set()
    said, ears.chat.heard = ears.chat.heard, []
    assert await ears.hear("reaction", "bo", "📌") == ["unverified", "unverified"]
    ears.chat.heard = said
    assert (await ears.hear("reaction", "bo", "pushpin"))[0] == "begun"
    assert len(await ears.hear("reaction", "cy", "📌")) == 3  # begun already
    assert await ears.world.posts() == ["the shop is slow"]


def test_only_a_message_of_the_channel_brings_a_thread() -> None:
    for trigger in ('{cron: "0 9 * * *"}', '{message: {channel: "#finance"}}'):
        with pytest.raises(CharterError, match="a message or a reaction in #general brings a thread"):
            workflow(f"{HEAD}thread: true\ntrigger: {trigger}\n{SAYS}")


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
