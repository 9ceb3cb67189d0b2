"""What the outbox says is shown once, and what failed says how."""

from __future__ import annotations

import pytest

from bot.engine.adapter import Sign
from kernel.errors import OutcomeUnknown, PlatformError, RateLimited, TargetGone, ToolError
from kernel.types import Action, Card, FileRef, Payload, Place, Progress, Source, Step, Text
from tests.fakes.slack import TEAM
from tests.slack.conftest import ANN, BO, GENERAL, GUEST, OUTSIDER, Bench, actor

HERE = Place(platform="slack", tenant=TEAM, channel=GENERAL)


async def thread(bench: Bench) -> Place:
    """A thread that somebody started."""
    return HERE.in_thread(bench.slack.write(GENERAL, ANN, "a question")["ts"])


async def test_an_answer_stands_in_the_thread_with_its_sources(bench: Bench) -> None:
    slack = await bench.connect(console_url="https://bosun.example")
    place = await thread(bench)
    sources = (
        Source(number=1, title="Refunds | 2026", url="/sources/7", quote="14 days"),
        Source(number=2, title="A page", url="https://a.example/x?y=1&z=2"),
        Source(number=3, title="A trap", url="javascript:alert(1)"),
    )
    body = Text(markdown="**14 days** [1]", agent="Support", sources=sources, footer="AI-generated")
    row = bench.row(body, place)
    ts = await slack.post(row)
    (said,) = bench.slack.replies(GENERAL, place.thread or "")
    assert said["ts"] == ts
    assert said["text"] == "Support: 14 days [1]"
    assert said["metadata"] == {"event_type": "bosun_out", "event_payload": {"id": row.id}}
    assert said["visible"].split("\n") == [
        "*Support*",
        "**14 days** [1]",
        "1. <https://bosun.example/sources/7|Refunds / 2026> — 14 days",
        "2. <https://a.example/x?y=1&amp;z=2|A page>",
        "3. A trap",
        "AI-generated",
    ]
    call = bench.slack.calls[-1]
    assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == (False, False)
    assert [m["ts"] for m in bench.slack.channel_view(GENERAL)] == [place.thread]


async def test_progress_becomes_the_answer_in_place(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    steps = tuple(Step(id=str(n), title=f"Step {n}", status="done") for n in range(14))
    steps += (Step(id="w", title="Refund 40", status="waiting", detail="AP-7F3K"),)
    row = bench.row(Progress(title="Looking into it", run="R-7F3K", steps=steps, partial="So far"), place)
    row.remote_id = await slack.post(row)
    (shown,) = bench.slack.replies(GENERAL, place.thread or "")
    lines = shown["visible"].split("\n")
    assert lines[:3] == ["*Looking into it*", "• 3 earlier steps", "• Step 3 — done"]
    assert lines[-2:] == ["• Refund 40 — waiting for you: AP-7F3K", "So far"]
    assert shown["blocks"][-1]["elements"][0]["value"] == "R-7F3K:0"
    row.body = Text(markdown="Done.").model_dump(mode="json")
    await slack.edit(row)
    (shown,) = bench.slack.replies(GENERAL, place.thread or "")
    assert shown["visible"] == "Done."


async def test_a_post_whose_answer_was_lost_is_found_and_not_posted_again(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    row = bench.row(Text(markdown="Once."), place)
    assert await slack.find(row) is None
    for kind in ("drop", "500_after"):
        row.id = f"row-{kind}"
        bench.slack.faults.fail("chat.postMessage", kind)
        with pytest.raises(OutcomeUnknown):
            await slack.post(row)
        found = await slack.find(row)
        assert found is not None
    assert [said["visible"] for said in bench.slack.replies(GENERAL, place.thread or "")] == ["Once.", "Once."]
    assert bench.slack.counts["chat.postMessage"] == 2


async def test_a_lost_post_is_found_at_the_top_level_too(bench: Bench) -> None:
    slack = await bench.connect()
    row = bench.row(Text(markdown="Good morning."))
    bench.slack.faults.fail("chat.postMessage", "drop")
    with pytest.raises(OutcomeUnknown):
        await slack.post(row)
    assert await slack.find(row) == bench.slack.channel_view(GENERAL)[-1]["ts"]


async def test_a_post_that_never_left_is_certainly_not_there(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    row = bench.row(Text(markdown="Once."), place)
    bench.slack.faults.fail("chat.postMessage", "drop_before")
    with pytest.raises(OutcomeUnknown):
        await slack.post(row)
    assert await slack.find(row) is None


async def test_failures_say_what_they_mean(bench: Bench) -> None:
    slack = await bench.connect()
    row = bench.row(Text(markdown="x"))
    bench.slack.faults.retry_after = 17
    bench.slack.faults.fail("chat.postMessage", "429")
    with pytest.raises(RateLimited) as limited:
        await slack.post(row)
    assert limited.value.retry_after == 17
    for reason in ("channel_not_found", "is_archived", "not_in_channel"):
        bench.slack.faults.fail("chat.postMessage", reason)
        with pytest.raises(TargetGone):
            await slack.post(row)
    bench.slack.faults.fail("chat.postMessage", "restricted_action")
    with pytest.raises(PlatformError, match="restricted_action"):
        await slack.post(row)
    row.remote_id = "1.000000"
    with pytest.raises(TargetGone):
        await slack.edit(row)
    bench.slack.world.channels[GENERAL].archived = True
    with pytest.raises(TargetGone):
        await slack.post(row)
    bench.slack.world.scopes.discard("chat:write")
    with pytest.raises(PlatformError, match="needs the scope chat:write"):
        await slack.post(row)


async def test_blocks_that_a_workspace_does_not_know_are_replaced(bench: Bench) -> None:
    slack = await bench.connect()
    payload = Payload(title="call", content='{"to": "<!here> ```"}')
    card = Card(headline="Send", state="Waiting.", text="**Why** <!channel>", payloads=(payload,))
    bench.slack.faults.fail("chat.postMessage", "invalid_blocks")
    await slack.post(bench.row(card))
    shown = bench.slack.channel_view(GENERAL)[-1]
    assert {block["type"] for block in shown["blocks"]} == {"header", "section"}
    assert shown["visible"].endswith('```{"to": "&lt;!here&gt; ``\u2060`"}```')


@pytest.mark.behaviour(34)
async def test_a_workspace_without_thumbs_gets_the_same_answers_without_them(bench: Bench) -> None:
    slack = await bench.connect()
    answer = Text(markdown="# Fine\n\n| a | b |\n|---|---|\n| 1 | 2 |", feedback="R-7F3K")
    await slack.post(bench.row(answer, id="before"))
    bench.slack.faults.fail("chat.postMessage", "invalid_blocks")
    await slack.post(bench.row(answer, id="refused"))
    calls = bench.slack.counts["chat.postMessage"]
    await slack.post(bench.row(answer, id="after"))
    assert bench.slack.counts["chat.postMessage"] == calls + 1  # it is not tried again
    whole = ["markdown", "data_table", "context_actions"]
    kinds = [[block["type"] for block in shown["blocks"]] for shown in bench.slack.channel_view(GENERAL)]
    assert kinds == [whole, whole[:2], whole[:2]]


async def test_an_edit_that_was_lost_may_simply_be_made_again(bench: Bench) -> None:
    slack = await bench.connect()
    row = bench.row(Text(markdown="a"))
    row.remote_id = await slack.post(row)
    bench.slack.faults.fail("chat.update", "drop")
    with pytest.raises(PlatformError) as error:
        await slack.edit(row)
    assert not isinstance(error.value, OutcomeUnknown)
    await slack.edit(row)


@pytest.mark.behaviour(8)
async def test_a_text_that_is_too_long_ends_in_a_file_with_all_of_it(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    long = "\n\n".join(f"Paragraph {n}: " + "word " * 60 for n in range(100))
    row = bench.row(Text(markdown=long), place)
    row.remote_id = await slack.post(row)
    message, shared = bench.slack.replies(GENERAL, place.thread or "")
    assert len(message["visible"]) <= 11_500
    (file,) = shared["files"]
    assert file["name"] in message["visible"]
    assert bench.slack.world.files[file["id"]]["content"].decode() == long
    await slack.edit(row)
    assert bench.slack.counts["files.completeUploadExternal"] == 1


async def test_a_file_that_was_not_attached_is_attached_after_the_message_was_found(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    row = bench.row(Text(markdown="word " * 4000), place)
    bench.slack.faults.fail("files.completeUploadExternal", "429")
    with pytest.raises(OutcomeUnknown):
        await slack.post(row)
    row.remote_id = await slack.find(row)
    assert row.remote_id is not None
    await slack.edit(row)
    assert len(bench.slack.replies(GENERAL, place.thread or "")) == 2
    another = await bench.connect()
    await another.edit(row)
    assert len(bench.slack.replies(GENERAL, place.thread or "")) == 2


async def test_a_card_shows_the_literal_payload_and_attaches_what_does_not_fit(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    short, long = '{"note": "<!channel> ```"}', "x" * 4000
    card = Card(
        headline="Refund EUR 420 to ACME",
        state="Waiting - 0 of 2 approvals.",
        text="The customer asked twice.",
        warning="The target stands only in outside text.",
        expires_at=bench.clock.now(),
        payloads=(
            Payload(title="refund", content=short, digest="d" * 64),
            Payload(title="letter", content=long, language="text", digest="e" * 64),
        ),
        actions=(Action(subject="AP-7F3K", revision=3, verb="approve", label="Approve", style="primary"),),
        footer="AP-7F3K - r3 - 02 Mar 2026 09:00 UTC",
    )
    await slack.post(bench.row(card, place))
    shown, shared = bench.slack.replies(GENERAL, place.thread or "")
    assert shown["text"] == "Refund EUR 420 to ACME"
    kinds = [block["type"] for block in shown["blocks"]]
    assert kinds[:4] == ["header", "section", "section", "markdown"]
    assert kinds[-2:] == ["actions", "context"]
    assert shown["blocks"][5]["elements"][0]["elements"][0]["text"] == short
    assert "<!date^" in shown["blocks"][1]["text"]["text"]
    seen = "<!date^1772442000^{date_short_pretty} {time}|02 Mar 2026 09:00 UTC>"  # in the zone of who reads it
    assert shown["blocks"][-1]["elements"][0]["text"] == f"AP-7F3K - r3 - {seen}"
    button = shown["blocks"][-2]["elements"][0]
    assert (button["action_id"], button["value"], button["style"]) == ("b0:approve", "AP-7F3K:3", "primary")
    assert shared["files"][0]["name"] == f"payload-{'e' * 12}.txt"
    assert bench.slack.world.files[shared["files"][0]["id"]]["content"].decode() == long


async def test_nothing_can_be_approved_before_all_of_it_can_be_read(bench: Bench) -> None:
    """Slack takes the card and not the file: the card stands there without the button, until the file is there."""
    slack = await bench.connect()
    place = await thread(bench)
    card = Card(
        headline="Send it",
        state="Waiting",
        payloads=(Payload(title="letter", content="x" * 4000, language="text", digest="e" * 64),),
        actions=(
            Action(subject="AP-7F3K", revision=1, verb="approve", label="Approve"),
            Action(subject="AP-7F3K", revision=1, verb="reject", label="Reject…"),
        ),
    )
    row = bench.row(card, place)

    def buttons() -> list[str]:
        shown = bench.slack.replies(GENERAL, place.thread or "")[0]
        found = next(block for block in shown["blocks"] if block["type"] == "actions")
        return [element["text"]["text"] for element in found["elements"]]

    bench.slack.faults.fail("files.getUploadURLExternal", "restricted_action", times=2)
    with pytest.raises(OutcomeUnknown):
        await slack.post(row)
    assert buttons() == ["Reject…"]
    row.remote_id = str(bench.slack.replies(GENERAL, place.thread or "")[0]["ts"])
    with pytest.raises(PlatformError):
        await slack.edit(row)
    assert buttons() == ["Reject…"]
    await slack.edit(row)
    assert buttons() == ["Approve", "Reject…"]
    await slack.notice(bench.row(card, place, recipient=actor(BO)))  # files cannot be shown to one person alone
    (alone,) = bench.slack.ephemerals_for(BO)
    assert "Not all of it fits here" in alone["visible"]
    assert "Approve" not in str(alone["blocks"])
    assert len(bench.slack.replies(GENERAL, place.thread or "")) == 2


async def test_a_notice_is_seen_by_one_person_only(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    await slack.notice(bench.row(Text(markdown="You may not do this."), place, recipient=actor(BO)))
    (seen,) = bench.slack.ephemerals_for(BO)
    assert (seen["visible"], seen["channel"], seen["thread_ts"]) == ("You may not do this.", GENERAL, place.thread)
    assert bench.slack.replies(GENERAL, place.thread or "") == []


async def test_a_notice_reaches_somebody_where_we_are_not_a_member(bench: Bench) -> None:
    slack = await bench.connect()
    bench.slack.world.add_channel("C0OTHER", "other", ANN).members.discard("U0BOSUN")
    other = Place(platform="slack", tenant=TEAM, channel="C0OTHER")
    await bench.slack.slash("C0OTHER", ANN, "status")
    await bench.settled()
    await slack.notice(bench.row(Text(markdown="Nothing runs."), other, recipient=actor(ANN)))
    assert [seen["visible"] for seen in bench.slack.ephemerals_for(ANN)] == ["Nothing runs."]
    await slack.notice(bench.row(Text(markdown="Nothing runs."), other, recipient=actor(BO)))
    assert bench.slack.channel_view(f"D{BO}")[-1]["visible"] == "Nothing runs."


async def test_a_reaction_is_put_on_and_taken_off_however_often(bench: Bench) -> None:
    slack = await bench.connect()
    ts = bench.slack.write(GENERAL, ANN, "hi")["ts"]
    on = Sign(where=HERE, extra={"name": "eyes", "target": ts})
    await slack.react(on)
    await slack.react(on)
    assert bench.slack.reactions(GENERAL, ts) == ["eyes"]
    off = Sign(where=HERE, extra={**on.extra, "remove": True})
    await slack.react(off)
    await slack.react(off)
    assert bench.slack.reactions(GENERAL, ts) == []


async def test_the_working_state_is_shown_and_missing_features_are_asked_for_once(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    for state in ("processing", "suspended", "active"):
        await slack.status(Sign(where=place, extra={"state": state}))
    assert bench.slack.statuses(GENERAL, place.thread or "") == ["processing", "suspended", "active"]
    bench.slack.world.agent_features = False
    for _ in range(3):
        await slack.status(Sign(where=place, extra={"state": "processing"}))
    assert bench.slack.counts["agents.sessions.setStatus"] == 4
    assert bench.slack.counts["assistant.threads.setStatus"] == 1


async def test_a_file_is_uploaded_and_found_again(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    extra = {"name": "chart.csv", "content": "a,b\n1,2\n", "alt": "two columns", "comment": "The <!here> chart"}
    row = bench.row(None, place, kind="file", extra=extra)
    file = await slack.upload(row)
    assert bench.slack.world.files[file]["content"] == b"a,b\n1,2\n"
    assert await slack.find(row) == file
    (shared,) = bench.slack.replies(GENERAL, place.thread or "")
    assert shared["text"] == "The &lt;!here&gt; chart"


async def test_a_file_is_downloaded_with_care(bench: Bench) -> None:
    slack = await bench.connect()
    files = bench.slack.world.files
    files["F1"] = {"id": "F1", "name": "a.csv", "content": b"a,b", "mimetype": "text/csv"}
    files["F1"]["url_private"] = f"{bench.slack.url}/files/F1/a.csv"
    ref = FileRef(id="F1", name="a.csv", media_type="text/csv", size=3, url=files["F1"]["url_private"])
    assert await slack.download(ref, 100) == b"a,b"
    assert await slack.download(ref.model_copy(update={"url": ""}), 100) == b"a,b"
    with pytest.raises(ToolError, match="at most 2"):
        await slack.download(ref, 2)
    with pytest.raises(ToolError, match="larger than the 2"):
        await slack.download(ref.model_copy(update={"size": 0}), 2)
    with pytest.raises(ToolError, match="does not lie at Slack"):
        await slack.download(ref.model_copy(update={"url": "https://evil.example/a.csv"}), 100)
    bench.slack.world.scopes.discard("files:read")
    with pytest.raises(ToolError, match="login page"):
        await slack.download(ref, 100)


async def test_a_thread_is_read_with_its_root_and_its_end(bench: Bench) -> None:
    slack = await bench.connect()
    place = await thread(bench)
    await slack.post(bench.row(Text(markdown="**Answer** one", agent="Support"), place))
    for number in range(6):
        bench.slack.write(GENERAL, BO, f"reply {number}", place.thread)
    heard = await slack.thread(place, 4)
    assert [said.text for said in heard] == ["a question", "reply 3", "reply 4", "reply 5"]
    whole = await slack.thread(place)
    assert (whole[1].mine, whole[1].text) == (True, "**Answer** one")
    assert whole[2].actor.name == "Bo"
    assert len(await slack.thread(HERE)) == 1


async def test_group_members_are_accounts_and_a_change_is_seen_at_once(bench: Bench) -> None:
    slack = await bench.connect()
    bench.slack.world.groups["S1"] = [ANN, BO]
    assert await slack.group_members("S1") == {f"slack:{TEAM}:{ANN}", f"slack:{TEAM}:{BO}"}
    bench.slack.world.groups["S1"] = [ANN]
    assert len(await slack.group_members("S1")) == 2
    await bench.slack.event({"type": "subteam_members_changed", "subteam_id": "S1"})
    await bench.settled()
    assert len(await slack.group_members("S1")) == 1
    with pytest.raises(PlatformError):
        await slack.group_members("S2")


async def test_who_reads_a_channel_is_who_is_in_it(bench: Bench) -> None:
    slack = await bench.connect()
    general = Place(platform="slack", tenant=TEAM, channel=GENERAL)
    assert await slack.may_read(general, ANN)
    assert not await slack.may_read(general, OUTSIDER)
    with pytest.raises(PlatformError):
        await slack.may_read(Place(platform="slack", tenant=TEAM, channel="C0NOWHERE"), ANN)


async def test_links_and_direct_messages(bench: Bench) -> None:
    slack = await bench.connect()
    who = await bench.connect()
    place = await slack.direct(await who.people.actor(GUEST))
    assert (place.channel, place.kind) == (f"D{GUEST}", "dm")
    assert slack.permalink(HERE, "1700000000.000100") == "https://work.slack.com/archives/C0GENERAL/p1700000000000100"
    in_thread = slack.permalink(HERE.in_thread("1.2"), "1.3")
    assert in_thread == "https://work.slack.com/archives/C0GENERAL/p13?thread_ts=1.2&cid=C0GENERAL"
    row = bench.row(Text(markdown="For you"), HERE.model_copy(update={"channel": ""}), recipient=actor(ANN))
    await slack.post(row)
    assert bench.slack.channel_view(f"D{ANN}")[0]["visible"] == "For you"
    with pytest.raises(TargetGone):
        await slack.direct(await who.people.actor("U0NOBODY"))
    assert OUTSIDER in bench.slack.world.users
