"""Servers that ask for a sign-in: the link goes to who decides, what is granted is a secret, and renews itself."""

from __future__ import annotations

import asyncio
import json
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.engine import oauth_return
from kernel.clock import FixedClock
from kernel.store import Session, ledger, open_store, outbox
from kernel.types import Card, Press
from rules.engine.outcome import Finished
from tests.rules.people import account
from tests.tools.mcp_office import Connected
from tests.tools.mcp_servers import serving
from tests.tools.oauth_server import Guarded
from tests.tools.office import done
from tools.engine.mcp.sign_ins import SignIns

SUBJECT = "T-NOTES-SIGN-IN"


@pytest.fixture
async def guarded() -> AsyncIterator[Guarded]:
    made = Guarded()
    async with serving(made.server.streamable_http_app(), made.socket):
        yield made


class Bosun:
    """An installation that can be started again on the same database and folder, with its own web address."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database = folder, database
        self.offices: list[Connected] = []
        self.web = ""
        self.now: SignIns | None = None

    async def back(self, state: str, answer: dict[str, str]) -> str | None:
        assert self.now is not None
        return await self.now.back(state, answer)

    def start(self, url: str, **more: Any) -> Connected:
        store, secrets = open_store(self.database), more.pop("secrets", {})
        server = {"url": url, "oauth": True, "tools": {"find": {"effect": "read", "free_text": ["words"]}}, **more}
        self.now = SignIns(store, FixedClock(), self.folder / "mcp", f"{self.web}{oauth_return.PATH}")
        self.offices.append(Connected(store, self.folder, {"notes": server}, self.now, **secrets))
        return self.offices[-1]

    @property
    def file(self) -> Path:
        return self.folder / "mcp" / "notes.json"

    async def stop(self) -> None:
        for office in self.offices:
            await office.toolbox.stop()
            office.store.close()


@pytest.fixture
async def bosun(tmp_path: Path, sqlite_with_tables: str) -> AsyncIterator[Bosun]:
    made = Bosun(tmp_path, sqlite_with_tables)
    async with serving(Starlette(routes=[oauth_return.route(made)])) as made.web:
        yield made
        await made.stop()


def cards(here: Connected) -> list[Card]:
    def read(session: Session) -> list[Card]:
        return [row.content for row in outbox.copies(session, SUBJECT)]  # type: ignore[misc]

    return here.store.read_now(read)


async def press(here: Connected, by: str = "dee") -> str:
    """The private answer to who presses the button."""
    answer = await here.reviews.answer(Press(subject=SUBJECT, verb="sign_in"), here.team.people[by], account(by))
    assert isinstance(answer, str)
    return answer


async def follow(answer: str) -> httpx.Response:
    """What a browser does with the link: to the page, and back to us. Returns what it shows at last."""
    found = re.search(r"http\S+$", answer)
    assert found is not None
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        return await browser.get(found[0])


async def comes(here: Connected, state: str) -> None:
    """Wait until the card says so: it is drawn again when the way back has been gone to its end."""
    changed = asyncio.Event()
    here.store.on(outbox.TOPIC, lambda _lane: changed.set())
    async with asyncio.timeout(30):
        while cards(here)[-1].state != state:
            await changed.wait()
            changed.clear()


async def sign_in(here: Connected) -> None:
    await here.look()
    assert (await follow(await press(here))).text == "Bosun is being signed in to notes. You can close this page."
    await comes(here, "Signed in by Dee")


async def signed_in(here: Connected) -> None:
    await sign_in(here)
    await here.accepted()


async def find(here: Connected) -> Any:
    return done(await here.act(here.run("find offsite"), "notes_find", words="offsite"))


async def test_until_somebody_has_signed_in_nothing_is_offered_and_one_card_says_so(
    guarded: Guarded, bosun: Bosun
) -> None:
    here = bosun.start(guarded.url)
    for _ in range(2):
        await here.look()
    assert here.tools.get("notes_find") is None
    assert here.toolbox.notes()[-1].startswith("Somebody has to sign in to the MCP server notes first.")
    (card,) = cards(here)
    assert (card.headline, card.state) == ("Sign in to the MCP server notes", "Waiting · admin signs in")
    assert [action.label for action in card.actions] == ["Sign in"]
    assert "http" not in card.model_dump_json().replace(guarded.url, "")  # the link stands on no card


async def test_who_decides_signs_in_and_nobody_else(guarded: Guarded, bosun: Bosun) -> None:
    here = bosun.start(guarded.url)
    await here.look()
    with pytest.raises(Exception, match="admin decides which tools are used"):
        await press(here, by="bo")
    await signed_in(here)
    assert (await find(here)).content == "About offsite: nothing."
    assert cards(here)[-1].actions == ()
    told = here.store.read_now(lambda session: [(row.kind, row.body) for row in ledger.entries(session, "notes")])
    assert told[0] == ("mcp.signed_in", {"by": "dee", "account": "web:local:dee"})


async def test_what_is_granted_is_kept_as_a_secret(guarded: Guarded, bosun: Bosun) -> None:
    here = bosun.start(guarded.url)
    await signed_in(here)
    assert stat.S_IMODE(bosun.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(bosun.file.parent.stat().st_mode) == 0o700
    (token,), (renewal,) = guarded.access, guarded.refresh
    assert json.loads(bosun.file.read_text())["tokens"]["access_token"] == token
    here.store.close()
    for file in bosun.folder.rglob("*"):  # the database among them
        if file.is_file() and file != bosun.file:
            assert token.encode() not in file.read_bytes()
            assert renewal.encode() not in file.read_bytes()


async def test_after_a_restart_nobody_signs_in_again_and_what_ran_out_renews_itself(
    guarded: Guarded, bosun: Bosun
) -> None:
    await signed_in(bosun.start(guarded.url))
    again = bosun.start(guarded.url)
    await again.look()
    assert (await find(again)).content == "About offsite: nothing."
    kept = json.loads(bosun.file.read_text())
    bosun.file.write_text(json.dumps(kept | {"expires_at": 1.0}))
    guarded.revoke(all_of_it=False)
    later = bosun.start(guarded.url)
    assert (await find(later)).content == "About offsite: nothing."
    assert guarded.renewed == 1
    assert json.loads(bosun.file.read_text())["tokens"]["access_token"] in guarded.access
    assert len(guarded.clients) == 1  # registered once


async def test_a_grant_that_was_taken_back_is_asked_for_again_and_the_call_did_nothing(
    guarded: Guarded, bosun: Bosun
) -> None:
    here = bosun.start(guarded.url, tools={"find": {"effect": "write", "authority": ["words"]}})
    await signed_in(here)
    guarded.revoke(all_of_it=True)
    outcome = await here.act(here.run("find offsite"), "notes_find", words="offsite")
    assert isinstance(outcome, Finished)  # no open question: it was sent back before anything was done
    assert outcome.result.content == "Somebody has to sign in to the MCP server notes first. Nothing was done."
    assert [card.state for card in cards(here)] == ["Signed in by Dee", "Waiting · admin signs in"]
    await sign_in(here)
    assert (await find(here)).content == "About offsite: nothing."


async def test_who_says_no_is_not_signed_in_and_the_way_back_is_open_once(guarded: Guarded, bosun: Bosun) -> None:
    here = bosun.start(guarded.url)
    await here.look()
    guarded.refuses = True
    page = await follow(await press(here))
    assert page.text == "You were not signed in to notes. Press the button again to retry."
    assert cards(here)[-1].state == "Waiting · admin signs in"
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(page.url)).status_code == 410  # used
        for query in ("state=unknown&code=x", "code=x", f"state={'x' * 5000}"):
            assert (await browser.get(f"{bosun.web}{oauth_return.PATH}?{query}")).status_code in {400, 410}
    assert not bosun.file.exists() or "tokens" not in json.loads(bosun.file.read_text())
    guarded.refuses = False
    await signed_in(here)


async def test_what_one_address_has_granted_goes_to_no_other(guarded: Guarded, bosun: Bosun) -> None:
    await signed_in(bosun.start(guarded.url))
    seen: list[str] = []

    async def take(request: Request) -> Response:
        seen.append(request.headers.get("authorization", ""))
        return JSONResponse({}, 401)

    async with serving(Starlette(routes=[Route("/{rest:path}", take, methods=["GET", "POST"])])) as other:
        moved = bosun.start(f"{other}/mcp")
        await moved.look()
    assert set(seen) == {""}


async def test_as_whom_tools_yaml_says_we_are_known_nobody_registers(guarded: Guarded, bosun: Bosun) -> None:
    await signed_in(bosun.start(guarded.url))
    (known,) = guarded.clients.values()
    bosun.file.unlink()
    secret = {"NOTES_CLIENT": known.client_secret or ""}
    here = bosun.start(guarded.url, client_id=known.client_id, client_secret="NOTES_CLIENT", secrets=secret)
    await sign_in(here)
    assert (await find(here)).content == "About offsite: nothing."
    assert len(guarded.clients) == 1
    assert secret["NOTES_CLIENT"]
    assert secret["NOTES_CLIENT"] not in bosun.file.read_text()


@pytest.mark.parametrize(
    "elsewhere",
    ["http://evil.example", "https://127.0.0.1:9", "https://169.254.169.254", "https://[::ffff:10.0.0.1]"],
)
async def test_a_server_cannot_send_us_to_an_address_of_our_own_network(bosun: Bosun, elsewhere: str) -> None:
    """It says that people sign in there, so we would ask that address who it is."""

    async def refuse(request: Request) -> Response:
        where = f'Bearer resource_metadata="{elsewhere}/.well-known/oauth-protected-resource"'
        return JSONResponse({}, 401, {"www-authenticate": where})

    async with serving(Starlette(routes=[Route("/mcp", refuse, methods=["GET", "POST"])])) as address:
        here = bosun.start(f"{address}/mcp")
        await here.look()
        assert here.servers.faults["notes"].startswith("The MCP server notes ")
        with pytest.raises(Exception, match="gave no proper answer"):
            await press(here)
