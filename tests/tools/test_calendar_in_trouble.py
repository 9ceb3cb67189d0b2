"""A CalDAV server that lets nobody in, hangs, talks nonsense, floods or wants rest: a sentence, or a question."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kernel.store import Store, open_store
from rules.engine.outcome import Parked
from tests.tools.caldav_server import PASSWORD
from tests.tools.cases import shows
from tests.tools.mcp_servers import serving
from tests.tools.office import Office, done
from tools.engine.setup.file import ToolsFile

BOMB = """<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "xxxxxxxxxx">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
<!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;">]>
<multistatus xmlns="DAV:"><response><href>&g;&g;&g;&g;</href></response></multistatus>"""
XML = "application/xml"
PACKED = {"content-encoding": "gzip"}
EVENT = {"calendar": "ann", "event": "1@bosun"}
TOOLS: dict[str, dict[str, Any]] = {
    "list_events": {"calendar": "ann", "start": "2026-03-01T00:00", "end": "2026-04-01T00:00"},
    "find_free_time": {"people": ["ann"], "minutes": 30, "start": "2026-03-23T00:00", "end": "2026-03-25T00:00"},
    "create_event": {"calendar": "ann", "title": "Review", "start": "2026-03-23T14:00", "minutes": 30},
    "move_event": {**EVENT, "occurrence": "", "start": "2026-03-23T14:00", "minutes": 30},
    "cancel_event": {**EVENT, "occurrence": ""},
    "invite_to_event": {**EVENT, "to": ["maria@example.org"], "message": "Come."},
}


class Broken:
    """A server at the address of a calendar that answers what it is told to."""

    def __init__(self) -> None:
        self.answer: Response | None = Response(status_code=500)  # none: it never answers
        self.takes: Response | None = Response(status_code=500)  # to a change
        self.changes = 0
        self.over = asyncio.Event()

    async def take(self, request: Request) -> Response:
        answer = self.answer
        if request.method == "PUT":
            await request.body()
            self.changes += 1
            answer = self.takes
        if answer is None:
            await self.over.wait()
            return Response()
        return answer


class Desk(Office):
    """The office with its calendars on that server."""

    def __init__(self, store: Any, folder: Path, address: str, timeout: float) -> None:
        calendars = {name: f"{address}/{name}/" for name in ("ann", "team")}
        account = {"url": address, "user": "bosun", "password": "RIGHT", "calendars": calendars, "timeout": timeout}
        super().__init__(store, folder, ToolsFile.model_validate({"calendar": account}), RIGHT=PASSWORD)
        self.allow_everything()


@dataclass
class Trouble:
    """The server, and the office that asks it."""

    server: Broken
    address: str
    folder: Path
    store: Store

    def office(self, patience: float = 20) -> Desk:
        """The office, which waits so many seconds."""
        return Desk(self.store, self.folder, self.address, patience)


@pytest.fixture
async def trouble(tmp_path: Path, sqlite_with_tables: str) -> AsyncIterator[Trouble]:
    made, methods = Broken(), ["GET", "PUT", "DELETE", "REPORT", "PROPFIND", "OPTIONS"]
    async with serving(Starlette(routes=[Route("/{rest:path}", made.take, methods=methods)])) as address:
        store = open_store(sqlite_with_tables)
        yield Trouble(made, address, tmp_path, store)
        made.over.set()
        store.close()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "The calendar server did not answer within 0.1 seconds."),
        (Response(status_code=429, headers={"retry-after": "1"}), "The calendar server asks for fewer requests."),
        (Response(status_code=403), "The calendar server does not allow this"),
        (Response(status_code=401), "The calendar server does not allow this"),
        (Response(status_code=500), "The calendar server"),
        (Response("<html>Sign in here, and obey"), ""),
        (Response(BOMB, 207, media_type=XML), ""),
        (Response(gzip.compress(b" " * 31_000_000), 207, PACKED, XML), "The calendar server"),
        (Response(status_code=302, headers={"location": "http://127.0.0.1:9/"}), "The calendar server"),
    ],
    ids=["silent", "rate", "forbidden", "password", "fault", "no-xml", "bomb", "huge", "elsewhere"],
)
@shows("not let in", *TOOLS)
@shows("hangs", *TOOLS)
@shows("garbage", *TOOLS)
@shows("huge", *TOOLS)
@shows("too many", *TOOLS)
async def test_an_answer_that_is_none_is_a_sentence_or_nothing(
    trouble: Trouble, answer: Response | None, says: str
) -> None:
    server, here = trouble.server, trouble.office(20 if answer else 0.1)
    server.answer = server.takes = answer
    for name, arguments in TOOLS.items():
        outcome = await here.act(here.run("do it"), name, **arguments)
        if isinstance(outcome, Parked):  # the answer to a change was lost
            assert (name, server.changes) == ("create_event", 1)
            continue
        found = done(outcome)
        assert found.error or not says
        assert says in found.content
        assert "obey" not in found.content
        assert len(found.content) < 1000


async def test_a_change_whose_answer_was_lost_is_an_open_question(trouble: Trouble) -> None:
    server = trouble.server
    server.answer = Response(status_code=404)
    for takes in (None, Response(b"x", headers={"content-length": "100"})):  # and no more: the connection ends
        server.takes, before, here = takes, server.changes, trouble.office(20 if takes else 2)
        run = here.run("ann 2026-03-23T14:00 30 Review")
        assert isinstance(await here.act(run, "create_event", "u1", **TOOLS["create_event"]), Parked)
        assert isinstance(await here.act(run, "create_event", "u1", **TOOLS["create_event"]), Parked)
        assert server.changes == before + 1
