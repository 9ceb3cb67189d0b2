"""What Bosun shows on Discord appears once, in the right place, whatever the connection does, and pings nobody."""

import pytest

from bot.engine.adapter import Sign
from kernel.errors import OutcomeUnknown, PlatformError, TargetGone
from kernel.store import outbox
from kernel.types import Action, Card, Fact, Payload, Place, Progress, Step, Text
from tests.discord.conftest import ANN, BO, GENERAL, Bench, actor
from tests.fakes.discord import BOT, GUILD
from tests.fakes.discord.checks import buttons
from tests.fakes.discord.world import ATTACH, FORUM, PUBLIC_THREADS, SEND_IN_THREADS, V2


async def asked(bench: Bench, text: str = "how long do refunds take?") -> Place:
    """Somebody has mentioned Bosun; the thread in which it is to answer."""
    before = len(bench.inbox.events)
    root = await bench.discord.say(GENERAL, ANN, f"<@{BOT}> {text}")
    await bench.heard(before + 1)
    return bench.place(root)


async def test_an_answer_begins_a_thread_that_is_named_after_the_request(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench, f"tell **me**, <@{BO}>, how long do refunds take when the customer has paid by cheque?")
    await adapter.post(bench.row(Text(markdown="Two days."), place))
    (said,) = bench.discord.said(place.thread or "")
    assert said["content"] == "Two days."
    name = bench.discord.world.channels[place.thread or ""].name
    assert name == "tell me, how long do refunds take when the customer has pai…"
    assert bench.discord.said(GENERAL) == []


async def test_the_thread_is_named_also_by_a_process_that_did_not_hear_the_request(bench: Bench) -> None:
    root = bench.discord.write(GENERAL, ANN, f"<@{BOT}> how are you?")["id"]
    adapter = await bench.connect()
    adapter.threads._titles.clear()
    await adapter.post(bench.row(Text(markdown="Fine."), bench.place(root)))
    assert bench.discord.world.channels[root].name == "how are you?"


async def test_a_thread_that_exists_is_used(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    thread = bench.discord.begin_thread(GENERAL, ANN, "mine", place.thread)
    await adapter.post(bench.row(Text(markdown="Here."), place))
    assert bench.discord.said(thread)[0]["content"] == "Here."


@pytest.mark.behaviour(27)
@pytest.mark.parametrize("lacks", [PUBLIC_THREADS, SEND_IN_THREADS])
async def test_without_the_right_to_threads_the_answer_is_a_reply(bench: Bench, lacks: int) -> None:
    adapter = await bench.connect()
    bench.discord.world.channels[GENERAL].denied = lacks
    place = await asked(bench)
    await adapter.post(bench.row(Text(markdown="Here."), place))
    (said,) = bench.discord.said(GENERAL)
    assert said["message_reference"]["message_id"] == place.thread
    row = bench.row(Text(markdown="Changed."), place, remote_id=said["id"])
    await adapter.edit(row)
    assert bench.discord.said(GENERAL)[0]["content"] == "Changed."


@pytest.mark.parametrize("fault", ["500_after", "drop", "429", "500", "drop_before"])
async def test_a_post_whose_answer_was_lost_stands_once(bench: Bench, fault: str) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    row = bench.row(Text(markdown="Once."), place)
    bench.discord.faults.fail("post", fault)
    try:
        await adapter.post(row)
    except OutcomeUnknown:
        found = await adapter.find(row)
        assert (found is not None) == (fault == "drop")
        if found is None:
            await adapter.post(row)
    assert [said["content"] for said in bench.discord.said(place.thread or "")] == ["Once."]


async def test_a_second_try_within_minutes_is_recognised_and_shows_what_the_row_has_become(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    first = await adapter.post(bench.row(Text(markdown="Working on it."), place, id="same"))
    again = await adapter.post(bench.row(Text(markdown="Done."), place, id="same", attempts=2))
    assert first == again
    assert [said["content"] for said in bench.discord.said(place.thread or "")] == ["Done."]


async def test_a_row_is_found_also_when_its_words_have_changed(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    progress = Progress(title="Working", run="R-1ABC")
    shown = await adapter.post(bench.row(progress, place, id="mine"))
    assert await adapter.find(bench.row(Text(markdown="Done."), place, id="mine")) == shown
    assert await adapter.find(bench.row(progress, place, id="another")) is None


async def test_what_another_row_has_said_is_not_taken_for_this_one(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    shown = await adapter.post(bench.row(Text(markdown="Yes."), place))
    bench.side.posted[shown] = place.thread or ""
    assert await adapter.find(bench.row(Text(markdown="Yes."), place)) is None


async def test_a_card_is_made_of_components_and_nobody_is_pinged(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    action = Action(subject="AP-7F3K", revision=2, verb="approve", label="Approve", style="primary")
    card = Card(
        headline="Pay <@1300000000000000001> @everyone",
        state="Waiting - 0 of 1 approvals",
        facts=(Fact(label="To", value="ACME"),),
        payloads=(Payload(title="Call", content='{"amount": 420}'),),
        actions=(action, Action(subject="AP-7F3K", revision=2, verb="reject", label="Reject…", opens_form=True)),
        footer="AP-7F3K · revision 2",
    )
    await adapter.post(bench.row(card, place))
    (said,) = bench.discord.said(place.thread or "")
    assert said["flags"] & V2
    assert said["pings"] == []
    assert [button["label"] for button in buttons(said)] == ["Approve", "Reject…"]
    assert '{"amount": 420}' in said["visible"]
    decided = card.model_copy(update={"state": "Approved by Bo", "actions": ()})
    await adapter.edit(bench.row(decided, place, remote_id=said["id"]))
    (now,) = bench.discord.said(place.thread or "")
    assert "Approved by Bo" in now["visible"]
    assert buttons(now) == []


async def test_a_payload_that_does_not_fit_is_attached_once(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    content = "x" * 5_000
    card = Card(
        headline="Send it", state="Waiting", payloads=(Payload(title="Text", content=content, language="text"),)
    )
    row = bench.row(card, place)
    row.remote_id = await adapter.post(row)
    again = await bench.connect(owner="another")
    await again.edit(row)
    files = [file for said in bench.discord.said(place.thread or "") for file in said["attachments"]]
    assert len(files) == 1
    assert bench.discord.world.files[files[0]["id"]] == content.encode()


async def test_nothing_can_be_approved_before_all_of_it_can_be_read(bench: Bench) -> None:
    """Discord takes the card and not the file: the card stands there without the button, until the file is there."""
    adapter = await bench.connect()
    place = await asked(bench)
    card = Card(
        headline="Send it",
        state="Waiting",
        payloads=(Payload(title="Text", content="x" * 5_000, language="text"),),
        actions=(
            Action(subject="AP-7F3K", revision=1, verb="approve", label="Approve"),
            Action(subject="AP-7F3K", revision=1, verb="reject", label="Reject…"),
        ),
    )
    row = bench.row(card, place)

    def labels() -> list[str]:
        return [button["label"] for button in buttons(bench.discord.said(place.thread or "")[0])]

    bench.discord.world.channels[GENERAL].denied = ATTACH
    with pytest.raises(OutcomeUnknown):
        await adapter.post(row)
    assert labels() == ["Reject…"]
    row.remote_id = str(bench.discord.said(place.thread or "")[0]["id"])
    with pytest.raises(PlatformError):
        await adapter.edit(row)
    assert labels() == ["Reject…"]
    bench.discord.world.channels[GENERAL].denied = 0
    await adapter.edit(row)
    assert labels() == ["Approve", "Reject…"]
    await adapter.notice(bench.row(card, place, kind=outbox.NOTICE, recipient=actor(BO)))  # without files
    (alone,) = bench.discord.said(bench.discord.world.dm(BO).id)
    assert [button["label"] for button in buttons(alone)] == ["Reject…"]


@pytest.mark.behaviour(8)
async def test_a_long_answer_comes_in_parts_and_a_very_long_one_as_a_file(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    paragraphs = [f"Paragraph {number} " + "word " * 60 for number in range(12)]
    await adapter.post(bench.row(Text(markdown="\n\n".join(paragraphs)), place))
    parts = [said["content"] for said in bench.discord.said(place.thread or "")]
    assert 1 < len(parts) <= 3
    assert all(f"Paragraph {number} " in "\n".join(parts) for number in range(12))
    longer = "\n\n".join(paragraphs * 3)
    place = await asked(bench, "more")
    await adapter.post(bench.row(Text(markdown=longer), place))
    said = bench.discord.said(place.thread or "")
    (file,) = [file for one in said for file in one["attachments"]]
    assert bench.discord.world.files[file["id"]].decode() == longer
    assert file["filename"] in said[0]["content"]


async def test_a_file_has_its_alternative_text(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    extra = {"name": "sales.csv", "content": "a,b\n1,2\n", "alt": "Sales by month", "comment": "The numbers"}
    await adapter.upload(bench.row(None, place, kind=outbox.FILE, extra=extra))
    (said,) = bench.discord.said(place.thread or "")
    assert said["content"] == "The numbers"
    assert said["attachments"][0]["description"] == "Sales by month"


async def test_a_file_that_may_not_be_attached_says_so(bench: Bench) -> None:
    adapter = await bench.connect()
    bench.discord.world.channels[GENERAL].denied = ATTACH
    extra = {"name": "sales.csv", "content": "a,b\n"}
    with pytest.raises(TargetGone, match="Missing Permissions"):
        await adapter.upload(bench.row(None, await asked(bench), kind=outbox.FILE, extra=extra))


async def test_progress_names_the_state_of_each_step_and_can_be_stopped(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    steps = tuple(Step(id=str(n), title=f"Step {n}", status="done" if n < 13 else "running") for n in range(14))
    await adapter.post(bench.row(Progress(title="Looking", run="R-1ABC", steps=steps, partial="So far"), place))
    (said,) = bench.discord.said(place.thread or "")
    assert "2 earlier steps" in said["content"]
    assert "Step 13 — running" in said["content"]
    assert "So far" in said["content"]
    assert [button["label"] for button in buttons(said)] == ["Stop"]


async def test_a_notice_goes_into_a_direct_message_where_nothing_was_pressed(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    await adapter.notice(bench.row(Text(markdown="For you."), place, kind=outbox.NOTICE, recipient=actor(ANN)))
    assert [said["content"] for said in bench.discord.said(bench.discord.world.dm(ANN).id)] == ["For you."]
    assert bench.discord.said(place.thread or "") == []


async def test_a_long_notice_arrives_whole(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    paragraphs = [f"Paragraph {number} " + "word " * 60 for number in range(12)]
    text = Text(markdown="\n\n".join(paragraphs))
    await adapter.notice(bench.row(text, place, kind=outbox.NOTICE, recipient=actor(ANN)))
    parts = [said["content"] for said in bench.discord.said(bench.discord.world.dm(ANN).id)]
    assert len(parts) > 1
    assert all(f"Paragraph {number} " in "\n".join(parts) for number in range(12))


async def test_who_takes_no_direct_messages_is_told_so_once_where_they_asked(bench: Bench) -> None:
    adapter = await bench.connect()
    bench.discord.world.members[ANN].takes_dms = False
    place = await asked(bench)
    for _ in range(2):
        await adapter.notice(bench.row(Text(markdown="Secret."), place, kind=outbox.NOTICE, recipient=actor(ANN)))
    (said,) = bench.discord.said(place.thread or "")
    assert "direct messages are closed" in said["content"]
    assert "Secret" not in said["content"]
    assert said["pings"] == [ANN]


async def test_signs_are_a_reaction_and_typing(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    await adapter.react(Sign(where=place, extra={"name": "eyes", "target": place.thread}))
    await adapter.status(Sign(where=place, extra={"state": "processing"}))
    await bench.discord.until(lambda: bench.discord.counts["typing"])
    assert bench.discord.world.channels[GENERAL].messages[place.thread or ""]["signs"] == ["👀"]
    assert bench.discord.world.channels[place.thread or ""].typing


async def test_the_first_message_of_a_post_in_a_forum_gets_its_sign_and_the_answer_in_the_post(bench: Bench) -> None:
    forum = bench.discord.world.add_channel("1200000000000000077", "ideas", kind=FORUM).id
    adapter = await bench.connect()
    post = bench.discord.begin_post(forum, ANN, "A new coffee machine", f"<@{BOT}> what would it cost?")
    await bench.heard(1)
    question = bench.inbox.only()
    assert (question.place.channel, question.place.thread, question.message) == (forum, post, post)
    await adapter.react(Sign(where=question.place, extra={"name": "eyes", "target": post}))
    await adapter.post(bench.row(Text(markdown="400 CHF."), question.place))
    first, answer = bench.discord.world.channels[post].messages.values()
    assert (first["signs"], answer["content"]) == (["👀"], "400 CHF.")


async def test_a_message_that_is_gone_says_so(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    row = bench.row(Text(markdown="Here."), place)
    row.remote_id = await adapter.post(row)
    del bench.discord.world.channels[place.thread or ""].messages[row.remote_id]
    with pytest.raises(TargetGone):
        await adapter.edit(row)


async def test_the_history_of_a_thread_begins_with_its_root(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench, "what is this?")
    thread = bench.discord.begin_thread(GENERAL, ANN, "x", place.thread)
    await bench.discord.say(thread, BO, "since monday")
    await adapter.post(bench.row(Text(markdown="A boiler."), place))
    heard = await adapter.thread(place)
    assert [(one.text, one.mine) for one in heard] == [
        ("what is this?", False),
        ("since monday", False),
        ("A boiler.", True),
    ]


async def test_links_lead_to_messages(bench: Bench) -> None:
    adapter = await bench.connect()
    assert adapter.permalink(bench.place(), "5") == f"https://discord.com/channels/{GUILD}/{GENERAL}/5"
    assert adapter.permalink(bench.place("7"), "8") == f"https://discord.com/channels/{GUILD}/7/8"
    dm = Place(platform="discord", tenant=GUILD, channel="9", kind="dm")
    assert adapter.permalink(dm, "8") == "https://discord.com/channels/@me/9/8"


async def test_an_unreachable_service_is_worth_another_try(bench: Bench) -> None:
    adapter = await bench.connect()
    place = await asked(bench)
    bench.discord.faults.fail("post", "drop_before")
    with pytest.raises(PlatformError):
        await adapter.post(bench.row(Text(markdown="x"), place))
