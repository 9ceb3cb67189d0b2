"""A digest as people use it: its buttons act, other channels are told about with links, and it keeps quiet at night."""

import base64
from decimal import Decimal

import pytest

from bot.engine.charter_files import Channel
from bot.engine.workflow_channels import WorkflowChannels
from kernel.canonical import canonical
from kernel.clock import FixedClock
from kernel.errors import BosunError, NotAllowed, NotFound
from kernel.store import Session, Store, approvals, meters, outbox, runs
from kernel.types import Place, Press, Text
from tests.rules.people import account
from tests.rules.world import RULES
from tests.workflows.world import World, at, workflow
from workflows.engine.buttons import Buttons
from workflows.engine.control import Control

DIGEST = """
name: digest
description: Says what happened
channel: "#general"
owner: finance
trigger: {cron: "0 9 * * *"}
steps:
  - {id: said, messages: {since: yesterday}}
  - digest:
      channels: [{messages: said}]
      quiet: "20:00-10:00"
"""
FOLLOW_UP = """
name: follow-up
description: Asks again
channel: "#general"
trigger: {button: {digest: digest, label: Ask again, by: finance}}
steps:
  - post: {text: "{trigger.by} wants to know more about {trigger.text}"}
"""
FAILING = """
name: failing
description: Fails
channel: "#general"
trigger: {cron: "0 6 * * *"}
steps:
  - wait: {until: "{inputs.never}"}
inputs: {never: {default: never}}
"""
SECRET = FAILING.replace("name: failing", "name: secret").replace("#general", "#finance")
MONDAY = "2026-03-02 12:00"


class Office:
    """A world with a digest and people who press its buttons."""

    def __init__(self, store: Store) -> None:
        flows = [workflow(text) for text in (DIGEST, FOLLOW_UP, FAILING, SECRET)]
        self.world = World(store, FixedClock(at(MONDAY)), *flows)
        control = Control(
            self.world.launch, self.world.rights.team, _NoFiles(), lambda person, _run: person.id != "ida"
        )
        self.buttons = Buttons(control)

    async def digest(self) -> tuple[Text, runs.Run]:
        """The digest of a day on which something happened."""
        await self.world.happened("What is our refund policy?")
        self.world.clock.advance(minutes=1)
        run = await self.world.run_now("digest")
        row = next(row for row in await self.world.shown() if row.subject == f"W-{run.ref}")
        assert isinstance(row.content, Text)
        return row.content, run

    async def press(self, by: str, label: str, body: Text) -> str:
        action = next(action for action in body.actions if action.label == label)
        press = Press(subject=action.subject, revision=action.revision, verb=action.verb)
        said = await self.buttons.answer(press, self.world.rights.team.people[by], account(by))
        await self.world.work()
        return said


class _NoFiles:
    async def remove(self, name: str) -> str:
        raise AssertionError(name)


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


async def test_it_holds_what_waits_what_failed_what_comes_and_how_much_it_was(office: Office) -> None:
    world = office.world
    asked = await world.happened("Pay ACME", state=runs.WAITING)
    await world.asked_for(asked, "Queue EUR 420 for ACME", approvals.PENDING)
    await world.run_now("failing")
    await world.run_now("secret")  # in #finance, which not everybody here may read
    body, run = await office.digest()
    assert body.markdown.startswith("### Digest of #general, Monday 2 March\n\n**Needs you** (1)\n\n- Queue EUR 420")
    assert f"([{asked.ref}](/c/general/t/" not in body.markdown  # it is told of by its approval
    assert "The workflow failing failed: wait: 'never' is no date" in body.markdown
    assert "**Coming up**\n\n- failing, Tue 03 Mar 2026 06:00\n- digest, Tue 03 Mar 2026 09:00" in body.markdown
    assert "secret" not in body.markdown
    assert "**In numbers**: 1 done, 1 not finished, 0 decided" in body.markdown
    assert body.footer == run.ref
    approve, dashboard, *others = body.actions
    assert (approve.verb, approve.label[:11]) == ("approve", "Approve AP-")
    assert approve.confirm is not None
    assert approve.confirm.text == "Queue EUR 420 for ACME"
    assert (dashboard.style, dashboard.url) == ("link", "/home")
    assert [action.label for action in others] == ["Ask again", "Run again", "Snooze 1 day"]


async def test_its_numbers_are_a_picture_too_with_words_for_who_cannot_see_it(office: Office) -> None:
    _, run = await office.digest()
    message, picture = [row for row in await office.world.shown() if row.run_id == run.id]
    extra = picture.extra
    assert (picture.kind, extra["below"]) == (outbox.FILE, message.id)
    assert extra["alt"] == "Requests, bars by day. 2 March: 1. None of them did not finish."
    assert outbox.file_content(extra).startswith(b"\x89PNG\r\n")
    assert len(base64.b64decode(extra["content"])) > 2000


async def test_run_again_a_moment_later_it_is_the_same_message(office: Office) -> None:
    body, _ = await office.digest()
    office.world.clock.advance(minutes=5)
    assert "Started digest" in await office.press("ann", "Run again", body)
    messages = [row for row in await office.world.shown() if row.kind == outbox.MESSAGE]
    pictures = [row for row in await office.world.shown() if row.kind == outbox.FILE]
    assert (len(messages), messages[0].version, len(pictures)) == (1, 2, 1)
    again = messages[0].content
    assert isinstance(again, Text)
    await office.press("bo", "Snooze 1 day", again)
    [held] = [row.content for row in await office.world.shown() if row.kind == outbox.MESSAGE]
    assert isinstance(held, Text)
    assert held.footer.endswith("held for a day by Bo")


async def test_it_is_held_for_a_day_by_who_decides_about_it(office: Office) -> None:
    world = office.world
    await world.scheduler.ring()
    body, _ = await office.digest()
    with pytest.raises(NotAllowed, match="somebody of finance"):
        await office.press("ann", "Snooze 1 day", body)
    assert "until Tue 03 Mar 2026 13:01" in await office.press("bo", "Snooze 1 day", body)
    row = next(row for row in await world.shown() if row.subject)
    assert isinstance(row.content, Text)
    assert row.content.footer.endswith("held for a day by Bo")
    assert "Snooze 1 day" not in [action.label for action in row.content.actions]
    world.clock.advance(days=1)
    assert [run.workflow for run in await world.scheduler.ring()] == ["failing", "secret"]
    world.clock.advance(days=1)
    assert "digest" in [run.workflow for run in await world.scheduler.ring()]


async def test_a_workflow_that_waits_for_its_button_begins_once_for_each_digest(office: Office) -> None:
    body, run = await office.digest()
    for person, problem in (("ann", "Only somebody of finance"), ("ida", "is gone"), ("zoe", "Only somebody")):
        with pytest.raises(BosunError, match=problem):
            await office.press(person, "Ask again", body)
    assert "Started follow-up" in await office.press("bo", "Ask again", body)
    assert "already" in await office.press("cy", "Ask again", body)
    assert (await office.world.posts())[-1] == f"Bo wants to know more about {run.ref}"
    del office.world.workflows["follow-up"]
    with pytest.raises(NotFound, match="no button of this digest any more"):
        await office.press("bo", "Ask again", body)


@pytest.mark.parametrize(
    ("now", "posted"), [("2026-03-02 08:59", "2026-03-02 09:00"), ("2026-03-02 19:30", "2026-03-03 09:00")]
)
async def test_what_is_due_in_quiet_hours_waits_until_they_are_over(store: Store, now: str, posted: str) -> None:
    often = workflow(DIGEST.replace("0 9 * * *", "*/30 * * * *"))
    world = World(store, FixedClock(at("2026-03-01 12:00")), often)
    await world.scheduler.ring()
    world.clock.time = at(now)
    await world.happened("Something")
    await world.scheduler.ring()
    await world.work()
    assert await world.posts() == []
    world.clock.time = at(posted)
    await world.wake()
    assert len(await world.posts()) == 1


async def test_what_people_said_in_a_channel_is_told_with_links(office: Office) -> None:
    world, chat = office.world, office.world.channels
    chat.say("#general", "Ann", "Too long ago", at("2026-02-28 22:59"))
    chat.say("#general", "Ann", "The *shop* is slow", at("2026-02-28 23:00"))  # midnight in Zurich
    chat.say("#general", "Bo", "I look at it", at("2026-03-01 09:00"), outside=True)
    chat.say("#general", "Cy", "Today", at("2026-03-02 09:00"))
    run = await world.run_now("digest")
    [text] = await world.posts()
    assert "**#general**: 2 messages by 2 people\n\n- Ann: The \\*shop\\* is slow ([open](/c/general#m2))\n" in text
    assert "- Bo: I look at it ([open](/c/general#m3))" in text
    entries = await world.store.read(lambda session: runs.transcript(session, run.id))
    pieces = next(entry.content["output"]["pieces"] for entry in entries if entry.content.get("step") == "said")
    assert pieces[0] == {
        "text": "[1] Ann, Sun 00:00: The *shop* is slow",
        "origin": "member_text",
        "source": "/c/general#m2",
    }
    assert "origin" not in pieces[1]  # what an outsider wrote counts as text from outside


SUMMED_UP = """
name: sales
description: What happened
channel: "#general"
steps:
  - {id: said, messages: {since: 24h}}
  - {id: sum, ask: {agent: lead, reads: [said], prompt: Sum up and cite}}
  - digest: {channels: [{messages: said, summary: sum}], sections: [channels]}
"""


async def test_a_summary_opens_the_messages_that_it_cites(store: Store) -> None:
    world = World(store, FixedClock(at(MONDAY)), workflow(SUMMED_UP))
    world.channels.say("#general", "Ann", "The shop is slow", at("2026-03-02 09:00"))
    run = await world.run_now("sales")
    [child] = await world.children(run.id)
    await world.end(child, runs.DONE, answer="It was slow [1], see [7].")
    await world.work()
    [text] = await world.posts()
    assert "It was slow [[1]](/c/general#m1), see [7]." in text


async def test_a_channel_that_not_every_reader_may_read_is_not_told_about(store: Store) -> None:
    world = World(store, FixedClock(), workflow(SUMMED_UP.replace("since: 24h", 'channel: "#finance"')))
    run = await world.run_now("sales")
    assert run.state == runs.FAILED
    assert "not everybody who reads #general may read #finance" in (run.error or "")
    allowed = SUMMED_UP.replace('channel: "#general"', 'channel: "#finance"').replace(
        "since: 24h", 'channel: "#general"'
    )
    world.workflows = {"sales": workflow(allowed)}
    assert (await world.run_now("sales")).state == runs.WAITING


async def test_nothing_said_can_end_a_workflow(store: Store) -> None:
    quiet = SUMMED_UP.replace("since: 24h", "since: today, if_empty: end")
    run = await World(store, FixedClock(at(MONDAY)), workflow(quiet)).run_now("sales")
    assert run.state == runs.DONE
    assert run.answer == "Nobody said anything in #general between Mon 02 Mar 00:00 and Mon 02 Mar 13:00."


async def test_its_times_are_those_of_its_own_zone(store: Store) -> None:
    tokyo = DIGEST.replace('"0 9 * * *"', '"0 9 * * *", zone: Asia/Tokyo')
    world = World(store, FixedClock(at("2026-03-02 16:00")), workflow(tokyo))
    asked = await world.happened("Pay ACME", state=runs.WAITING)
    await world.asked_for(asked, "Queue EUR 420 for ACME", approvals.PENDING)
    world.clock.advance(minutes=1)
    await world.run_now("digest")
    [text] = await world.posts()
    assert text.startswith("### Digest of #general, Tuesday 3 March")
    assert "expires Tue 03 Mar 05:00" in text
    assert "digest, Tue 03 Mar 2026 09:00" in text


async def test_budgets_that_are_nearly_used_up_are_told_to_who_may_know_of_them(office: Office) -> None:
    office.world.rights.rules(
        RULES.replace("decision: allow", "budget: {amount: 1000, per: day}\n    decision: allow", 1)
    )
    key, account = "pay-small:budget:0", canonical({"same": {}}).decode()

    def use(session: Session) -> None:
        assert meters.reserve(session, "call", key, account, "2026-03-02", Decimal(790), Decimal(1000))

    await office.world.store.write(use)
    body, _ = await office.digest()
    assert "Budgets" not in body.markdown
    await office.world.store.write(
        lambda session: meters.reserve(session, "c2", key, account, "2026-03-02", Decimal(60), Decimal(1000))
    )
    office.world.clock.advance(minutes=30)
    body, _ = await office.digest()
    assert (
        "**Budgets nearly used up** (1)\n\n- pay-small: the budget of 1000 per day: 850 of 1000 used" in body.markdown
    )


def test_which_channel_may_be_told_about_where() -> None:
    """By the charter: everybody who reads the one may read the other."""
    channels = {
        "#all": Channel(),
        "#money": Channel(readers=("finance", "admin")),
        "#bank": Channel(readers=("finance",)),
        "#outside": Channel(external=True),
    }

    class Charter:
        def __init__(self) -> None:
            self.channels = channels

    class Directory:
        def charter(self) -> Charter:
            return Charter()

        def channel(self, name: str, platform: str, tenant: str) -> Place | None:
            found = channels.get(name)
            return Place(platform=platform, tenant=tenant, channel=name[1:], external=found.external) if found else None

        def channel_name(self, place: Place) -> str:
            return f"#{place.channel}"

    told = WorkflowChannels({}, Directory(), "http://here")  # type: ignore[arg-type]  # all that is asked of it
    places = {
        name: Place(platform="web", tenant="local", channel=name[1:], external=channel.external)
        for name, channel in channels.items()
    }
    allowed = {
        target: {source for source in channels if source != target and told.source(source, place)}
        for target, place in places.items()
    }
    assert allowed == {
        "#all": {"#outside"},
        "#money": {"#all", "#outside"},
        "#bank": {"#all", "#money", "#outside"},
        "#outside": set(),
    }
    dm = Place(platform="web", tenant="local", channel="all", kind="dm")
    assert told.source("#bank", dm) is None
