"""Sources: what is new is read, what vanished is forgotten, what is cut off answers no more."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from kernel.clock import FixedClock
from kernel.errors import CharterError
from kernel.store import Store
from knowledge import feed, folder, git, web
from knowledge.engine.keeper import Keeper
from knowledge.engine.kinds import discover
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.readable import MAX_BYTES
from knowledge.engine.source_settings import SourceSettings, Surroundings
from knowledge.engine.sources_file import load
from tests.knowledge.conftest import Opened
from tests.knowledge.git_server import GitServer
from tests.knowledge.site import Site
from tests.knowledge.team import ADA, FINANCE, IN_GENERAL, Audience


@pytest.fixture
async def knowledge(sqlite_store: Store, open_knowledge: Opened) -> Knowledge:
    return await open_knowledge(sqlite_store)


async def words(knowledge: Knowledge, query: str, audience: Audience = IN_GENERAL) -> list[str]:
    return [passage.text for passage in (await knowledge.search(query, audience)).passages]


def page(text: str) -> tuple[str, str]:
    return "text/html", f"<title>Page</title><h1>Page</h1><p>{text}</p>"


async def test_pages_are_followed(knowledge: Knowledge, around: Surroundings) -> None:
    async with Site() as site:
        site.pages = {"/a": page("Refunds take ten days."), "/b": page("Parking is free.")}
        settings = web.Settings(name="wiki", kind="web", pages=(f"{site.url}/a", f"{site.url}/b"))
        assert (await knowledge.sync(web.open_source(settings, around))).added == 2
        assert (await words(knowledge, "refunds"))[0] == "Refunds take ten days."
        site.asked.clear()
        again = await knowledge.sync(web.open_source(settings, around))
        assert (again.unchanged, again.changed) == (2, 0)
        assert [line for line in site.asked if "robots" not in line] == ["304 /a", "304 /b"]
        site.pages["/a"], site.pages["/b"] = page("Refunds take five days."), 404
        last = await knowledge.sync(web.open_source(settings, around))
        assert (last.changed, last.forgotten) == (1, 1)
        assert await words(knowledge, "refunds") == ["Refunds take five days."]
        assert "Parking is free." not in await words(knowledge, "parking")


async def test_a_page_that_gets_other_readers_is_read_by_them_at_once(
    knowledge: Knowledge, around: Surroundings
) -> None:
    async with Site() as site:
        site.pages = {"/a": page("Bonuses are paid in June.")}
        settings = web.Settings(name="wiki", kind="web", pages=(f"{site.url}/a",))
        await knowledge.sync(web.open_source(settings, around))
        assert await words(knowledge, "bonuses")
        narrowed = settings.model_copy(update={"readers": ("#finance",)})
        await knowledge.sync(web.open_source(narrowed, around))
        assert not await words(knowledge, "bonuses")
        assert await words(knowledge, "bonuses", Audience.of_channel(FINANCE))


async def test_a_sitemap_is_followed_and_robots_are_obeyed(knowledge: Knowledge, around: Surroundings) -> None:
    async with Site() as site:
        entry = "<url><loc>{0}/{1}</loc><lastmod>{2}</lastmod></url>"
        urls = [entry.format(site.url, name, "2026-01-01") for name in ("a", "b", "secret/c")]
        site.pages = {
            "/sitemap.xml": ("application/xml", f"<urlset>{''.join(urls)}</urlset>"),
            "/robots.txt": ("text/plain", "User-agent: *\nDisallow: /secret/\n"),
            "/a": page("Refunds take ten days."),
            "/b": page("Parking is free."),
            "/secret/c": page("Nobody should read this."),
        }
        settings = web.Settings(name="wiki", kind="web", sitemap=f"{site.url}/sitemap.xml")
        assert (await knowledge.sync(web.open_source(settings, around))).added == 2
        assert "GET /secret/c" not in site.asked
        site.asked.clear()
        assert (await knowledge.sync(web.open_source(settings, around))).unchanged == 2
        assert not {"GET /a", "GET /b"} & set(site.asked)


async def test_a_source_that_is_cut_off_answers_no_more_and_comes_back_without_embedding_again(
    knowledge: Knowledge, around: Surroundings
) -> None:
    async with Site() as site:
        site.pages = {"/a": page("Refunds take ten days.")}
        settings = web.Settings(name="wiki", kind="web", pages=(f"{site.url}/a",))
        await knowledge.sync(web.open_source(settings, around))
        found = (await knowledge.search("refunds", IN_GENERAL)).passages[0]
        site.pages["/a"] = 403
        report = await knowledge.sync(web.open_source(settings, around))
        assert report.state == "cut off"
        assert await words(knowledge, "refunds") == []
        assert await knowledge.document(found.document_id, IN_GENERAL) is None
        assert not (await knowledge.search("refunds", IN_GENERAL)).documents
        assert [(status.state, status.documents) for status in await knowledge.sources()] == [("cut off", 1)]
        site.pages["/a"] = page("Refunds take ten days.")
        back = await knowledge.sync(web.open_source(settings, around))
        assert (back.unchanged, back.changed, back.added) == (1, 0, 0)
        assert await words(knowledge, "refunds") == ["Refunds take ten days."]


async def test_one_page_that_fails_stops_no_other(knowledge: Knowledge, around: Surroundings) -> None:
    async with Site() as site:
        site.pages = {
            "/a": page("Refunds take ten days."),
            "/b": page("Parking is free."),
            "/c": page("Lunch is at noon."),
        }
        settings = web.Settings(name="wiki", kind="web", pages=tuple(f"{site.url}/{name}" for name in "abc"))
        await knowledge.sync(web.open_source(settings, around))
        site.pages |= {"/a": 503, "/b": ("text/plain", "x" * (MAX_BYTES + 1)), "/c": page("Lunch is at one.")}
        report = await knowledge.sync(web.open_source(settings, around))
        assert (report.state, report.changed, report.forgotten) == ("ready", 1, 1)
        assert [each.key for each in report.refused] == [f"{site.url}/a", f"{site.url}/b"]
        assert (await words(knowledge, "refunds ten days"))[0] == "Refunds take ten days."  # it may be back soon
        assert "Parking is free." not in await words(knowledge, "parking is free")
        assert (await words(knowledge, "lunch is at one"))[0] == "Lunch is at one."
        site.pages = dict.fromkeys(site.pages, 503)
        assert (await knowledge.sync(web.open_source(settings, around))).state == "away"
        assert await words(knowledge, "refunds ten days")


async def test_a_page_of_a_sitemap_that_is_refused_answers_no_more(knowledge: Knowledge, around: Surroundings) -> None:
    async with Site() as site:
        urls = "".join(f"<url><loc>{site.url}/{name}</loc></url>" for name in "ab")
        site.pages = {
            "/sitemap.xml": ("application/xml", f"<urlset>{urls}</urlset>"),
            "/a": page("Refunds take ten days."),
            "/b": page("Parking is free."),
        }
        settings = web.Settings(name="wiki", kind="web", sitemap=f"{site.url}/sitemap.xml")
        await knowledge.sync(web.open_source(settings, around))
        site.pages["/a"] = 403
        report = await knowledge.sync(web.open_source(settings, around))
        assert (report.forgotten, [each.key for each in report.refused]) == (1, [f"{site.url}/a"])
        assert "Refunds take ten days." not in await words(knowledge, "refunds")
        assert await words(knowledge, "parking") == ["Parking is free."]


async def test_a_source_that_is_away_goes_on_answering(knowledge: Knowledge, around: Surroundings) -> None:
    async with Site() as site:
        site.pages = {
            "/f": (
                "application/xml",
                (
                    "<rss><channel><item><guid>1</guid><title>Launch</title>"
                    "<description>We launch in May.</description></item></channel></rss>"
                ),
            )
        }
        settings = feed.Settings(name="news", kind="feed", url=f"{site.url}/f")
        assert (await knowledge.sync(feed.open_source(settings, around))).added == 1
        site.pages["/f"] = 503
        assert (await knowledge.sync(feed.open_source(settings, around))).state == "away"
        assert await words(knowledge, "launch")


async def test_what_left_a_feed_stays_known(knowledge: Knowledge, around: Surroundings) -> None:
    item = (
        "<entry><id>{0}</id><title>News {0}</title><link href='http://x.test/{0}'/>"
        "<content type='html'>{1}</content></entry>"
    )
    async with Site() as site:
        atom = "<feed xmlns='http://www.w3.org/2005/Atom'><title>Blog</title>{}</feed>"
        site.pages = {"/f": ("application/xml", atom.format(item.format(1, "&lt;p&gt;We moved to Bern.&lt;/p&gt;")))}
        settings = feed.Settings(name="news", kind="feed", url=f"{site.url}/f")
        await knowledge.sync(feed.open_source(settings, around))
        site.pages["/f"] = ("application/xml", atom.format(item.format(2, "We hire.")))
        await knowledge.sync(feed.open_source(settings, around))
        assert (await words(knowledge, "moved to Bern"))[0] == "We moved to Bern."
        assert (await knowledge.search("we hire", IN_GENERAL)).passages[0].original == "http://x.test/2"


async def test_a_repository_is_followed_file_by_file(
    knowledge: Knowledge, around: Surroundings, tmp_path: Path
) -> None:
    origin, run = repository(tmp_path)
    (origin / "docs").mkdir()
    (origin / "docs" / "a.md").write_text("# Releases\n\nWe release on Tuesdays.\n", "utf-8")
    (origin / "code.py").write_text("print('no document')", "utf-8")
    run("add", ".")
    run("commit", "-m", "1")
    settings = git.Settings(name="wiki", kind="git", url=str(origin), link="https://git.test/{path}")
    assert (await knowledge.sync(git.open_source(settings, around))).added == 1
    found = (await knowledge.search("when do we release", IN_GENERAL)).passages[0]
    assert (found.title, found.original) == ("Releases", "https://git.test/docs/a.md")
    (origin / "docs" / "b.md").write_text("# Parking\n\nIt is free.\n", "utf-8")
    run("rm", "docs/a.md")
    run("add", ".")
    run("commit", "--amend", "-m", "history is written anew")
    last = await knowledge.sync(git.open_source(settings, around))
    assert (last.added, last.forgotten) == (1, 1)
    assert "We release on Tuesdays." not in await words(knowledge, "release Tuesdays")
    gone = settings.model_copy(update={"url": str(tmp_path / "nothing")})
    assert (await knowledge.sync(git.open_source(gone, around))).state == "away"


async def test_a_repository_behind_a_token_is_read_with_it_and_cut_off_without_it(
    knowledge: Knowledge, around: Surroundings, tmp_path: Path
) -> None:
    origin, run = repository(tmp_path)
    (origin / "a.md").write_text("# Releases\n\nWe release on Tuesdays.\n", "utf-8")
    run("add", ".")
    run("commit", "-m", "1")
    async with GitServer(tmp_path, password="hidden-word") as server:
        settings = git.Settings(name="wiki", kind="git", url=f"{server.url}/origin", token="TOKEN")
        assert (await knowledge.sync(git.open_source(settings, around))).added == 1
        server.password = "another-word"
        report = await knowledge.sync(git.open_source(settings, around))
        assert report.state == "cut off"
        assert "hidden-word" not in f"{report} {await knowledge.sources()}"
        assert await words(knowledge, "release Tuesdays") == []


def repository(folder: Path) -> tuple[Path, Callable[..., None]]:
    """A new repository and a way to run git in it."""
    origin = folder / "origin"
    origin.mkdir()

    def run(*arguments: str) -> None:
        who = ["-c", "user.name=A", "-c", "user.email=a@b.test", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *who, *arguments], cwd=origin, check=True, capture_output=True)

    run("init")
    return origin, run


@pytest.mark.parametrize(
    ("more", "label"),
    [
        ({"url": "https://git.test/public"}, "outside_text"),
        ({"url": "https://git.test/ours", "token": "TOKEN"}, "member_text"),
        ({"url": "git@git.test:ours.git"}, "member_text"),
        ({"url": "https://git.test/ours", "origin": "member_text"}, "member_text"),
        ({"url": "/srv/git/vendor", "origin": "outside_text"}, "outside_text"),
    ],
)
def test_a_repository_that_anybody_reads_is_text_from_outside(more: dict[str, object], label: str) -> None:
    assert git.Settings.model_validate({"name": "x", "kind": "git", **more}).label == label


async def test_another_label_of_a_repository_counts_for_what_is_known(
    knowledge: Knowledge, around: Surroundings, tmp_path: Path
) -> None:
    origin, run = repository(tmp_path)
    (origin / "a.md").write_text("# Releases\n\nWe ship on Tuesdays.\n", "utf-8")
    run("add", ".")
    run("commit", "-m", "one")
    settings = git.Settings(name="wiki", kind="git", url=str(origin))
    await knowledge.sync(git.open_source(settings, around))
    vendor = settings.model_copy(update={"origin": "outside_text"})
    await knowledge.sync(git.open_source(vendor, around))
    assert (await knowledge.search("when do we ship", IN_GENERAL)).passages[0].origin == "outside_text"


# -- the charter ----------------------------------------------------------------------------------

GOOD = """\
embeddings: {provider: openai, model: text-embedding-3-small, dimension: 1536, key: EMBEDDINGS_KEY}
sources:
  - {name: wiki, kind: web, pages: ["https://wiki.test"], readers: ["#finance", role:finance], every: 1h}
  - {name: news, kind: feed, url: "https://news.test/feed"}
"""


def test_the_sources_of_a_charter() -> None:
    made = load(GOOD, roles={"finance"}, channels={"#finance"}, people={"ada"})
    assert [(source.kind, source.every) for source in made.sources] == [
        ("web", timedelta(hours=1)),
        ("feed", timedelta(minutes=15)),
    ]
    assert made.embeddings.name == "openai:text-embedding-3-small/1536"
    assert made.secrets() == {"EMBEDDINGS_KEY"}
    assert load("# nothing\n", roles=set(), channels=set(), people=set()).sources == ()


def test_every_mistake_in_the_sources_has_its_line_and_a_suggestion() -> None:
    bad = (
        GOOD.replace("kind: web", "kind: wbe")
        .replace("url:", "readers: [role:finanze, '#fin', person:bob, all], ulr:")
        .replace("provider: openai", "provider: openia")
    )
    with pytest.raises(CharterError) as refused:
        load(bad, roles={"finance"}, channels={"#finance"}, people={"ada"})
    assert any(problem.startswith("knowledge/sources.yaml:1:") for problem in refused.value.problems)
    bad = bad.replace("provider: openia", "provider: openai")
    with pytest.raises(CharterError) as refused:
        load(bad, roles={"finance"}, channels={"#finance"}, people={"ada"})
    assert refused.value.problems == [
        "knowledge/sources.yaml:3: unknown kind of source 'wbe' (did you mean 'web'?)",
        "knowledge/sources.yaml:4: 'url' is missing",
        "knowledge/sources.yaml:4: unknown word 'ulr' (did you mean 'url'?)",
    ]
    bad = bad.replace("ulr", "url").replace("wbe", "web")
    with pytest.raises(CharterError) as refused:
        load(bad, roles={"finance"}, channels={"#finance"}, people={"ada"})
    assert refused.value.problems == [
        "knowledge/sources.yaml:4: unknown role 'finanze' (did you mean 'finance'?)",
        "knowledge/sources.yaml:4: unknown channel '#fin' (did you mean '#finance'?)",
        "knowledge/sources.yaml:4: unknown person 'bob'",
        "knowledge/sources.yaml:4: 'all' is no reader: write team, \"#channel\", role:NAME or person:ID",
    ]


def test_every_kind_of_source_is_one_file() -> None:
    assert set(discover()) == {
        "calendar",
        "chat",
        "crm",
        "decisions",
        "feed",
        "folder",
        "git",
        "mail",
        "mcp",
        "outputs",
        "web",
    }


# -- keeping them read ----------------------------------------------------------------------------


async def test_sources_are_read_when_due_and_forgotten_when_no_longer_named(
    knowledge: Knowledge, around: Surroundings, sqlite_store: Store, clock: FixedClock, tmp_path: Path
) -> None:
    (tmp_path / "charter" / "knowledge").mkdir(parents=True)
    (tmp_path / "charter" / "knowledge" / "own.md").write_text("# Own\n\nLunch is at noon.\n", "utf-8")
    async with Site() as site:
        site.pages = {"/a": page("Refunds take ten days.")}
        named: list[SourceSettings] = [web.Settings(name="wiki", kind="web", pages=(f"{site.url}/a",))]
        keeper = Keeper(knowledge, sqlite_store, lambda: around, lambda: named)
        await keeper.look()
        assert await words(knowledge, "lunch")
        assert await words(knowledge, "refunds")
        site.pages["/a"] = page("Refunds take five days.")
        await keeper.look()
        assert "Refunds take ten days." in await words(knowledge, "refunds")
        clock.advance(minutes=16)
        await keeper.look()
        found = await words(knowledge, "refunds")
        assert "Refunds take five days." in found
        assert "Refunds take ten days." not in found
        named.clear()
        await keeper.look()
        assert "Refunds take five days." not in await words(knowledge, "refunds")
        assert await words(knowledge, "lunch")
        assert [status.name for status in await knowledge.sources()] == ["folder:charter"]


async def test_a_folder_in_a_folder_that_is_a_source_is_read_for_its_own_readers_alone(
    knowledge: Knowledge, around: Surroundings, sqlite_store: Store
) -> None:
    vault = around.charter / "knowledge" / "vault"
    vault.mkdir(parents=True)
    (vault / "plan.md").write_text("# Plan\n\nWe buy the harbour.\n", "utf-8")
    named: list[SourceSettings] = []
    keeper = Keeper(knowledge, sqlite_store, lambda: around, lambda: named)
    await keeper.look()
    assert await words(knowledge, "buy the harbour")
    named.append(folder.Settings(name="vault", kind="folder", path="vault", readers=("#finance",)))
    await keeper.look()
    assert await words(knowledge, "buy the harbour") == []
    assert await words(knowledge, "buy the harbour", Audience.of_channel(FINANCE)) == ["We buy the harbour."]


async def test_other_readers_count_at_once_also_for_what_is_not_read_again(
    knowledge: Knowledge, around: Surroundings, sqlite_store: Store
) -> None:
    folder_path = around.charter / "knowledge"
    folder_path.mkdir(parents=True)
    async with Site() as site:
        item = "<item><guid>{0}</guid><title>{0}</title><description>{1}</description></item>"
        rss = "<rss><channel>{}</channel></rss>"
        site.pages = {"/f": ("application/xml", rss.format(item.format(1, "We launch in May.")))}
        named: list[SourceSettings] = [feed.Settings(name="news", kind="feed", url=f"{site.url}/f")]
        keeper = Keeper(knowledge, sqlite_store, lambda: around, lambda: named)
        await keeper.look()
        assert await words(knowledge, "launch in May")
        site.pages["/f"] = 503
        named[0] = named[0].model_copy(update={"readers": ("#finance",), "every": timedelta(days=1)})
        await keeper.look()
        assert await words(knowledge, "launch in May") == []
        assert await words(knowledge, "launch in May", Audience.of_channel(FINANCE)) == ["We launch in May."]
        site.pages["/f"] = ("application/xml", rss.format(item.format(2, "We hire.")))
        named[0] = named[0].model_copy(update={"readers": ("person:ada",)})
        again = Keeper(knowledge, sqlite_store, lambda: around, lambda: named)  # after a restart
        await again.look()
        assert await words(knowledge, "launch in May", Audience.of_channel(FINANCE)) == []
        found = await words(knowledge, "we", Audience.of_person(ADA))
        assert {"We launch in May.", "We hire."} <= set(found)


async def test_other_readers_open_nothing_that_is_cut_off_or_names_its_own(
    knowledge: Knowledge, around: Surroundings, sqlite_store: Store
) -> None:
    vault = around.charter / "knowledge" / "vault"
    vault.mkdir(parents=True)
    (vault / "plan.md").write_text("---\nreaders: [role:board]\n---\n# Plan\n\nWe buy the harbour.\n", "utf-8")
    async with Site() as site:
        site.pages = {"/a": page("Refunds take ten days.")}
        named: list[SourceSettings] = [
            folder.Settings(name="vault", kind="folder", path="vault", readers=("#finance",)),
            web.Settings(name="wiki", kind="web", pages=(f"{site.url}/a",), readers=("#finance",)),
        ]
        keeper = Keeper(knowledge, sqlite_store, lambda: around, lambda: named)
        await keeper.look()
        assert await words(knowledge, "refunds", Audience.of_channel(FINANCE))
        site.pages["/a"] = 403
        await keeper.read_now("wiki")
        await keeper.look()
        named[:] = [each.model_copy(update={"readers": ("team",)}) for each in named]
        await Keeper(knowledge, sqlite_store, lambda: around, lambda: named).look()
        assert await words(knowledge, "refunds") == []
        assert await words(knowledge, "buy the harbour") == []
        assert await words(knowledge, "buy the harbour", Audience.of_person(ADA, ["board"])) == ["We buy the harbour."]


async def test_a_slow_source_keeps_nobody_waiting_and_is_read_again_where_that_was_asked_meanwhile(
    knowledge: Knowledge, around: Surroundings, sqlite_store: Store
) -> None:
    async with Site() as slow, Site() as quick:
        slow.pages, quick.pages = {"/a": page("Refunds take ten days.")}, {"/a": page("Parking is free.")}
        slow.open.clear()
        named = [
            web.Settings(name=name, kind="web", pages=(f"{site.url}/a",), obey_robots=False)
            for name, site in (("slow", slow), ("quick", quick))
        ]
        keeper = Keeper(knowledge, sqlite_store, lambda: around, lambda: named)
        keeper.start()
        try:
            await until(lambda: words(knowledge, "parking is free"))
            await until(lambda: slow.waiting)
            assert "Refunds take ten days." not in await words(knowledge, "refunds")
            assert "web:slow" in await keeper.read_now("slow")
            slow.open.set()
            await until(lambda: [line for line in slow.asked if line == "304 /a"])
        finally:
            slow.open.set()
            await keeper.stop()
        assert (await words(knowledge, "refunds"))[0] == "Refunds take ten days."


async def test_a_file_that_is_saved_is_known_at_once(
    knowledge: Knowledge, around: Surroundings, sqlite_store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "charter" / "knowledge"
    folder.mkdir(parents=True)
    keeper = Keeper(knowledge, sqlite_store, lambda: around, list)
    keeper.start()
    try:
        (folder / "new.md").write_text("# New\n\nUnicorns are welcome.\n", "utf-8")
        await until(lambda: words(knowledge, "unicorns"))
        (folder / "new.md").write_text("# New\n\nDragons are welcome.\n", "utf-8")
        await until(lambda: words(knowledge, "dragons"))
    finally:
        await keeper.stop()


async def until(look: Callable[[], object]) -> None:
    """Wait until something is there: what is read in the background is read when its turn comes."""
    async with asyncio.timeout(30):
        while True:
            answer = look()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.05)


async def test_ada_alone_reads_a_source_that_is_hers(knowledge: Knowledge, around: Surroundings) -> None:
    async with Site() as site:
        site.pages = {"/a": page("My plan is to sail.")}
        settings = web.Settings(name="mine", kind="web", pages=(f"{site.url}/a",), readers=("person:ada",))
        await knowledge.sync(web.open_source(settings, around))
    assert await words(knowledge, "plan to sail") == []
    assert await words(knowledge, "plan to sail", Audience.of_person(ADA)) == ["My plan is to sail."]
