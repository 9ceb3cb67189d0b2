"""Buttons, dialogs and the command arrive with who, what and which revision; dialogs survive a restart."""

from __future__ import annotations

import pytest

from kernel.errors import PlatformError
from kernel.types import Action, Actor, Card, Dashboard, DashboardPart, DashboardRow, Form, FormField, Place
from tests.fakes.slack import BOT, TEAM
from tests.fakes.slack.blocks import visible
from tests.slack.conftest import ANN, BO, GENERAL, OUTSIDER, Bench, Inbox

CARD = Card(
    headline="Refund EUR 40",
    state="Waiting.",
    actions=(
        Action(subject="AP-7F3K", revision=2, verb="approve", label="Approve", style="primary"),
        Action(subject="AP-7F3K", revision=2, verb="reject", label="Reject...", style="danger", opens_form=True),
        Action(subject="AP-7F3K", verb="open", label="Open", style="link", url="https://a.example"),
        Action(subject="AP-7F3K", verb="trap", label="Trap", style="link", url="javascript:alert(1)"),
    ),
)
FORM = Form(
    subject="AP-7F3K",
    revision=2,
    verb="reject",
    title="Reject",
    fields=(FormField(id="reason", label="Why?", multiline=True), FormField(id="more", label="More", required=False)),
    note="Tell <@U1> why & how",
)


async def card(bench: Bench) -> tuple[Place, str]:
    """A card in a thread; returns the thread and the card's message."""
    place = Place(platform="slack", tenant=TEAM, channel=GENERAL, thread=bench.slack.write(GENERAL, ANN, "ask")["ts"])
    return place, await bench.adapters[0].post(bench.row(CARD, place))


async def test_a_press_says_who_pressed_what(bench: Bench) -> None:
    await bench.connect()
    place, ts = await card(bench)
    sent = await bench.slack.click(GENERAL, ts, BO, "Approve")
    await bench.settled()
    event = bench.inbox.only()
    assert sent.acknowledged
    assert (event.kind, event.actor.user, event.actor.name) == ("press", BO, "Bo")
    assert event.place == place
    assert event.press is not None
    assert (event.press.subject, event.press.revision, event.press.verb) == ("AP-7F3K", 2, "approve")
    assert event.press.message == ts


async def test_a_press_on_the_home_tab_counts_although_slack_fails_twice_to_say_where_to_answer(bench: Bench) -> None:
    slack = await bench.connect()
    row = DashboardRow(title="Digest", actions=(Action(subject="S-digest", verb="run", label="Run now"),))
    home = Dashboard(title="Home", parts=(DashboardPart(title="Schedules", rows=(row,)),))
    await slack.publish_home(Actor(platform="slack", tenant=TEAM, user=ANN), home)
    bench.slack.faults.fail("conversations.open", "500", times=2)
    sent = await bench.slack.click_on_page(ANN, "Run now")
    await bench.settled()
    event = bench.inbox.only()
    assert sent.acknowledged
    assert event.place.kind == "dm"
    assert event.press is not None
    assert (event.press.subject, event.press.verb) == ("S-digest", "run")


async def test_two_presses_are_two_events(bench: Bench) -> None:
    await bench.connect()
    _, ts = await card(bench)
    await bench.slack.click(GENERAL, ts, BO, "Approve")
    await bench.slack.click(GENERAL, ts, BO, "Approve")
    await bench.settled()
    assert len(set(bench.inbox.keys)) == 2


async def test_an_outsider_is_an_outsider_at_a_button_too(bench: Bench) -> None:
    await bench.connect()
    _, ts = await card(bench)
    await bench.slack.click(GENERAL, ts, OUTSIDER, "Approve")
    await bench.settled()
    assert bench.inbox.only().actor.is_external


async def test_links_are_acknowledged_and_nothing_more(bench: Bench) -> None:
    await bench.connect()
    _, ts = await card(bench)
    message = bench.slack.world.channels[GENERAL].messages[ts]
    assert [button["text"]["text"] for button in message["blocks"][-1]["elements"]] == ["Approve", "Reject...", "Open"]
    sent = await bench.slack.click(GENERAL, ts, BO, "Open")
    await bench.settled()
    assert sent.acknowledged
    assert bench.inbox.events == []


async def test_a_dialog_is_opened_filled_in_and_sent_back(bench: Bench) -> None:
    slack = await bench.connect()
    place, ts = await card(bench)
    await bench.slack.click(GENERAL, ts, BO, "Reject...")
    await bench.settled()
    press = bench.inbox.only().press
    assert press is not None
    assert press.trigger is not None
    await slack.open_form(press.trigger, FORM)
    (dialog,) = bench.slack.world.dialogs.values()
    assert dialog.view["blocks"][0]["text"]["text"] == "Tell &lt;@U1&gt; why &amp; how"
    await bench.slack.submit_view(BO, {"reason": "Too much"})
    assert bench.slack.world.dialogs == {}
    event = bench.inbox.events[-1]
    assert event.press is not None
    assert (event.kind, event.place, event.press.message) == ("press", place, ts)
    assert (event.press.subject, event.press.revision, event.press.verb) == ("AP-7F3K", 2, "reject")
    assert event.press.fields == {"reason": "Too much", "more": ""}


async def test_a_dialog_that_stood_open_during_a_restart_still_counts(bench: Bench) -> None:
    slack = await bench.connect()
    place, ts = await card(bench)
    await bench.slack.click(GENERAL, ts, BO, "Reject...")
    await bench.settled()
    press = bench.inbox.only().press
    assert press is not None
    await slack.open_form(press.trigger or "", FORM)
    await slack.stop()
    later = Inbox(bench.slack.changed)
    await bench.connect(later)
    await bench.slack.submit_view(BO, {"reason": "Too much"})
    event = later.only()
    assert event.place == place
    assert event.press is not None
    assert event.press.fields["reason"] == "Too much"


async def test_a_trigger_that_is_too_old_is_an_error_to_tell(bench: Bench) -> None:
    slack = await bench.connect()
    _, ts = await card(bench)
    await bench.slack.click(GENERAL, ts, BO, "Reject...")
    await bench.settled()
    press = bench.inbox.only().press
    bench.slack.world.skew += 4
    with pytest.raises(PlatformError, match="expired_trigger_id"):
        await slack.open_form(press.trigger or "" if press else "", FORM)


async def test_a_dialog_keeps_its_text_when_it_cannot_be_stored(bench: Bench) -> None:
    slack = await bench.connect()
    _, ts = await card(bench)
    await bench.slack.click(GENERAL, ts, BO, "Reject...")
    await bench.settled()
    press = bench.inbox.only().press
    await slack.open_form(press.trigger or "" if press else "", FORM)
    bench.inbox.down = True
    usual, bench.slack.sockets.ack_timeout = bench.slack.sockets.ack_timeout, 0.1
    await bench.slack.submit_view(BO, {"reason": "Too much"})
    assert len(bench.slack.world.dialogs) == 1
    bench.inbox.down, bench.slack.sockets.ack_timeout = False, usual
    await bench.slack.submit_view(BO, {"reason": "Too much"})
    assert bench.slack.world.dialogs == {}
    assert len(bench.inbox.events) == 2


async def test_the_command_arrives_with_its_words(bench: Bench) -> None:
    await bench.connect()
    sent = await bench.slack.slash(GENERAL, ANN, f"tell <@{BO}|bo> about <@{BOT}> &amp; co")
    await bench.settled()
    event = bench.inbox.only()
    assert sent.acknowledged
    assert sent.answer is None
    assert (event.kind, event.text, event.actor.user) == ("command", "tell @Bo about @U0BOSUN & co", ANN)
    assert (event.place.channel, event.place.kind) == (GENERAL, "channel")


@pytest.mark.parametrize("fault", ["drop", "drop_before", "500"])
async def test_a_question_by_command_is_shown_and_taken_once_whatever_happens_to_showing_it(
    bench: Bench, fault: str
) -> None:
    adapter = await bench.connect()
    adapter.outgoing.second_look = 0
    bench.slack.faults.fail("chat.postMessage", fault)
    await bench.slack.slash(GENERAL, ANN, f"ask agent:Finance who pays <@{BO}> & <!channel>?")
    await bench.settled()
    event = bench.inbox.only()
    (shown,) = bench.slack.channel_view(GENERAL)
    assert "asks: finance: who pays @" in visible(shown)
    assert (event.kind, event.message, event.text) == ("mention", shown["ts"], "finance: who pays @Bo & @channel?")
