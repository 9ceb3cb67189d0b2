"""Buttons, dialogs and the slash command: stored before they are acknowledged, and good in any process."""

import re

import pytest
from discord import app_commands

from bot.engine.commands import discover
from kernel.errors import PlatformError
from kernel.types import Action, Actor, Card, Choice, Confirm, Dashboard, Form, FormField, Place, Text
from tests.discord.conftest import ANN, BO, FINANCE_ROLE, GENERAL, Bench, actor
from tests.fakes.discord import BOT
from tests.fakes.discord.checks import visible
from tests.fakes.discord.interactions import DEFER_MESSAGE, DEFER_UPDATE, DIALOG, MESSAGE

APPROVE = Action(subject="AP-7F3K", revision=2, verb="approve", label="Approve", style="primary")
REJECT = Action(subject="AP-7F3K", revision=2, verb="reject", label="Reject…", style="danger", opens_form=True)
WIPE = APPROVE.model_copy(update={"confirm": Confirm(title="Sure?", text="It cannot be undone.", label="Yes")})
FORM = Form(
    subject="AP-7F3K",
    revision=2,
    verb="reject",
    title="Reject",
    note="Everybody reads the reason.",
    fields=(FormField(id="reason", label="Reason", multiline=True, max_length=1000, hint="Why not?"),),
)


async def shown(bench: Bench, *actions: Action) -> tuple[Place, str]:
    """A card with these buttons, in a thread."""
    adapter = bench.adapters[-1]
    root = await bench.discord.say(GENERAL, ANN, f"<@{BOT}> pay")
    await bench.heard(1)
    bench.inbox.events.clear()
    place = bench.place(root)
    return place, await adapter.post(bench.row(Card(headline="Pay ACME", state="Waiting", actions=actions), place))


async def test_a_press_is_stored_and_then_acknowledged(bench: Bench) -> None:
    await bench.connect()
    place, card = await shown(bench, APPROVE)
    pressed = bench.discord.click(place.thread or "", card, BO, "Approve")
    await pressed.settled.wait()
    event = bench.inbox.only()
    assert pressed.answered == DEFER_UPDATE
    assert event.press is not None
    assert (event.press.subject, event.press.revision, event.press.verb) == ("AP-7F3K", 2, "approve")
    assert (event.place, event.message) == (place, card)
    assert event.actor.roles == (FINANCE_ROLE,)


async def test_a_press_that_cannot_be_stored_says_so(bench: Bench) -> None:
    await bench.connect()
    place, card = await shown(bench, APPROVE)
    bench.inbox.down = True
    pressed = bench.discord.click(place.thread or "", card, BO, "Approve")
    await pressed.settled.wait()
    (told,) = bench.discord.ephemerals_for(BO)
    assert "nothing happened" in told["content"]


async def test_a_press_on_what_an_earlier_process_showed_still_counts(bench: Bench) -> None:
    await bench.connect()
    place, card = await shown(bench, APPROVE)
    await bench.adapters.pop().stop()
    await bench.connect()
    pressed = bench.discord.click(place.thread or "", card, BO, "Approve")
    await pressed.settled.wait()
    assert bench.inbox.only().press is not None
    assert not pressed.failed


async def test_a_private_answer_to_a_press_is_seen_by_one_person(bench: Bench) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, APPROVE)
    await bench.discord.click(place.thread or "", card, BO, "Approve").settled.wait()
    await adapter.notice(bench.row(Text(markdown="It needs two."), place, kind="notice", recipient=actor(BO)))
    (told,) = bench.discord.ephemerals_for(BO)
    assert told["content"] == "It needs two."
    assert bench.discord.world.dm(BO).messages == {}


async def test_of_two_presses_under_way_each_gets_its_own_answer(bench: Bench) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, REJECT)
    presses = [bench.discord.click(place.thread or "", card, BO, "Reject…") for _ in range(2)]
    for event, text in zip(await bench.heard(2), ("First.", "Second."), strict=True):
        told = {"answers": event.key}
        await adapter.notice(bench.row(Text(markdown=text), place, kind="notice", recipient=actor(BO), extra=told))
    assert [press.shown and press.shown["content"] for press in presses] == ["First.", "Second."]


async def test_a_private_answer_that_the_network_lost_is_said_again_there_and_not_in_a_dm(bench: Bench) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, APPROVE)
    await bench.discord.click(place.thread or "", card, BO, "Approve").settled.wait()
    bench.discord.faults.fail("followup", "drop_before", times=2)
    await adapter.notice(bench.row(Text(markdown="It needs two."), place, kind="notice", recipient=actor(BO)))
    assert [told["content"] for told in bench.discord.ephemerals_for(BO)] == ["It needs two."]
    assert bench.discord.world.dm(BO).messages == {}


async def test_a_dashboard_that_comes_behind_a_press_never_takes_the_place_of_the_card_that_all_see(
    bench: Bench,
) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, APPROVE)
    await bench.discord.click(place.thread or "", card, BO, "Approve").settled.wait()
    before = [visible(one) for one in bench.discord.said(place.thread or "")]
    await adapter.notice(bench.row(Dashboard(title="Home", parts=()), place, kind="notice", recipient=actor(BO)))
    later = Dashboard(title="Home, later", parts=(), footer="For Bo alone")
    await adapter.publish_home(Actor.model_validate(actor(BO)), later)
    assert [visible(one) for one in bench.discord.said(place.thread or "")] == before
    (told,) = bench.discord.ephemerals_for(BO)
    assert "Home" in visible(told)


async def test_a_long_private_answer_to_a_press_arrives_whole(bench: Bench) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, APPROVE)
    await bench.discord.click(place.thread or "", card, BO, "Approve").settled.wait()
    text = Text(markdown="\n\n".join(f"Paragraph {number} " + "word " * 60 for number in range(12)))
    await adapter.notice(bench.row(text, place, kind="notice", recipient=actor(BO)))
    told = [one["content"] for one in bench.discord.ephemerals_for(BO)]
    assert len(told) > 1
    assert all(f"Paragraph {number} " in "\n".join(told) for number in range(12))


async def test_after_a_quarter_of_an_hour_the_private_answer_goes_into_a_dm(bench: Bench) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, APPROVE)
    pressed = bench.discord.click(place.thread or "", card, BO, "Approve")
    await pressed.settled.wait()
    pressed.at -= 16 * 60
    await adapter.notice(bench.row(Text(markdown="Late."), place, kind="notice", recipient=actor(BO)))
    assert [said["content"] for said in bench.discord.said(bench.discord.world.dm(BO).id)] == ["Late."]


async def test_a_dialog_opens_and_its_answer_counts_in_another_process(bench: Bench) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, REJECT)
    pressed = bench.discord.click(place.thread or "", card, BO, "Reject…")
    (event,) = await bench.heard()
    assert event.press is not None
    await adapter.open_form(event.press.trigger or "", FORM)
    assert pressed.answered == DIALOG
    await bench.adapters.pop().stop()
    bench.inbox.events.clear()
    await bench.connect()
    submitted = await bench.discord.submit(BO, {"reason": "a copy"})
    assert submitted.answered == DEFER_UPDATE
    press = bench.inbox.only().press
    assert press is not None
    assert (press.subject, press.verb, press.fields) == ("AP-7F3K", "reject", {"reason": "a copy"})


async def test_choices_are_picked_and_come_back_as_their_values_one_on_each_line(bench: Bench) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, REJECT)
    bench.discord.click(place.thread or "", card, BO, "Reject…")
    (event,) = await bench.heard()
    assert event.press is not None
    two = (Choice(value="a", label="The first", hint="of two"), Choice(value="b", label="The second"))
    fields = (
        FormField(id="some", label="Some", choices=two, many=True, value="a"),
        FormField(id="none", label="None", choices=two, many=True, required=False),
        FormField(id="one", label="One", choices=two, value="b"),
        FormField(id="only", label="The only one", choices=two[:1]),
    )
    await adapter.open_form(event.press.trigger or "", FORM.model_copy(update={"fields": fields}))
    bench.inbox.events.clear()
    await bench.discord.submit(BO, {"some": "a\nb", "only": "a"})
    press = bench.inbox.only().press
    assert press is not None
    assert press.fields == {"some": "a\nb", "none": "", "one": "b", "only": "a"}


async def test_a_dialog_that_comes_too_late_is_acknowledged_and_refused(bench: Bench) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, REJECT)
    pressed = bench.discord.click(place.thread or "", card, BO, "Reject…")
    (event,) = await bench.heard()
    assert event.press is not None
    await adapter.answers.of(event.press.trigger or "").acknowledge()
    assert pressed.answered == DEFER_UPDATE
    with pytest.raises(PlatformError, match="before its dialog could be opened"):
        await adapter.open_form(event.press.trigger or "", FORM)


async def test_a_risky_button_asks_a_second_time_before_it_counts(bench: Bench) -> None:
    await bench.connect()
    place, card = await shown(bench, WIPE)
    first = bench.discord.click(place.thread or "", card, BO, "Approve")
    await first.settled.wait()
    assert first.answered == MESSAGE
    assert bench.inbox.events == []
    (question,) = bench.discord.ephemerals_for(BO)
    assert "Are you sure? Pay ACME" in question["content"]
    second = bench.discord.click(place.thread or "", question["id"], BO, "Yes, approve")
    await second.settled.wait()
    event = bench.inbox.only()
    assert event.press is not None
    assert (event.press.verb, event.press.message) == ("approve", card)


async def test_a_button_that_nobody_knows_is_answered(bench: Bench) -> None:
    await bench.connect()
    place, card = await shown(bench, APPROVE)
    strange = {"custom_id": "from-another-age", "label": "Go"}
    pressed = bench.discord.click(place.thread or "", card, BO, "Go", element=strange)
    await pressed.settled.wait()
    assert "out of date" in bench.discord.ephemerals_for(BO)[0]["content"]


# -- the slash command ----------------------------------------------------------------------------


async def test_a_slash_command_is_a_text_command_that_is_answered_in_private(bench: Bench) -> None:
    adapter = await bench.connect()
    await bench.discord.until(lambda: bench.discord.world.commands)
    typed = bench.discord.slash(GENERAL, BO, "why", about="AP-7F3K")
    await typed.settled.wait()
    event = bench.inbox.only()
    assert (event.kind, event.text, event.actor.roles) == ("command", "why AP-7F3K", (FINANCE_ROLE,))
    assert typed.answered == DEFER_MESSAGE
    await adapter.notice(bench.row(Text(markdown="Because."), bench.place(), kind="notice", recipient=actor(BO)))
    assert [told["content"] for told in bench.discord.ephemerals_for(BO)] == ["Because."]


async def test_every_command_can_be_chosen_and_says_what_somebody_would_type(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.until(lambda: bench.discord.world.commands)
    menu, about_a_message = bench.discord.world.commands
    assert (about_a_message["name"], about_a_message["type"]) == ("Ask about this", 3)
    below = [(one["name"], one) for one in menu["options"] if one["type"] == 1]
    for group in (one for one in menu["options"] if one["type"] == 2):
        below += [(f"{group['name']} {one['name']}", one) for one in group["options"]]
    known = {command.name: command for command in discover()}
    for path, entry in below:
        command = known.pop(entry["name"], None)
        if command is None:
            assert entry["name"] == "ask"
            continue
        about = command.usage.replace("...", "it is urgent")
        typed = bench.discord.slash(GENERAL, BO, path, **({"about": about} if about else {}))
        await typed.settled.wait()
        assert re.fullmatch(command.shape, bench.inbox.events[-1].text, re.IGNORECASE), bench.inbox.events[-1].text
    assert not known


async def test_asking_by_slash_command_shows_the_question_and_opens_a_thread_below_it(bench: Bench) -> None:
    adapter = await bench.connect()
    await bench.discord.until(lambda: bench.discord.world.commands)
    typed = bench.discord.slash(GENERAL, ANN, "ask", question="what is due?", agent="finance")
    (event,) = await bench.heard()
    assert typed.shown is not None
    assert typed.shown["content"] == "**Ann** asks finance: what is due?"
    assert (event.kind, event.text, event.message) == ("mention", "finance: what is due?", typed.shown["id"])
    await adapter.post(bench.row(Text(markdown="Nothing."), bench.place(event.message)))
    assert bench.discord.said(event.message or "")[0]["content"] == "Nothing."


@pytest.mark.parametrize("fault", ["drop", "drop_before", "500_after"])
async def test_a_question_is_asked_once_whatever_happens_to_showing_it(bench: Bench, fault: str) -> None:
    await bench.connect()
    await bench.discord.until(lambda: bench.discord.world.commands)
    bench.discord.faults.fail("callback", fault)
    typed = bench.discord.slash(GENERAL, ANN, "ask", question="what is due?")
    (event,) = await bench.heard()
    assert typed.shown is not None
    assert event.message == typed.shown["id"]
    assert [one["content"] for one in bench.discord.said(GENERAL)] == ["**Ann** asks: what is due?"]


@pytest.mark.parametrize("fault", ["drop", "drop_before"])
async def test_a_dialog_opens_once_whatever_happens_to_opening_it(bench: Bench, fault: str) -> None:
    adapter = await bench.connect()
    place, card = await shown(bench, REJECT)
    bench.discord.click(place.thread or "", card, BO, "Reject…")
    (event,) = await bench.heard()
    assert event.press is not None
    bench.discord.faults.fail("callback", fault)
    await adapter.open_form(event.press.trigger or "", FORM)
    assert len(bench.discord.interactions.dialogs) == 1


async def test_what_can_stand_behind_a_command_is_offered(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.until(lambda: bench.discord.world.commands)
    typing = bench.discord.complete(GENERAL, BO, "approve", about="AP")
    await typing.settled.wait()
    assert [choice["value"] for choice in typing.choices] == ["AP-7F3K", "AP-8G4L"]
    assert bench.side.asked == [("approve", "AP")]


async def test_the_command_is_registered_once_and_again_only_when_it_changes(bench: Bench) -> None:
    adapter = await bench.connect()
    await bench.discord.until(lambda: bench.discord.world.commands)
    assert not await adapter.slash.register(adapter.gateway.client, adapter.tree)
    assert bench.discord.world.command_syncs == 1
    group = adapter.tree.get_command("bosun")
    assert isinstance(group, app_commands.Group)
    group.remove_command("why")
    assert await adapter.slash.register(adapter.gateway.client, adapter.tree)
    assert bench.discord.world.command_syncs == 2
