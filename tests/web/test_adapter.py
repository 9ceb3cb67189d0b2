"""The adapter keeps the promises of bot/engine/adapter.py; the web chat's tables are its platform."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.engine.adapter import Adapter, Sign
from bot.web.adapter import WebAdapter
from bot.web.files import Files
from bot.web.views import Sources
from kernel.clock import CountedIds, FixedClock
from kernel.errors import PlatformError, TargetGone
from kernel.store import Session, Store, open_store, outbox, web
from kernel.store.outbox import Claimed, OutboxRow
from kernel.types import Actor, Body, Card, Form, Inbound, Place, Text
from tests.fakes.platform import sending
from tests.web.conftest import CHANNELS
from tests.web.team import PEOPLE

GENERAL = Place(platform="web", tenant="local", channel="general")
ANN = Actor(platform="web", tenant="local", user="ann", name="Ann Meier")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The same promises on both databases."""
    made = open_store(request.getfixturevalue(f"{request.param}_with_tables"))
    yield made
    made.close()


@pytest.fixture
def adapter(store: Store, tmp_path: Path) -> WebAdapter:
    """An adapter for the team of the tests."""
    clock, ids = FixedClock(), CountedIds()
    files = Files(folder=tmp_path, store=store, clock=clock, ids=ids)
    sources = Sources(people=lambda: PEOPLE, channels=lambda: CHANNELS)
    return WebAdapter(store=store, clock=clock, ids=ids, files=files, sources=sources)


Row = Callable[..., Claimed]


@pytest.fixture
def row(store: Store) -> Row:
    """An outbox row."""

    def make(row_id: str, body: Body | None, place: Place = GENERAL, **more: Any) -> Claimed:
        def put(session: Session) -> Claimed:
            outbox.put(session, row_id, place, body, FixedClock().now(), **more)
            return sending(session.get_one(OutboxRow, row_id))

        return store.write_now(put)

    return make


def shown(store: Store, message: str) -> web.WebMessage:
    found = store.read_now(lambda session: web.get(session, message))
    assert found is not None
    return found


def test_it_is_an_adapter(adapter: WebAdapter) -> None:
    fulfils: Adapter = adapter
    assert fulfils.platform == "web"


async def test_a_row_is_posted_once_however_often_it_is_sent(adapter: WebAdapter, store: Store, row: Row) -> None:
    sent = row("r1", Text(markdown="hello"))
    assert await adapter.find(sent) is None
    assert await adapter.post(sent) == await adapter.post(sent) == "r1"
    assert await adapter.find(sent) == "r1"
    assert len(store.read_now(lambda session: web.timeline(session, "general"))) == 1


async def test_edits_follow_and_an_older_one_comes_too_late(adapter: WebAdapter, store: Store, row: Row) -> None:
    sent = row("r1", Text(markdown="one"))
    await adapter.post(sent)
    for version, words in ((3, "three"), (2, "two")):
        sent.body, sent.version = Text(markdown=words).model_dump(mode="json"), version
        await adapter.edit(sent)
    assert shown(store, "r1").body["markdown"] == "three"


async def test_replies_are_counted_at_the_root(adapter: WebAdapter, store: Store, row: Row) -> None:
    await adapter.post(row("root", Text(markdown="question")))
    for number in range(2):
        await adapter.post(row(f"reply{number}", Text(markdown="answer"), GENERAL.in_thread("root")))
    root = shown(store, "root")
    assert (root.replies, root.repliers) == (2, [""])
    assert root.seq == shown(store, "reply1").seq > shown(store, "reply0").seq


async def test_what_is_gone_is_said(adapter: WebAdapter, row: Row) -> None:
    gone = [
        adapter.post(row("a", Text(markdown="x"), Place(platform="web", tenant="local", channel="nowhere"))),
        adapter.post(
            row("b", Text(markdown="x"), Place(platform="web", tenant="local", channel="dm-nobody", kind="dm"))
        ),
        adapter.post(row("c", Text(markdown="x"), GENERAL.in_thread("nothing"))),
        adapter.edit(row("d", Text(markdown="x"))),
        adapter.react(Sign(where=GENERAL, extra={"name": "eyes", "target": "nothing"})),
        adapter.notice(row("f", Text(markdown="x"), kind=outbox.NOTICE)),
    ]
    for call in gone:
        with pytest.raises(TargetGone):
            await call


async def test_a_reaction_comes_and_goes(adapter: WebAdapter, store: Store, row: Row) -> None:
    await adapter.post(row("m", Text(markdown="x")))
    extra = {"name": "eyes", "target": "m"}
    await adapter.react(Sign(where=GENERAL, extra=extra))
    await adapter.react(Sign(where=GENERAL, extra=extra))
    assert shown(store, "m").reactions == ["eyes"]
    await adapter.react(Sign(where=GENERAL, extra={**extra, "remove": True}))
    assert shown(store, "m").reactions == []


async def test_the_working_state_is_kept_per_thread(adapter: WebAdapter, store: Store, row: Row) -> None:
    place = GENERAL.in_thread("t")
    for state in ("processing", "processing", "suspended"):
        await adapter.status(Sign(where=place, extra={"state": state}))
    busy = store.read_now(lambda session: web.busy_threads(session, ["general"]))
    assert [(one.thread, one.state) for one in busy] == [("t", "suspended")]
    await adapter.status(Sign(where=place, extra={"state": "active"}))
    assert store.read_now(lambda session: web.busy_threads(session, ["general"])) == []


async def test_a_notice_reaches_one_person_once_and_is_kept(adapter: WebAdapter, store: Store, row: Row) -> None:
    sent = row("n", Text(markdown="only you"), kind=outbox.NOTICE, to=ANN)
    await adapter.notice(sent)
    await adapter.notice(sent)
    kept = store.read_now(lambda session: web.notices(session, "ann"))
    assert [(one.payload["body"]["markdown"], one.seen) for one in kept] == [("only you", False)]
    store.write_now(lambda session: web.notices_seen(session, "ann", kept[0].seq))
    assert store.read_now(lambda session: web.notices(session, "ann"))[0].seen


async def test_a_dialog_goes_to_the_tab_that_asked(adapter: WebAdapter, store: Store) -> None:
    form = Form(subject="AP-1", verb="reject", title="Reject", fields=())
    await adapter.open_form("tab/ann", form)
    push = store.read_now(lambda session: web.changes(session, 0)).pushes[0]
    assert (push.person, push.client, push.kind) == ("ann", "tab", "form")
    for trigger in ("", "tab", "/ann"):
        with pytest.raises(PlatformError):
            await adapter.open_form(trigger, form)


async def test_a_file_is_posted_once_and_can_be_read(adapter: WebAdapter, store: Store, row: Row) -> None:
    extra = {"name": "plan.csv", "content": "a,b\n", "alt": "The plan", "comment": "Here it *is*."}
    sent = row("file", None, kind=outbox.FILE, extra=extra)
    assert await adapter.upload(sent) == await adapter.upload(sent) == "file"
    files = shown(store, "file").body["files"]
    assert [(one["name"], one["size"], one["alt"]) for one in files] == [("plan.csv", 4, "The plan")]


async def test_a_thread_is_read_root_first_with_our_own_words_marked(adapter: WebAdapter, row: Row) -> None:
    await adapter.start(_nobody)
    said = web.WebMessage(
        id="root", number=0, seq=0, channel="general", author="ann", body={"text": "hi"}, created_at=FixedClock().now()
    )
    await adapter.say(said)
    await adapter.post(row("reply", Card(headline="Pay", state="Waiting"), GENERAL.in_thread("root")))
    heard = await adapter.thread(GENERAL.in_thread("root"))
    assert [(one.text, one.actor.name, one.mine) for one in heard] == [
        ("hi", "Ann Meier", False),
        ("Pay\nWaiting", "Bosun", True),
    ]


async def _nobody(inbound: Inbound) -> None:
    return


async def test_places_and_links(adapter: WebAdapter) -> None:
    dm = await adapter.direct(ANN)
    assert (dm.channel, dm.kind) == ("dm-ann", "dm")
    assert adapter.permalink(GENERAL, "m") == "/c/general#m-m"
    assert adapter.permalink(GENERAL.in_thread("t"), "m") == "/c/general/t/t#m-m"
    with pytest.raises(PlatformError):
        await adapter.group_members("anything")


async def test_changes_come_in_order_and_in_pages(adapter: WebAdapter, store: Store, row: Row) -> None:
    for number in range(5):
        await adapter.post(row(f"m{number}", Text(markdown=str(number))))
    await adapter.status(Sign(where=GENERAL, extra={"state": "processing"}))
    seen, after = [], 0
    while True:
        page = store.read_now(partial(web.changes, after=after, limit=2))
        seen += [one.id for one in page.messages] + [one.state for one in page.threads]
        if not any(page[:3]):
            break
        after = page.upto
    assert seen == ["m0", "m1", "m2", "m3", "m4", "processing"]
    assert after == store.read_now(web.head)
