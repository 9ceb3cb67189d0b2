"""Searching the web through the service that tools.yaml names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kernel.errors import ToolError
from tools.engine.failure import CannotDo
from tools.engine.fields import From, Returned
from tools.engine.web.service import LostError, Service

if TYPE_CHECKING:
    from kernel.types import Json
    from tools.engine.context import ToolContext
    from tools.engine.setup.file import SearchSetup, ToolsFile
    from tools.engine.web.service import Reply

BRAVE, TAVILY = "https://api.search.brave.com/res/v1", "https://api.tavily.com"
NAMES = {"searxng": "SearXNG", "brave": "Brave Search", "tavily": "Tavily"}
TEXT = 500  # characters of each result


class Hit(Returned):
    """A page that was found."""

    title: str
    url: Annotated[str, From(names=True)]
    text: str


def secrets(setup: ToolsFile) -> tuple[str, ...]:
    """What the service needs."""
    return (setup.web.search.key,) if setup.web.search and setup.web.search.key else ()


async def search(query: str, limit: int, ctx: ToolContext) -> list[Hit]:
    """The pages that the service finds. CannotDo, or ToolError where it is quoted."""
    setup = ctx.setup.web.search
    if setup is None:
        raise CannotDo("No search service is set up in tools.yaml.")
    service = _service(setup, ctx)
    try:
        reply = service.checked(await _ask(service, setup, query, limit), "searching")
    except LostError as error:
        raise CannotDo(str(error)) from error
    return [hit for hit in map(_hit, _results(setup, reply.json(service.name))) if hit is not None][:limit]


def _service(setup: SearchSetup, ctx: ToolContext) -> Service:
    key = ctx.secrets[setup.key] if setup.key else ""
    headers = {"searxng": {}, "brave": {"x-subscription-token": key}, "tavily": {"authorization": f"Bearer {key}"}}
    return Service(
        name=NAMES[setup.provider],
        url=setup.url or (BRAVE if setup.provider == "brave" else TAVILY),
        headers=headers[setup.provider],
        timeout=ctx.http.timeout,
        web=ctx.http,
        private=True,  # the address is an administrator's, and SearXNG is usually at home
    )


async def _ask(service: Service, setup: SearchSetup, query: str, limit: int) -> Reply:
    if setup.provider == "tavily":
        return await service.ask("POST", "/search", json={"query": query, "max_results": limit})
    if setup.provider == "brave":
        return await service.ask("GET", "/web/search", query=[("q", query), ("count", str(limit))])
    return await service.ask("GET", "/search", query=[("q", query), ("format", "json")])


def _results(setup: SearchSetup, answer: Json) -> list[Json]:
    where = answer.get("web", {}) if setup.provider == "brave" and isinstance(answer, dict) else answer
    found = where.get("results", []) if isinstance(where, dict) else None
    if not isinstance(found, list):
        raise ToolError(f"{NAMES[setup.provider]} gave no proper answer: it holds no results.")
    return found


def _hit(found: Json) -> Hit | None:
    if not isinstance(found, dict):
        return None
    url = found.get("url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")) or len(url) > 2000:
        return None
    text = found.get("content") or found.get("description") or ""
    return Hit(title=_line(found.get("title") or url, 200), url=url, text=_line(text, TEXT))


def _line(value: object, limit: int) -> str:
    return " ".join(str(value).split())[:limit]
