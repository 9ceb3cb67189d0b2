"""search_web asks the service that is set up, in its own language, and takes what comes back for outside text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kernel.types import ToolResult
from tests.tools.cases import shows
from tests.tools.conftest import Perform
from tests.tools.mcp_servers import serving
from tools.engine import ToolContext
from tools.engine.permit import digest_of, issue
from tools.engine.setup.file import ToolsFile
from tools.search_web import search_web

HIT = {"title": "Refunds\nexplained", "url": "https://shop.example/refunds"}
BAD = [{"title": "no address"}, {"url": "javascript:alert(1)"}, "no record"]


@dataclass
class Engine:
    """The three services, as their documentation describes them."""

    url: str = ""
    asked: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)  # path, parameters, key
    broken: Response | None = None

    async def searxng(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.asked.append(("searxng", query, ""))
        return self.broken or JSONResponse({"query": query["q"], "results": [{**HIT, "content": "In 14 days."}, *BAD]})

    async def brave(self, request: Request) -> Response:
        self.asked.append(("brave", dict(request.query_params), request.headers["x-subscription-token"]))
        return self.broken or JSONResponse({"web": {"results": [{**HIT, "description": "In 14 days."}, *BAD]}})

    async def tavily(self, request: Request) -> Response:
        self.asked.append(("tavily", await request.json(), request.headers["authorization"]))
        return self.broken or JSONResponse({"results": [{**HIT, "content": "In 14 days.", "score": 0.9}, *BAD]})

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/searxng/search", self.searxng),
                Route("/brave/web/search", self.brave),
                Route("/tavily/search", self.tavily, methods=["POST"]),
            ]
        )


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    made = Engine()
    async with serving(made.app()) as address:
        made.url = address
        yield made


def setup(engine: Engine, provider: str) -> ToolsFile:
    key = {} if provider == "searxng" else {"key": "SEARCH_KEY"}
    return ToolsFile.model_validate(
        {"web": {"search": {"provider": provider, "url": f"{engine.url}/{provider}", **key}}}
    )


async def look(ctx: ToolContext, engine: Engine, provider: str, **arguments: Any) -> ToolResult:
    given = {"query": "refund policy", "limit": 5, **arguments}
    secrets = {} if provider == "searxng" else {"SEARCH_KEY": "k-123456"}
    permit = issue(call_id=ctx.call_id, tool="search_web", digest=digest_of("search_web", given), secrets=secrets)
    return await search_web.perform(permit, given, replace(ctx, setup=setup(engine, provider)))


@pytest.mark.parametrize(
    ("provider", "parameters", "key"),
    [
        ("searxng", {"q": "refund policy", "format": "json"}, ""),
        ("brave", {"q": "refund policy", "count": "5"}, "k-123456"),
        ("tavily", {"query": "refund policy", "max_results": 5}, "Bearer k-123456"),
    ],
)
@shows("works", "search_web")
@shows("hostile", "search_web")
async def test_each_service_is_asked_in_its_own_language(
    ctx: ToolContext, engine: Engine, provider: str, parameters: dict[str, Any], key: str
) -> None:
    found = await look(ctx, engine, provider)
    assert not found.error, found.content
    assert found.content == "title: Refunds explained | url: https://shop.example/refunds | text: In 14 days."
    assert engine.asked == [(provider, parameters, key)]
    assert {piece.origin for piece in found.pieces} == {"outside_text"}
    assert [source.url for source in found.sources] == ["https://shop.example/refunds"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (JSONResponse({"results": []}), "The search found nothing."),
        (JSONResponse({}, status_code=429), "Tavily asks for fewer requests (status 429). Try again later."),
        (JSONResponse({}, status_code=401), "Tavily does not allow searching (status 401)."),
        (JSONResponse({}, status_code=503), "Tavily had a fault of its own (status 503)."),
        (PlainTextResponse("<html>"), "Tavily gave no proper answer: it is not JSON."),
        (JSONResponse({"results": "many"}), "Tavily gave no proper answer: it holds no results."),
        (PlainTextResponse("x" * 5_000_000), "Tavily gave no proper answer. The page is larger than 4,000,000 bytes."),
    ],
)
@shows("not let in", "search_web")
@shows("not there", "search_web")
@shows("garbage", "search_web")
@shows("huge", "search_web")
@shows("too many", "search_web")
async def test_what_goes_wrong_is_a_sentence(ctx: ToolContext, engine: Engine, answer: Response, says: str) -> None:
    engine.broken = answer
    assert (await look(ctx, engine, "tavily")).content == says


async def test_a_service_that_is_not_there_is_named(ctx: ToolContext) -> None:
    found = await look(ctx, Engine(url="http://127.0.0.1:9"), "searxng")
    assert found.content == "SearXNG cannot be reached. Nothing was sent."


async def test_without_a_service_the_tool_is_off(ctx: ToolContext, perform: Perform) -> None:
    from tools.engine import discover

    tools = discover()
    tools.configure(ToolsFile())
    assert not tools.is_on("search_web")
    tools.configure(setup(Engine(url="http://x"), "searxng"))
    assert tools.is_on("search_web")
    assert (await perform(search_web, query="anything", limit=1)).error
