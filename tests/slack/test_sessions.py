"""Slack's agent surface is used where the workspace has it, and silently done without where it does not."""

from __future__ import annotations

import yaml

from bot.engine.adapter import Sign
from bot.engine.commands import discover
from bot.engine.suggestions import USUAL, Suggestion
from bot.slack.doctor import MANIFEST, check
from kernel.types import Actor, Dashboard, DashboardPart, Place, Text
from tests.fakes.slack import TEAM
from tests.slack.conftest import ANN, GENERAL, Bench, actor
from tests.slack.test_doctor import configured


async def thread(bench: Bench) -> Place:
    """A thread in #general."""
    ts = bench.slack.write(GENERAL, ANN, "hi")["ts"]
    return Place(platform="slack", tenant=TEAM, channel=GENERAL, thread=ts)


async def test_a_new_thread_is_named_and_keeps_the_name_that_people_gave_it(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    await slack.status(Sign(where=place, extra={"state": "processing", "title": "Refund?", "initiator": ANN}))
    assert bench.slack.world.titles == {(GENERAL, place.thread): "Refund?"}
    asked = [call for call in bench.slack.calls if call.method == "agents.sessions.setStatus"]
    assert asked[-1].arguments["initiator_user_id"] == ANN
    bench.slack.world.titles[GENERAL, place.thread or ""] = "Money back"
    await slack.status(Sign(where=place, extra={"state": "processing", "title": "", "initiator": ANN}))
    assert bench.slack.world.titles[GENERAL, place.thread or ""] == "Money back"


async def test_work_that_takes_long_goes_on_being_shown_until_it_ends(bench: Bench) -> None:
    slack = await bench.connect()
    slack.sessions.renew = 0.01
    place = await thread(bench)
    shown = (GENERAL, place.thread or "")
    await slack.status(Sign(where=place, extra={"state": "processing"}))
    await bench.slack.until(lambda: bench.slack.statuses(*shown).count("processing") >= 3)
    await slack.status(Sign(where=place, extra={"state": "active"}))
    assert bench.slack.statuses(*shown)[-1] == "active"
    assert not slack.sessions._renewals


async def test_prompts_are_offered_when_somebody_looks_at_the_direct_messages(bench: Bench) -> None:
    slack = await bench.connect()
    slack.sessions.suggestions = lambda: [Suggestion(title="Refunds?", message="What is our refund policy?")]
    dm = bench.slack.world.dm(ANN).id
    for _ in range(2):
        await bench.slack.event({"type": "app_home_opened", "user": ANN, "channel": dm, "tab": "messages"})
        await bench.slack.until(lambda: dm in bench.slack.world.prompts)
    titles = [prompt["title"] for prompt in bench.slack.world.prompts[dm]]
    assert titles == ["Refunds?", *(one.title for one in USUAL)]


async def test_a_message_that_begins_a_thread_in_the_direct_messages_names_it(bench: Bench) -> None:
    slack = await bench.connect()
    dm = bench.slack.world.dm(ANN).id
    place = Place(platform="slack", tenant=TEAM, channel=dm, kind="dm")
    ts = await slack.post(bench.row(Text(markdown="The digest & more is **ready**."), place, recipient=actor(ANN)))
    assert bench.slack.world.titles[dm, ts] == "The digest & more is ready."


async def test_what_the_plan_lacks_is_tried_once_and_the_messages_still_come(bench: Bench) -> None:
    bench.slack.world.agent_features = False
    slack = await bench.connect()
    dm = bench.slack.world.dm(ANN).id
    place = Place(platform="slack", tenant=TEAM, channel=dm, kind="dm")
    for number in range(3):
        await slack.post(bench.row(Text(markdown=f"Number {number}"), place, id=f"row{number}", recipient=actor(ANN)))
        await slack.sessions.suggest(dm)
    assert [said["text"] for said in bench.slack.channel_view(dm)] == ["Number 0", "Number 1", "Number 2"]
    assert bench.slack.counts["agents.sessions.rename"] == 1
    assert bench.slack.counts["assistant.threads.setSuggestedPrompts"] == 1
    found = [finding.text for finding in await check(configured(bench.slack))]
    assert any("no agent surface (unknown_method)" in text for text in found)


async def test_each_state_is_shown_natively_and_where_the_plan_has_none_both_ways_are_tried_once(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    for state in ("processing", "suspended", "active"):
        await slack.status(Sign(where=place, extra={"state": state}))
    assert bench.slack.statuses(GENERAL, place.thread or "") == ["processing", "suspended", "active"]
    bench.slack.world.agent_features = False
    for state in ("processing", "suspended", "active"):
        await slack.status(Sign(where=place, extra={"state": state}))
    assert bench.slack.counts["agents.sessions.setStatus"] == 3 + 1
    assert bench.slack.counts["assistant.threads.setStatus"] == 1


async def test_the_home_tab_is_tried_once_where_the_app_has_none(bench: Bench) -> None:
    slack = await bench.connect()
    value = Dashboard(title="Home", parts=(DashboardPart(title="Waiting for you", nothing="Nothing."),))
    bench.slack.faults.fail("views.publish", "not_enabled")
    for _ in range(3):
        await slack.publish_home(Actor(platform="slack", tenant=TEAM, user=ANN), value)
    assert bench.slack.counts["views.publish"] == 1
    assert ANN not in bench.slack.world.pages


def test_the_prompts_that_are_always_offered_are_commands_and_the_manifest_has_the_home_tab() -> None:
    names = {command.name for command in discover()}
    manifest = yaml.safe_load(MANIFEST.read_text("utf-8"))["features"]
    offered = [one.message for one in USUAL] + [one["message"] for one in manifest["agent_view"]["suggested_prompts"]]
    assert set(offered) <= names
    assert manifest["app_home"]["home_tab_enabled"]
