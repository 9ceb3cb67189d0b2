"""Digests that go to people directly: of what waits for each, at their hours, with a chart; each snoozes their own."""

import pytest
from sqlmodel import select

from kernel.clock import FixedClock
from kernel.errors import NotFound
from kernel.store import Store, approvals, outbox, runs
from kernel.types import Press, Text
from tests.rules.people import account
from tests.workflows.world import FINANCE, GENERAL, World, at, workflow
from workflows.engine.buttons import Buttons
from workflows.engine.control import Control

MONDAY = "2026-03-02 12:00"

PERSONAL = """
name: mine
description: What waits for each
channel: "#general"
trigger: {cron: "0 1 * * *"}
steps:
  - digest: {to: [finance, legal], at: "08:30"}
"""


async def sent(world: World) -> dict[str, str]:
    """Who was written to directly, and what."""
    rows = await world.store.read(lambda session: list(session.exec(select(outbox.OutboxRow).order_by("id"))))
    assert len({row.id for row in rows}) == len(rows)
    return {row.to.user: row.body["markdown"] for row in rows if row.to is not None and row.kind == outbox.MESSAGE}


async def test_each_reader_gets_one_of_their_own_in_their_morning_and_not_in_their_quiet_hours(store: Store) -> None:
    world = World(store, FixedClock(at("2026-03-01 12:00")), workflow(PERSONAL))
    people = world.rights.team.people
    people["bo"] = people["bo"].model_copy(update={"time_zone": "Europe/Zurich", "quiet": (20 * 60, 9 * 60)})
    people["cy"] = people["cy"].model_copy(update={"time_zone": "Asia/Tokyo"})
    asked = await world.happened("Pay ACME", state=runs.WAITING)
    await world.scheduler.ring()
    world.clock.time = at("2026-03-02 00:00")  # 01:00 in Zurich, where quiet hours end at 09:00
    await world.asked_for(asked, "Queue EUR 420 for ACME", approvals.PENDING)
    await world.scheduler.ring()
    await world.work()
    assert await sent(world) == {}
    for now, known in (("2026-03-02 07:59", set()), ("2026-03-02 08:00", {"bo"}), ("2026-03-02 23:29", {"bo"})):
        world.clock.time = at(now)
        await world.wake()
        assert set(await sent(world)) == known
    world.clock.time = at("2026-03-02 23:30")  # 08:30 in Tokyo; Lea can be reached nowhere
    await world.wake()
    told = await sent(world)
    assert set(told) == {"bo", "cy"}
    assert "Digest of #general, Monday 2 March" in told["bo"]
    assert "Queue EUR 420 for ACME, asked for by Ann, expires Mon 02 Mar 05:00" in told["bo"]
    assert "expires Mon 02 Mar 13:00" in told["cy"]  # the same hour in Tokyo
    assert (await world.all_runs())[0].state == runs.DONE


async def test_who_may_not_read_the_channel_gets_none_and_nothing_to_tell_is_not_sent(store: Store) -> None:
    secret = PERSONAL.replace("#general", "#finance").replace("[finance, legal]", "[admin]")
    world = World(store, FixedClock(at(MONDAY)), workflow(secret), workflow(PERSONAL.replace("mine", "empty")))
    await world.happened("What does Bo earn?", place=FINANCE)
    assert (await world.run_now("mine")).state == runs.DONE
    run = await world.run_now("empty")
    assert (run.answer or "").startswith("Nothing to report in #general")
    assert await sent(world) == {}
    world.rights.team.down = {"finance"}
    assert "cannot be looked up now" in ((await world.run_now("empty")).error or "")


class _NoFiles:
    async def remove(self, name: str) -> str:
        raise AssertionError(name)


async def rows_of(world: World, user: str) -> list[outbox.OutboxRow]:
    """What one person was sent, in order."""
    found = await world.store.read(lambda session: list(session.exec(select(outbox.OutboxRow).order_by("id"))))
    return [row for row in found if row.to is not None and row.to.user == user]


async def notes_of(world: World) -> list[str]:
    """What the runs say of themselves, oldest first."""
    ids = sorted(run.id for run in await world.all_runs() if run.workflow)
    return [await note_of(world, run_id) for run_id in ids]


async def note_of(world: World, run_id: str) -> str:
    entries = await world.store.read(lambda session: runs.transcript(session, run_id))
    return next(str(one.content["output"]["note"]) for one in entries if "output" in one.content)


async def press(world: World, by: str, row: outbox.OutboxRow, verb: str, *, says: str) -> None:
    """Somebody presses a button of what they were sent."""
    assert isinstance(row.content, Text)
    action = next(action for action in row.content.actions if action.verb == verb)
    control = Control(world.launch, world.rights.team, _NoFiles(), lambda person, _run: person.id != "ida")
    person = world.rights.team.people[by]
    said = Press(subject=action.subject, revision=action.revision, verb=action.verb)
    assert says in await Buttons(control).answer(said, person, account(by))


async def test_each_gets_a_chart_of_the_days_where_they_are(store: Store) -> None:
    world = World(store, FixedClock(at("2026-03-01 16:00")), workflow(PERSONAL))
    people = world.rights.team.people
    people["cy"] = people["cy"].model_copy(update={"time_zone": "Asia/Tokyo"})
    await world.happened("What is our refund policy?")
    world.clock.advance(minutes=1)
    run = await world.run_now("mine", report_to=GENERAL)
    assert await world.posts() == [f"**mine** is done; the result went to people directly. ({run.ref})"]
    for user, day in (("bo", "1 March"), ("cy", "2 March")):
        message, picture = await rows_of(world, user)
        assert (message.kind, picture.kind) == (outbox.MESSAGE, outbox.FILE)
        assert picture.extra["alt"] == f"Requests, bars by day. {day}: 1. None of them did not finish."
        assert outbox.file_content(picture.extra).startswith(b"\x89PNG\r\n")
        assert picture.where.kind == "dm"


async def test_who_snoozes_theirs_gets_none_for_a_day_and_everybody_else_gets_theirs(store: Store) -> None:
    world = World(store, FixedClock(at("2026-03-01 12:00")), workflow(PERSONAL))
    await world.scheduler.ring()
    for day in range(2, 5):
        await world.happened(f"Question of day {day}")
        world.clock.time = at(f"2026-03-0{day} 00:00")
        await world.scheduler.ring()
        await world.work()
        world.clock.time = at(f"2026-03-0{day} 07:30")  # 08:30 in Zurich
        await world.wake()
        if day == 2:
            [mine, _] = await rows_of(world, "bo")
            with pytest.raises(NotFound):
                await press(world, "ida", mine, "snooze-mine", says="")
            world.clock.advance(minutes=5)
            await press(world, "bo", mine, "snooze-mine", says="no digest of **mine** that is due before Tue 03 Mar")
    texts = {user: [row for row in await rows_of(world, user) if row.kind == outbox.MESSAGE] for user in ("bo", "cy")}
    assert {user: len(rows) for user, rows in texts.items()} == {"bo": 2, "cy": 3}
    snoozed, kept = texts["bo"][0].content, texts["cy"][0].content
    assert isinstance(snoozed, Text)
    assert isinstance(kept, Text)
    assert snoozed.footer.endswith("held for a day by you")
    assert [action.label for action in snoozed.actions] == ["Open dashboard"]
    assert [action.label for action in kept.actions] == ["Open dashboard", "Snooze 1 day"]
    assert await notes_of(world) == ["Sent to 2 of 2 people.", "Sent to 1 of 2 people.", "Sent to 2 of 2 people."]


async def test_begun_by_hand_it_comes_at_once_but_in_no_quiet_hours_of_somebody_else(store: Store) -> None:
    world = World(store, FixedClock(at("2026-03-02 22:00")), workflow(PERSONAL))
    people = world.rights.team.people
    for person in ("bo", "cy"):
        people[person] = people[person].model_copy(update={"time_zone": "Europe/Zurich", "quiet": (20 * 60, 7 * 60)})
    await world.happened("What is our refund policy?")
    world.clock.advance(minutes=1)
    begun = await store.write(lambda session: world.launch.run_now(session, "mine", asked_by="bo"))
    await world.work()
    assert set(await sent(world)) == {"bo"}
    world.clock.advance(hours=7, minutes=59)  # 07:00 in Zurich
    await world.wake()
    assert set(await sent(world)) == {"bo", "cy"}
    assert (await world.run(begun.id)).state == runs.DONE
