"""What people do in Slack arrives once, in neutral words, or not at all where it is not for us."""

from __future__ import annotations

import pytest

from kernel.types import Actor
from tests.fakes.slack import BOT, BOT_ID, TEAM
from tests.slack.conftest import ANN, BO, GENERAL, GUEST, OTHER_BOT, OUTSIDER, Bench


@pytest.mark.behaviour(2)
async def test_a_mention_arrives_once_although_slack_sends_two_events(bench: Bench) -> None:
    await bench.connect()
    ts = await bench.slack.say(GENERAL, ANN, f"<@{BOT}> what is our refund policy?")
    await bench.settled()
    event = bench.inbox.only()
    assert event.key == f"{TEAM}/{GENERAL}/{ts}"
    assert event.kind == "mention"
    assert event.addressed
    assert event.text == "what is our refund policy?"
    assert event.place.thread is None
    assert event.message == ts
    assert event.actor == Actor(platform="slack", tenant=TEAM, user=ANN, name="Ann")
    assert event.sent_at is not None
    assert bench.slack.sockets.acknowledgements == 2


async def test_markup_becomes_markdown_with_readable_names(bench: Bench) -> None:
    await bench.connect()
    bench.slack.world.add_channel("C0OPS", "ops")
    text = (
        f"<@{BOT}> ask <@{BO}> in <#C0OPS> &amp; <#C0OPS|ops> &lt;now&gt;: <https://a.example/x?y=1&amp;z=2|the page>, "
        "<https://b.example>, <mailto:c@d.example|c@d.example>, <http://e.example|e.example>, "
        "<!subteam^S1|@finance> <!here> <!date^1^{date}|soon>"
    )
    await bench.slack.say(GENERAL, ANN, text)
    await bench.settled()
    assert bench.inbox.only().text == (
        "ask @Bo in #ops & #ops <now>: [the page](https://a.example/x?y=1&z=2), "
        "https://b.example, c@d.example, e.example, @finance @here soon"
    )


async def test_a_direct_message_is_addressed_to_us(bench: Bench) -> None:
    await bench.connect()
    dm = bench.slack.world.dm(ANN)
    ts = await bench.slack.say(dm.id, ANN, "hello")
    await bench.slack.say(dm.id, ANN, "and more", thread_ts=ts)
    await bench.settled()
    first, second = bench.inbox.events
    assert (first.kind, first.addressed, first.place.kind, first.place.thread) == ("message", True, "dm", None)
    assert (second.kind, second.place.thread) == ("message", ts)


async def test_chatter_is_dropped_and_follow_ups_in_our_threads_are_not(bench: Bench) -> None:
    await bench.connect()
    root = await bench.slack.say(GENERAL, ANN, "lunch?")
    await bench.slack.say(GENERAL, BO, "yes", thread_ts=root)
    await bench.settled()
    assert bench.inbox.events == []
    bench.threads.engaged.add((GENERAL, root))
    await bench.slack.say(GENERAL, BO, "where?", thread_ts=root)
    await bench.slack.say(GENERAL, BO, f"<@{ANN}> you choose", thread_ts=root)
    await bench.settled()
    where, choose = bench.inbox.events
    assert (where.kind, where.addressed, where.opens_with_other) == ("message", False, False)
    assert where.place.thread == root
    assert choose.opens_with_other
    assert choose.text == "@Ann you choose"
    assert bench.slack.sockets.acknowledgements == 4


async def test_ourselves_and_other_bots_are_not_heard(bench: Bench) -> None:
    await bench.connect()
    dm = bench.slack.world.dm(ANN)
    await bench.slack.say(dm.id, BOT, "my own words", bot_id=BOT_ID)
    await bench.slack.say(GENERAL, OTHER_BOT, f"<@{BOT}> hello from a bot", bot_id="B0ROBOT")
    await bench.slack.say(GENERAL, OTHER_BOT, f"<@{BOT}> hello", subtype="bot_message", bot_id="B0ROBOT")
    await bench.slack.say(dm.id, "USLACKBOT", "a reminder")
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> has joined", subtype="channel_join")
    await bench.settled()
    assert all(event.kind != "message" for event in bench.inbox.events)
    assert [event.text for event in bench.inbox.events if event.actor.is_bot] == []


@pytest.mark.behaviour(7)
async def test_an_allowed_bot_is_heard_when_it_mentions_us_and_only_then(bench: Bench) -> None:
    await bench.connect(bots=frozenset({"B0ROBOT"}))
    await bench.slack.say(GENERAL, OTHER_BOT, "build failed", bot_id="B0ROBOT", username="CI")
    await bench.slack.say(GENERAL, OTHER_BOT, f"<@{BOT}> build failed", bot_id="B0ROBOT", username="CI")
    await bench.settled()
    event = bench.inbox.only()
    assert event.actor.is_bot
    assert event.actor.name == "CI"


async def test_guests_and_outsiders_are_known_as_such(bench: Bench) -> None:
    await bench.connect()
    shared = bench.slack.world.add_channel("C0SHARED", "shared", ANN, OUTSIDER, shared=True)
    await bench.slack.say(GENERAL, GUEST, f"<@{BOT}> hi")
    await bench.slack.say(shared.id, OUTSIDER, f"<@{BOT}> hi", user_team="T0ELSE")
    await bench.settled()
    guest, outsider = bench.inbox.events
    assert (guest.actor.is_guest, guest.actor.is_external, guest.place.external) == (True, False, False)
    assert (outsider.actor.is_guest, outsider.actor.is_external, outsider.place.external) == (False, True, True)
    assert outsider.actor.account == f"slack:T0ELSE:{OUTSIDER}"


async def test_somebody_whom_slack_will_not_describe_has_the_rights_of_a_guest(bench: Bench) -> None:
    await bench.connect()
    bench.slack.faults.fail("users.info", "user_not_visible")
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> hi")
    await bench.settled()
    assert bench.inbox.only().actor.is_guest
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> hi again")
    await bench.settled()
    assert not bench.inbox.events[-1].actor.is_guest


@pytest.mark.parametrize(("fault", "times"), [("500", 2), ("429", 1)])
async def test_somebody_is_known_although_slack_does_not_describe_them_at_once(
    bench: Bench, fault: str, times: int
) -> None:
    await bench.connect()
    bench.slack.faults.fail("users.info", fault, times=times)
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> hi")
    await bench.settled()
    assert not bench.inbox.only().actor.is_guest


async def test_whoever_has_an_id_like_ours_is_not_us(bench: Bench) -> None:
    await bench.connect()
    bench.slack.world.add_user(f"{BOT}2", "Namesake")
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}2> hi")
    await bench.settled()
    assert bench.inbox.events == []


async def test_an_edit_of_a_mention_is_one_edit_although_slack_sends_a_mention_again(bench: Bench) -> None:
    await bench.connect()
    ts = await bench.slack.say(GENERAL, ANN, f"<@{BOT}> refund 40")
    await bench.slack.edit(GENERAL, ts, f"<@{BOT}> refund 45")
    await bench.settled()
    mention, edit = bench.inbox.events
    assert (mention.kind, edit.kind) == ("mention", "edit")
    assert edit.message == ts
    assert edit.text == "refund 45"
    assert edit.key.startswith(f"{mention.key}/edit/")


async def test_a_preview_is_not_an_edit(bench: Bench) -> None:
    await bench.connect()
    ts = await bench.slack.say(GENERAL, ANN, f"<@{BOT}> see https://a.example")
    message = bench.slack.world.channels[GENERAL].messages[ts]
    await bench.slack.event(
        {
            "type": "message",
            "subtype": "message_changed",
            "channel": GENERAL,
            "channel_type": "channel",
            "message": {**message, "attachments": [{"title": "A"}]},
            "previous_message": message,
            "event_ts": bench.slack.world.next_ts(),
        }
    )
    await bench.settled()
    assert [event.kind for event in bench.inbox.events] == ["mention"]


async def test_a_deleted_request_is_reported(bench: Bench) -> None:
    await bench.connect()
    ts = await bench.slack.say(GENERAL, ANN, f"<@{BOT}> refund 40")
    await bench.slack.delete(GENERAL, ts)
    await bench.settled()
    gone = bench.inbox.events[-1]
    assert (gone.kind, gone.message, gone.actor.user) == ("delete", ts, ANN)


async def test_files_come_along(bench: Bench) -> None:
    await bench.connect()
    file = {"id": "F1", "name": "a.csv", "mimetype": "text/csv", "size": 3, "url_private": "https://files.slack.com/a"}
    gone = {"id": "F2", "mode": "tombstone"}
    await bench.slack.say(GENERAL, ANN, f"<@{BOT}> read this", subtype="file_share", files=[file, gone])
    await bench.settled()
    (ref,) = bench.inbox.only().files
    assert (ref.id, ref.name, ref.media_type, ref.size) == ("F1", "a.csv", "text/csv", 3)


@pytest.mark.behaviour(32)
async def test_another_workspace_is_ignored_and_acknowledged(bench: Bench) -> None:
    await bench.connect()
    event = {"type": "app_mention", "user": ANN, "text": f"<@{BOT}> hi", "ts": "1.2", "channel": GENERAL}
    elsewhere = [{"enterprise_id": None, "team_id": "T0ELSE", "user_id": "U1", "is_bot": True}]
    sent = await bench.slack.event(event, team_id="T0ELSE", authorizations=elsewhere)
    await bench.settled()
    assert sent.acknowledged
    assert bench.inbox.events == []


@pytest.mark.parametrize("kind", ["emoji_changed", "channel_rename", "team_join", "subteam_updated", "tokens_revoked"])
async def test_events_that_nobody_handles_are_acknowledged(bench: Bench, kind: str) -> None:
    await bench.connect()
    sent = await bench.slack.event({"type": kind})
    await bench.settled()
    assert sent.acknowledged
    assert bench.inbox.events == []


async def test_the_native_stop_an_invitation_and_a_first_look(bench: Bench) -> None:
    await bench.connect()
    ts = await bench.slack.say(GENERAL, ANN, "work")
    await bench.slack.press_stop(GENERAL, ts, ANN)
    await bench.slack.event({"type": "member_joined_channel", "user": BOT, "channel": GENERAL, "inviter": ANN})
    await bench.slack.event({"type": "member_joined_channel", "user": BO, "channel": GENERAL, "inviter": ANN})
    dm = bench.slack.world.dm(ANN)
    await bench.slack.event({"type": "app_home_opened", "user": ANN, "channel": dm.id, "tab": "messages"})
    await bench.settled()
    stop, joined, opened = bench.inbox.events
    assert (stop.kind, stop.place.thread, stop.actor.user) == ("stop", ts, ANN)
    assert (joined.kind, joined.place.channel, joined.actor.user) == ("joined", GENERAL, ANN)
    assert (opened.kind, opened.place.kind) == ("opened", "dm")
