"""What is said on Discord reaches Bosun once, in neutral words; what is not for Bosun does not reach it."""

import pytest

from kernel.errors import PlatformError
from kernel.types import Place
from tests.discord.conftest import ANN, BO, FINANCE, FINANCE_ROLE, GENERAL, OTHER_BOT, OUTSIDER, Bench
from tests.fakes.discord import BOT, BOT_ROLE, GUILD
from tests.fakes.discord.world import HISTORY, VIEW


async def test_a_mention_arrives_with_readable_names_and_without_our_own(bench: Bench) -> None:
    await bench.connect()
    message = await bench.discord.say(GENERAL, ANN, f"<@{BOT}> ask <@{BO}> of <@&{FINANCE_ROLE}> in <#{GENERAL}>")
    (event,) = await bench.heard()
    assert event.text == "ask @Bo of @finance in #general"
    assert (event.kind, event.addressed, event.message) == ("mention", True, message)
    assert (event.place.channel, event.place.thread, event.place.kind) == (GENERAL, None, "channel")
    assert (event.actor.account, event.actor.name) == (f"discord:{GUILD}:{ANN}", "Ann")


async def test_the_role_that_discord_made_for_the_bot_counts_as_a_mention(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.say(GENERAL, ANN, f"<@&{BOT_ROLE}> hello")
    (event,) = await bench.heard()
    assert (event.text, event.kind) == ("hello", "mention")


async def test_roles_come_with_the_account(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.say(GENERAL, BO, f"<@{BOT}> hello")
    (event,) = await bench.heard()
    assert event.actor.roles == (FINANCE_ROLE,)


@pytest.mark.behaviour(31)
async def test_who_has_a_role_is_an_error_where_discord_cannot_be_asked(bench: Bench) -> None:
    adapter = await bench.connect()
    bench.discord.faults.fail("member", "50001", times=5)
    with pytest.raises(PlatformError):
        await adapter.group_members(FINANCE_ROLE)
    bench.discord.faults.heal()
    assert await adapter.group_members(FINANCE_ROLE) == {f"discord:{GUILD}:{BO}"}


async def test_who_reads_a_channel_follows_from_the_permissions_of_their_roles(bench: Bench) -> None:
    world = bench.discord.world
    world.add_role(GUILD, "@everyone", VIEW | HISTORY)
    world.channels[FINANCE].private_to = (FINANCE_ROLE,)
    adapter = await bench.connect()
    general, finance = (Place(platform="discord", tenant=GUILD, channel=each) for each in (GENERAL, FINANCE))
    assert await adapter.may_read(general, ANN)
    assert await adapter.may_read(finance, BO)
    assert not await adapter.may_read(finance, ANN)
    assert not await adapter.may_read(general, OUTSIDER)
    bench.discord.faults.fail("member", "50001", times=5)
    with pytest.raises(PlatformError):
        await adapter.may_read(general, ANN)


@pytest.mark.behaviour(7)
async def test_chatter_bots_webhooks_and_our_own_words_do_not_arrive(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.say(GENERAL, ANN, "lunch?")
    await bench.discord.say(GENERAL, ANN, "@everyone lunch!")
    await bench.discord.say(GENERAL, OTHER_BOT, f"<@{BOT}> ping")
    await bench.discord.say(GENERAL, BOT, f"<@{BOT}> me")
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> through a webhook", webhook_id=OTHER_BOT)
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> the end")
    assert [event.text for event in await bench.heard()] == ["the end"]


@pytest.mark.behaviour(7)
async def test_a_bot_that_is_allowed_is_heard_when_it_mentions_us(bench: Bench) -> None:
    await bench.connect(bots=frozenset({OTHER_BOT}))
    await bench.discord.say(GENERAL, OTHER_BOT, "no mention")
    await bench.discord.say(GENERAL, OTHER_BOT, f"<@{BOT}> ping")
    (event,) = await bench.heard()
    assert (event.text, event.actor.is_bot) == ("ping", True)


async def test_in_a_thread_that_we_take_part_in_no_mention_is_needed(bench: Bench) -> None:
    await bench.connect()
    root = await bench.discord.say(GENERAL, ANN, "the printer burns")
    thread = bench.discord.begin_thread(GENERAL, ANN, "printer", root)
    await bench.discord.say(thread, ANN, "before we were here")
    await bench.discord.say(thread, ANN, f"<@{BOT}> come in")
    await bench.heard()
    bench.side.taking_part.add(thread)
    await bench.discord.say(thread, ANN, f"<@{BO}> are you there?")
    events = await bench.heard(2)
    assert [(event.text, event.place.channel, event.place.thread) for event in events] == [
        ("come in", GENERAL, thread),
        ("@Bo are you there?", GENERAL, thread),
    ]
    assert events[1].opens_with_other
    assert not events[1].addressed


async def test_a_direct_message_needs_no_mention_and_looks_up_who_it_is(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.say(bench.discord.world.dm(BO).id, BO, "between us")
    await bench.discord.say(bench.discord.world.dm(OUTSIDER).id, OUTSIDER, "let me in")
    of_bo, of_olga = await bench.heard(2)
    assert (of_bo.place.kind, of_bo.actor.roles, of_bo.actor.is_external) == ("dm", (FINANCE_ROLE,), False)
    assert of_olga.actor.is_external


@pytest.mark.behaviour(2)
async def test_the_same_event_counts_once_also_after_the_connection_was_resumed(bench: Bench) -> None:
    await bench.connect()
    message = bench.discord.write(GENERAL, ANN, f"<@{BOT}> only once")
    bench.discord.announce(message)
    await bench.heard()
    await bench.discord.gateway.drop()
    await bench.discord.until(lambda: bench.discord.gateway.resumed)
    bench.discord.announce(message)
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> the end")
    assert [event.text for event in await bench.heard(2)] == ["only once", "the end"]


async def test_what_is_said_while_the_connection_is_broken_comes_when_it_is_resumed(bench: Bench) -> None:
    await bench.connect()
    await bench.discord.gateway.drop()
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> hello?")
    assert [event.text for event in await bench.heard()] == ["hello?"]
    assert bench.discord.gateway.identified == 1


async def test_an_edit_says_the_new_text_and_a_deletion_names_the_message(bench: Bench) -> None:
    await bench.connect()
    message = await bench.discord.say(GENERAL, ANN, f"<@{BOT}> first")
    await bench.heard()
    await bench.discord.edit(GENERAL, message, f"<@{BOT}> second")
    await bench.heard(2)
    await bench.discord.delete(GENERAL, message)
    events = await bench.heard(3)
    assert [(event.kind, event.text, event.message) for event in events] == [
        ("mention", "first", message),
        ("edit", "second", message),
        ("delete", "", message),
    ]


async def test_edits_and_deletions_of_chatter_do_not_arrive(bench: Bench) -> None:
    await bench.connect()
    message = await bench.discord.say(GENERAL, ANN, "lunch?")
    await bench.discord.edit(GENERAL, message, "dinner?")
    await bench.discord.delete(GENERAL, message)
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> the end")
    assert [event.kind for event in await bench.heard()] == ["mention"]


@pytest.mark.behaviour(4)
async def test_what_cannot_be_stored_is_fetched_again_once_it_can(bench: Bench) -> None:
    adapter = await bench.connect()
    adapter.intake.later = 0.05
    bench.inbox.down = True
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> while the database is away")
    await bench.discord.until(lambda: bench.inbox.tries)
    bench.inbox.down = False
    assert [event.text for event in await bench.heard()] == ["while the database is away"]


async def test_files_come_with_their_address_and_can_be_fetched(bench: Bench) -> None:
    adapter = await bench.connect()
    await bench.discord.say(GENERAL, ANN, f"<@{BOT}> read this", files={"notes.md": b"# Notes"})
    (event,) = await bench.heard()
    (file,) = event.files
    assert (file.name, file.size) == ("notes.md", 7)
    assert await adapter.download(file, 100) == b"# Notes"


async def test_where_threads_are_not_allowed_a_reply_to_us_is_the_thread(bench: Bench) -> None:
    await bench.connect()
    root = await bench.discord.say(GENERAL, ANN, f"<@{BOT}> hello")
    ours = bench.discord.write(GENERAL, BOT, "Good morning.")["id"]
    bench.side.posted[ours] = root
    bench.side.taking_part.add(root)
    await bench.discord.say(GENERAL, ANN, "and now?", reply_to=ours)
    events = await bench.heard(2)
    assert (events[1].text, events[1].place.thread) == ("and now?", root)
