"""Signing in to MCP servers that ask for it: the card, the link for who decides, and the way back from the page.

The link goes to the person alone who pressed the button. The page where they sign in sends them back to our own web
server with a code, which reaches the process that waits for it through the database: on replicas it may be another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from kernel import ledger
from kernel.store import mcp as rows
from kernel.store import outbox, wake
from kernel.types import Action, Card, Fact
from tools.engine.failure import CannotDo, NotLetIn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import httpx2
    from mcp.shared.auth import AuthorizationCodeResult

    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.types import Actor, Person, Place
    from tools.engine.mcp.vault import Vault
    from tools.engine.setup.servers import McpSetup

log = logging.getLogger(__name__)

PREFIX = "T-"  # of the subject of a card about a server: T-GITHUB
TOPIC = "mcp-sign-in"  # woken with the digest of a state when somebody has come back
SIGNED_IN = "mcp-signed-in"  # woken with the server's name when what it granted is kept
ENDING = "-SIGN-IN"  # of the subject of a card: no server's name holds a hyphen
LONGEST = timedelta(minutes=15)  # from the link until somebody is back
PATIENCE = 20.0  # seconds until the server has said where people sign in
LOOK_EVERY = 2.0  # seconds between two looks for the code: another process may have taken it
LARGEST = 1_000_000  # bytes of an answer
PING = {"jsonrpc": "2.0", "id": 0, "method": "ping"}  # any request will do: what is wanted is to be let in


class SignIns:
    """The sign-ins of one installation."""

    def __init__(self, store: Store, clock: Clock, folder: Path, redirect: str) -> None:
        """`folder` keeps what was granted. `redirect` is the address of the web server to which people come back."""
        self.store, self.clock, self.folder, self.redirect = store, clock, folder, redirect
        self._waiting: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        store.on(TOPIC, self._wake)

    def auth(
        self, server: str, setup: McpSetup, secrets: Mapping[str, str], unsigned: Callable[[], None]
    ) -> httpx2.Auth:
        """Signs the requests of a connection. `unsigned` is called, and the request fails, where a person is needed."""

        vault = self._vault(server, setup, secrets)

        async def show(_link: str) -> None:
            if not vault.has_changed():  # else another process has renewed it meanwhile: the next connection has it
                unsigned()
            raise NotLetIn(f"Somebody has to sign in to {server}.")

        async def wait() -> AuthorizationCodeResult:
            raise NotLetIn(f"Somebody has to sign in to {server}.")

        return vault.provider(show, wait)

    # -- the card ---------------------------------------------------------------------------------

    def ask(self, session: Session, server: str, setup: McpSetup, place: Place | None) -> None:
        """Show the card of a server on which somebody has to sign in, unless one is open."""
        subject = _subject(server)
        if place is None or outbox.open_cards(session, subject):
            return
        row_id = f"{subject}-{len(outbox.copies(session, subject)) + 1}"  # of two processes that notice, one asks
        outbox.put(session, row_id, place, _card(server, setup), self.clock.now(), subject=subject)

    async def answer(
        self, server: str, setup: McpSetup, secrets: Mapping[str, str], person: Person, actor: Actor
    ) -> str:
        """Begin for a person who decides; what to tell that person, and nobody else: the link."""
        if (before := self._tasks.pop(server, None)) is not None:
            before.cancel()
        link: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def sign_in() -> None:
            try:
                await self._be_let_in(server, setup, secrets, link)
            except Exception as error:
                log.info("nobody has signed in to the MCP server %s: %s", server, type(error).__name__)
                if not link.done():
                    known = isinstance(error, CannotDo)
                    link.set_exception(error if known else CannotDo(f"The MCP server {server} gave no proper answer."))
            else:
                await self._note(server, setup, person, actor)

        self._tasks[server] = asyncio.create_task(sign_in(), name=f"sign-in-{server}")
        try:
            async with asyncio.timeout(PATIENCE):
                address = await asyncio.shield(link)
        except TimeoutError as error:
            self._tasks.pop(server).cancel()
            raise CannotDo(f"The MCP server {server} did not say where to sign in.") from error
        within = int(LONGEST.total_seconds() / 60)
        return f"Sign in at {urlsplit(address).hostname} within {within} minutes. The link is for you alone: {address}"

    async def stop(self) -> None:
        """Nobody waits any longer."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def back(self, state: str, answer: dict[str, str]) -> str | None:
        """Somebody came back from the page; the server's name, or None where nobody waits for it (any more)."""
        key = _digest(state)

        def write(session: Session) -> str | None:
            server = rows.answer_sign_in(session, key, answer, self.clock.now() - LONGEST)
            if server is not None:
                wake(session, TOPIC, key)
            return server

        return await self.store.write(write)

    # -- inside -----------------------------------------------------------------------------------

    def _vault(self, server: str, setup: McpSetup, secrets: Mapping[str, str]) -> Vault:
        from tools.engine.mcp.vault import Vault  # its library takes long to import

        return Vault(self.folder / f"{server}.json", setup, secrets, self.redirect)

    async def _be_let_in(
        self, server: str, setup: McpSetup, secrets: Mapping[str, str], link: asyncio.Future[str]
    ) -> None:
        """Ask the server for something until it answers, with a person's help. NotLetIn where it does not."""
        from tools.engine.mcp import transport

        async def show(address: str) -> None:
            key = _digest(parse_qs(urlsplit(address).query)["state"][0])
            now = self.clock.now()
            await self.store.write(lambda session: rows.begin_sign_in(session, key, server, now))
            link.set_result(_checked(address, setup))

        async def wait() -> AuthorizationCodeResult:
            return await self._code(_digest(parse_qs(urlsplit(link.result()).query)["state"][0]))

        auth = self._vault(server, setup, secrets).provider(show, wait)
        headers = {"accept": "application/json, text/event-stream"}
        http = transport.client(headers, setup.timeout, LARGEST, lambda: None, auth=auth, home=setup.url)
        async with http, http.stream("POST", setup.url, json=PING) as response:
            if response.status_code in transport.REFUSED:
                raise NotLetIn(f"The MCP server {server} does not let us in.")
        if not link.done():
            raise CannotDo(f"Nobody has to sign in to the MCP server {server} any more.")

    async def _code(self, key: str) -> AuthorizationCodeResult:
        """What the page sends back with the person."""
        from mcp.shared.auth import AuthorizationCodeResult

        came = self._waiting[key] = asyncio.Event()
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                while True:
                    answer = await self.store.write(lambda session: rows.take_sign_in(session, key))
                    if answer is not None:
                        return AuthorizationCodeResult.model_validate(answer)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_EVERY):
                            await came.wait()
                    came.clear()
        finally:
            del self._waiting[key]

    async def _note(self, server: str, setup: McpSetup, person: Person, actor: Actor) -> None:
        """Say that somebody has signed in, on the card and in the ledger, and have the server asked again."""

        def write(session: Session) -> None:
            told = {"by": person.id, "account": actor.account}
            ledger.append(session, self.clock.now(), "mcp.signed_in", server, told)
            for row_id, _ in outbox.open_cards(session, _subject(server)):
                outbox.revise(session, row_id, _card(server, setup, by=person.name))
            wake(session, SIGNED_IN, server)

        await self.store.write(write)

    def _wake(self, key: str) -> None:
        if (event := self._waiting.get(key)) is not None:
            event.set()


def server_of(subject: str) -> str:
    """The server of the subject of a card on which somebody is asked to sign in; empty for another card."""
    return subject.removeprefix(PREFIX).removesuffix(ENDING).lower() if subject.endswith(ENDING) else ""


def _subject(server: str) -> str:
    return f"{PREFIX}{server.upper()}{ENDING}"


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _checked(address: str, setup: McpSetup) -> str:
    """The address of the page where people sign in: on the web, and encrypted unless on the server's own host."""
    parts = urlsplit(address)
    plain = parts.scheme == "http" and parts.hostname == urlsplit(setup.url).hostname
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise CannotDo("The MCP server sends people to an address that is not safe.")
    return address


def _card(server: str, setup: McpSetup, by: str = "") -> Card:
    action = Action(subject=_subject(server), verb="sign_in", label="Sign in", style="primary")
    return Card(
        headline=f"Sign in to the MCP server {server}",
        state=f"Signed in by {by}" if by else f"Waiting · {setup.decides} signs in",
        tone="good" if by else "waiting",
        text="" if by else "Until then its tools cannot be used. Whoever signs in lends Bosun what they may do there.",
        facts=(Fact(label="Address", value=setup.url),),
        actions=() if by else (action,),
        footer=_subject(server),
    )
