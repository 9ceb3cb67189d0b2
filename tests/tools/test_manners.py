"""A site's robots.txt is respected, and its server is given pauses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from kernel.types import ToolResult
from tests.tools.conftest import Perform
from tests.tools.web_server import WebServer, head, running
from tools.engine import ToolContext
from tools.engine.web.manners import FORBIDS, Manners
from tools.engine.web.settings import WebSettings
from tools.fetch_page import fetch_page


class Time:
    """Seconds that pass when somebody waits for them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


class Reader:
    """Reads pages of one server."""

    def __init__(self, server: WebServer, ctx: ToolContext, perform: Perform) -> None:
        self.server, self.time, self.perform = server, Time(), perform
        settings = WebSettings(
            robots=True,
            pause=1.0,
            manners=Manners(now=lambda: self.time.now, sleep=self.time.sleep),
            may_reach=lambda address: str(address) == "127.0.0.1",
        )
        self.ctx = replace(ctx, http=settings)
        server.page("/open", "<p>Hello</p>")
        server.page("/closed/page", "<p>Secret</p>")

    async def read(self, path: str) -> ToolResult:
        return await self.perform(fetch_page, self.ctx, url=self.server.url(path))

    def asked(self) -> list[str]:
        return [one.path for one in self.server.asked]


@pytest.fixture
async def reader(ctx: ToolContext, perform: Perform) -> AsyncIterator[Reader]:
    async with running() as server:
        yield Reader(server, ctx, perform)


async def test_what_a_site_forbids_is_not_read(reader: Reader) -> None:
    reader.server.page("/robots.txt", "User-agent: bosun\nDisallow: /closed/\n", kind="text/plain")
    assert not (await reader.read("/open")).error
    refused = await reader.read("/closed/page")
    assert (refused.error, refused.content) == (True, FORBIDS)
    assert reader.asked() == ["/robots.txt", "/open"]  # asked for its rules once


async def test_a_redirect_to_a_forbidden_page_is_not_followed(reader: Reader) -> None:
    reader.server.page("/robots.txt", "User-agent: *\nDisallow: /closed/\n", kind="text/plain")
    reader.server.redirect("/moved", "/closed/page")
    assert (await reader.read("/moved")).content == FORBIDS
    assert "/closed/page" not in reader.asked()


@pytest.mark.parametrize(("status", "reads"), [(404, True), (403, True), (500, False)])
async def test_a_site_without_rules_is_read_and_one_in_trouble_is_not(reader: Reader, status: int, reads: bool) -> None:
    async def answer(_asked: object, writer: object) -> None:
        writer.write(head(status, {"Content-Length": "0"}))  # type: ignore[attr-defined]

    reader.server.answers["/robots.txt"] = answer
    assert (await reader.read("/open")).error is not reads


async def test_a_server_is_given_pauses_as_long_as_it_asks_for(reader: Reader) -> None:
    reader.server.page("/robots.txt", "User-agent: *\nCrawl-delay: 3\n", kind="text/plain")
    for _ in range(3):
        assert not (await reader.read("/open")).error
    assert reader.time.waited == [3.0, 3.0]
