"""Resources of real MCP servers: read when they change, forgotten when they vanish, silent once we are not let in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from mcp.server import MCPServer
from mcp.server.mcpserver.resources import BinaryResource, FunctionResource
from mcp.types import Annotations
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel.clock import FixedClock, SystemIds
from kernel.errors import CharterError
from kernel.store import Store
from knowledge import mcp
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.source_settings import Surroundings
from knowledge.engine.sources_file import load
from tests.knowledge import files
from tests.knowledge.conftest import Opened
from tests.knowledge.team import IN_FINANCE, IN_GENERAL, Audience
from tests.tools.mcp_servers import program, serving
from tests.tools.team import Team
from tools.engine import discover
from tools.engine.setup.file import ToolsFile
from tools.engine.toolbox import Toolbox


class Wiki:
    """A server with resources; it lets in whoever has the token, and counts what was read."""

    def __init__(self) -> None:
        self.server = MCPServer("wiki")
        self.token = "hidden-word"
        self.reads: list[str] = []
        self.url = ""

    def say(self, uri: str, text: str | bytes, media_type: str, changed: str = "") -> None:
        """Offer a resource, or its new version."""
        self.hide(uri)

        def read() -> str | bytes:
            self.reads.append(uri)
            return text

        self.server.add_resource(
            FunctionResource(
                uri=uri,
                name=uri.rpartition("/")[2],
                title=uri.rpartition("/")[2].capitalize(),
                mime_type=media_type,
                annotations=Annotations(last_modified=changed) if changed else None,
                fn=read,
            )
        )

    def hide(self, uri: str) -> None:
        """Offer it no more."""
        self.server._resource_manager._resources.pop(uri, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse whoever has another token."""
        headers = dict(scope.get("headers", []))
        if scope["type"] == "http" and headers.get(b"x-token") != self.token.encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"Who are you?"})
            return
        await self.app(scope, receive, send)

    @property
    def app(self) -> ASGIApp:
        if not hasattr(self, "_app"):
            self._app = self.server.streamable_http_app()
        return self._app


@pytest.fixture
async def wiki() -> AsyncIterator[Wiki]:
    made = Wiki()
    async with serving(made) as address:
        made.url = f"{address}/mcp"
        yield made


@pytest.fixture
async def knowledge(sqlite_store: Store, open_knowledge: Opened) -> Knowledge:
    return await open_knowledge(sqlite_store)


@pytest.fixture
async def connected(
    around: Surroundings, sqlite_store: Store, clock: FixedClock, wiki: Wiki, tmp_path: Path
) -> AsyncIterator[Surroundings]:
    """Surroundings with three servers: an honest one, one that offers nothing, and one that does not start."""
    toolbox = Toolbox(discover())
    toolbox.connect(
        store=sqlite_store,
        clock=clock,
        ids=SystemIds(),
        directory=Team(),
        secrets={"TOKEN": "hidden-word"},
        where=lambda: None,
    )
    servers = {
        "wiki": {"url": wiki.url, "headers": {"x-token": "TOKEN"}},
        "bare": {"command": program("plain", str(tmp_path / "log"))},
        "lost": {"command": ["/nowhere/at-all"]},
    }
    toolbox.use(ToolsFile.model_validate({"mcp": servers}), tmp_path)
    yield replace(around, server=toolbox.resources)
    await toolbox.stop()


def settings(server: str = "wiki", **more: object) -> mcp.Settings:
    return mcp.Settings.model_validate({"name": "wiki", "kind": "mcp", "server": server, **more})


async def words(knowledge: Knowledge, query: str, audience: Audience = IN_GENERAL) -> list[str]:
    return [passage.text for passage in (await knowledge.search(query, audience)).passages]


async def test_resources_are_read_when_they_change_and_forgotten_when_they_vanish(
    knowledge: Knowledge, connected: Surroundings, wiki: Wiki
) -> None:
    wiki.say("wiki://refunds", "# Refunds\n\nThey take ten days.", "text/markdown", changed="2026-03-01T08:00:00Z")
    wiki.say("wiki://plan", files.pdf("We sail at dawn."), "application/pdf")
    wiki.say("other://x", "Nobody asked for this.", "text/plain")
    chosen = settings(below="wiki:", readers=("#finance",))
    assert (await knowledge.sync(mcp.open_source(chosen, connected))).summary == (
        "2 added, 0 changed, 0 unchanged, 0 removed"
    )
    found = (await knowledge.search("refunds ten days", IN_FINANCE)).passages[0]
    assert (found.title, found.text, found.origin) == ("Refunds", "They take ten days.", "outside_text")
    assert (await words(knowledge, "when do we sail", IN_FINANCE))[0] == "We sail at dawn."
    assert await words(knowledge, "refunds") == []
    wiki.reads.clear()
    assert (await knowledge.sync(mcp.open_source(chosen, connected))).unchanged == 2
    assert wiki.reads == ["wiki://plan"]  # nothing says when it was changed; its text is not embedded again
    wiki.say("wiki://refunds", "# Refunds\n\nThey take five days.", "text/markdown", changed="2026-03-02T08:00:00Z")
    wiki.hide("wiki://plan")
    report = await knowledge.sync(mcp.open_source(chosen, connected))
    assert (report.changed, report.forgotten) == (1, 1)
    assert await words(knowledge, "refunds take five days", IN_FINANCE) == ["They take five days."]
    assert "We sail at dawn." not in await words(knowledge, "we sail at dawn", IN_FINANCE)


async def test_a_server_that_no_longer_lets_us_in_answers_no_more_until_it_does(
    knowledge: Knowledge, connected: Surroundings, wiki: Wiki
) -> None:
    wiki.say("wiki://refunds", "They take ten days.", "text/plain")
    trusted = settings(origin="member_text")
    await knowledge.sync(mcp.open_source(trusted, connected))
    assert (await knowledge.search("refunds ten days", IN_GENERAL)).passages[0].origin == "member_text"
    wiki.token = "another-word"
    report = await knowledge.sync(mcp.open_source(trusted, connected))
    assert report.state == "cut off"
    assert report.refused[0].reason == "The MCP server wiki does not let us in."
    assert await words(knowledge, "refunds ten days") == []
    wiki.token = "hidden-word"
    assert (await knowledge.sync(mcp.open_source(trusted, connected))).unchanged == 1
    assert await words(knowledge, "refunds ten days") == ["They take ten days."]


async def test_one_resource_that_cannot_be_read_stops_no_other(
    knowledge: Knowledge, connected: Surroundings, wiki: Wiki
) -> None:
    wiki.say("wiki://refunds", "They take ten days.", "text/x-unheard-of")
    wiki.say("wiki://film", b"\0\1", "video/mp4")
    wiki.server.add_resource(
        BinaryResource(uri="wiki://scan", name="scan", mime_type="application/pdf", data=b"<html>")
    )
    named = settings(resources=["wiki://nothing"])
    report = await knowledge.sync(mcp.open_source(named, connected))
    assert report.added == 1
    assert {each.key: each.reason for each in report.refused} == {
        "wiki://film": ".mp4 files are not read.",
        "wiki://nothing": "The MCP server wiki does not give wiki://nothing.",
        "wiki://scan": "It is not a PDF, whatever its name says.",
    }
    assert await words(knowledge, "refunds ten days") == ["They take ten days."]


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("bare", "The MCP server bare offers no resources."),
        ("lost", "The MCP server lost cannot be reached"),
        ("unknown", "The MCP server unknown is not set up here."),
    ],
)
async def test_a_server_that_cannot_be_asked_is_away(
    knowledge: Knowledge, connected: Surroundings, server: str, reason: str
) -> None:
    report = await knowledge.sync(mcp.open_source(settings(server), connected))
    assert report.state == "away"
    assert report.refused[0].reason.startswith(reason)


def test_the_server_has_to_stand_in_tools_yaml() -> None:
    text = "sources:\n  - {name: wiki, kind: mcp, server: wki}\n"
    assert load(text, roles=set(), channels=set(), people=set(), servers={"wki"}).sources[0].kind == "mcp"
    with pytest.raises(CharterError) as refused:
        load(text, roles=set(), channels=set(), people=set(), servers={"wiki"})
    assert refused.value.problems == [
        "knowledge/sources.yaml:2: tools.yaml has no MCP server 'wki' (did you mean 'wiki'?)"
    ]
