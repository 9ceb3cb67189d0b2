"""A running web chat on a free port, with a team, a store and a desk of its own; and browsers that look at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, WebError, async_playwright

from bot.engine.bridges import command_hints
from bot.engine.commands import discover
from bot.web.server import WebServer
from bot.web.views import AgentHint, Channel, DocumentView, Prompt, Section, Settings, Sources
from kernel.clock import SystemClock, SystemIds
from kernel.store import Store, open_store
from kernel.types import Person
from tests.web.echo import EchoDesk
from tests.web.team import Team

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here share one event loop, so that they can share one browser."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


CHANNELS = (
    Channel(id="general", name="#general", purpose="Everybody, everything"),
    Channel(id="finance", name="#finance", purpose="Invoices, payments, budgets"),
    Channel(id="approvals", name="#approvals", purpose="What waits for a decision"),
    Channel(id="board", name="#board", purpose="For Dee", members=frozenset({"dee"})),
)
AGENTS = (
    AgentHint(name="finance", description="Invoices, payments and budgets"),
    AgentHint(name="research", description="Reads the knowledge base and the web"),
)
COMMANDS = command_hints(discover())
PROMPTS = (
    Prompt(title="Ask the handbook", message="What is our refund policy?"),
    Prompt(title="Pay an invoice", message="finance: pay invoice 1881 from ACME", channel="finance"),
    Prompt(title="What waits for me?", message="approvals"),
)


async def document(document_id: str, person: Person) -> DocumentView | None:
    """The handbook, for everybody but Cy."""
    if document_id != "handbook" or person.id == "cy":
        return None
    sections = (
        Section(anchor="one", markdown="## Travel\nTrains before planes. <script>alert(1)</script>"),
        Section(anchor="two", markdown="## Refunds\nRefunds up to EUR 200 need no approval."),
    )
    return DocumentView(title="Handbook", sections=sections, origin="charter/knowledge/handbook.md")


class Chat:
    """A running web chat."""

    def __init__(self, store: Store, folder: Path, *, demo: bool, port: int = 0) -> None:
        self.store = store
        self.team = Team()
        self.clock = SystemClock()
        self.desk = EchoDesk(store=store, clock=self.clock, ids=SystemIds(), team=self.team)
        self.sources = Sources(
            people=self.team.people,
            channels=lambda: CHANNELS,
            agents=lambda: AGENTS,
            prompts=lambda: PROMPTS,
            home=self.desk.home,
            document=document,
            votes=self.desk.votes,
        )
        self.server = WebServer(
            store=store,
            clock=self.clock,
            ids=SystemIds(),
            directory=self.team,
            settings=Settings(folder=folder, port=port, workspace="Harbour", demo=demo, commands=COMMANDS),
            sources=self.sources,
        )
        self.desk.adapter = self.server.adapter

    async def start(self) -> None:
        """Take requests."""
        await self.server.adapter.start(self.desk.receive)
        await self.server.start()

    async def stop(self) -> None:
        """Take no more."""
        await self.server.stop()
        await self.server.adapter.stop()
        self.desk.stopped.set()
        await self.desk.idle()

    @asynccontextmanager
    async def client(self, person: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client, signed in as `person` where one is named."""
        headers = {"x-bosun": "1"} if person else {}
        async with httpx.AsyncClient(base_url=self.server.url, headers=headers) as client:
            if person:
                answer = await client.get(self.server.login_link(person))
                assert answer.status_code == 303, answer.text
            yield client


@pytest.fixture
def store(sqlite_with_tables: str) -> Iterator[Store]:
    """A store with tables, on SQLite."""
    made = open_store(sqlite_with_tables)
    yield made
    made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chat(store: Store, tmp_path: Path) -> AsyncIterator[Chat]:
    """A running web chat in demo mode."""
    made = Chat(store, tmp_path / "data", demo=True)
    await made.start()
    yield made
    await made.stop()


# -- browsers ---------------------------------------------------------------------------------------------------

Visit = Callable[..., Awaitable[Page]]


class Problems:
    """What a browser complains about: each is a failure of the test that used it."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.expected: tuple[str, ...] = ()

    def watch(self, context: BrowserContext) -> None:
        """Listen to a context's pages."""
        context.on("console", self._console)
        context.on("weberror", self._uncaught)

    def leave(self, context: BrowserContext) -> None:
        """Listen to it no more."""
        context.remove_listener("console", self._console)
        context.remove_listener("weberror", self._uncaught)

    def _uncaught(self, error: WebError) -> None:
        self.found.append(f"uncaught: {error.error}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(text in message.text for text in self.expected):
            self.found.append(message.text)

    def expect(self, *texts: str) -> None:
        """Complaints that the test brings about."""
        self.expected += texts


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium_launch: dict[str, Any]) -> AsyncIterator[Browser]:
    """A Chromium, started once."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(**chromium_launch)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def spare(browser: Browser) -> list[BrowserContext]:
    """Contexts without cookies and pages that nobody uses now: making one takes longer than a visit."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def problems() -> AsyncIterator[Problems]:
    """Fails the test if a page broke its content security policy or threw an error."""
    made = Problems()
    yield made
    assert not made.found, made.found


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chat: Chat, browser: Browser, spare: list[BrowserContext], problems: Problems) -> AsyncIterator[Visit]:
    """Open the chat as a person, each in a browser of their own: `await visit("bo", "/c/finance")`."""
    usual: list[BrowserContext] = []
    special: list[BrowserContext] = []

    async def open_as(person: str, path: str = "/c/general", **options: Any) -> Page:
        if spare and not options:
            context = spare.pop()
        else:
            wanted = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", "locale": "en-GB"}
            context = await browser.new_context(**{**wanted, **options})
        (special if options else usual).append(context)
        context.set_default_timeout(8000)
        problems.watch(context)
        page = await context.new_page()
        await context.request.get(chat.server.login_link(person))
        await page.goto(chat.server.url + path)
        await page.locator("h1").wait_for()
        return page

    yield open_as
    for context in special:
        await context.close()
    for context in usual:
        for page in context.pages:
            await page.close()
        problems.leave(context)
        await context.clear_cookies()
        await context.set_offline(False)
        spare.append(context)
