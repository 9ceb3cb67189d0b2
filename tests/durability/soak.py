"""Kills Bosun again and again while people work with it, and then looks whether anything was lost or done twice.

`python -m tests.durability.soak --requests 50 --kills 200 [--postgres URL --replicas 2]` runs it at full length.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251  seeded: when to kill
from typing import TYPE_CHECKING, Any

import httpx
import yaml
from sqlmodel import select

from kernel import ledger
from kernel.clock import SystemIds
from kernel.store import open_store, outbox, payments, runs, web
from tests.behaviours.apart import Nursery, lives
from tests.fakes.anthropic import FakeAnthropic, Reply
from tests.ground.environment import kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.store import Session

ROOT = Path(__file__).resolve().parents[2]
new_id = SystemIds().new
WANTED = re.compile(r"pay invoice (\d+)")
UNREACHABLE = (httpx.TransportError, httpx.HTTPStatusError)


def clerk(body: dict[str, Any]) -> Reply:
    """The model: queues the payment that is asked for, once, and reports what came of it."""
    messages = body["messages"]
    results = [b for b in messages[-1]["content"] if isinstance(b, dict) and b["type"] == "tool_result"]
    if results:
        return Reply("Invoice handled: " + str(results[0]["content"])[:200])
    text = json.dumps(messages[-1]["content"])
    found = WANTED.findall(text)
    if not found:
        return Reply("Nothing to pay.")
    arguments = {"payee": "ACME", "amount": 420, "currency": "EUR", "reference": f"invoice-{found[-1]}", "why": "due"}
    return Reply(calls=[("queue_payment", arguments)])


@dataclass
class Replica:
    """One `bosun up` process; killed and started again."""

    number: int
    environment: dict[str, str]
    log: Path
    nursery: Nursery
    pid: int = 0
    port: int = 0

    async def start(self) -> None:
        """Start it; returns at once."""
        self.pid = await self.nursery.begin({"command": ["up"], "environment": self.environment, "log": str(self.log)})

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        return lives(self.pid)

    async def end(self, number: signal.Signals) -> None:
        """Send it a signal, and wait until it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
            while self.lives:
                await asyncio.sleep(0.01)

    def links(self) -> list[str]:
        """The login links that it has printed so far."""
        text = self.log.read_text() if self.log.exists() else ""
        return re.findall(r"http://\S+/login\?token=\S+", text)

    @property
    def url(self) -> str:
        """Its web chat."""
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Findings:
    """What was looked for; everything but `kills` and `requests` has to be empty."""

    requests: int
    kills: int
    unfinished: list[str] = field(default_factory=list)
    paid_twice: list[str] = field(default_factory=list)
    not_paid: list[str] = field(default_factory=list)
    posted_twice: list[str] = field(default_factory=list)
    not_posted: list[str] = field(default_factory=list)
    ledger: str = ""

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong, in words."""
        found = {name: value for name, value in vars(self).items() if name not in {"requests", "kills"} and value}
        return [f"{name}: {value}" for name, value in found.items()]


class Soak:
    """People who ask and approve, over HTTP, while the processes die."""

    def __init__(self, folder: Path, database_url: str | None, replicas: int, seed: int) -> None:
        self.folder = folder
        self.database_url = database_url
        self.chance = Random(seed)
        self.model = FakeAnthropic(clerk)
        self.people: dict[tuple[str, str], httpx.AsyncClient] = {}
        self.kills = self.requests = 0
        self.done = 0.0  # part of the kills that were made
        self.decided: set[str] = set()  # cards that somebody has pressed
        self.charter = self._charter(folder / "charter")
        self._opened: list[httpx.AsyncClient] = []
        self._sessions: dict[str, httpx.Cookies] = {}
        self._signing_in = asyncio.Lock()
        self.nursery = Nursery()
        self.replicas = [self._replica(number) for number in range(replicas)]

    @staticmethod
    def _charter(folder: Path) -> Path:
        """The starter charter, in which one person may ask for as much as the soak's one does."""
        shutil.copytree(os.environ.get("BOSUN_CHARTER", ROOT / "charter"), folder)
        file = folder / "bosun.yaml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "requests_per_minute": 1000}))
        return folder

    def _replica(self, number: int) -> Replica:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        data = self.folder / f"data{number}"
        environment = {
            **kept(),
            "BOSUN_CHARTER": str(self.charter),
            "BOSUN_DATA": str(data),
            "BOSUN_WEB": f"127.0.0.1:{port}",
            "ANTHROPIC_API_KEY": FakeAnthropic.key,
        }
        if self.database_url:
            environment["DATABASE_URL"] = self.database_url
        return Replica(number, environment, self.folder / f"replica{number}.log", self.nursery, port=port)

    @property
    def database(self) -> str:
        """Where the rows are."""
        return self.database_url or f"sqlite:///{self.folder / 'data0' / 'bosun.sqlite3'}"

    async def run(self, requests: int, kills: int, *, patience: float = 120.0) -> Findings:
        """Let `requests` be asked and approved while processes are killed `kills` times; then look.

        They are asked for in the first half of the kills and decided one by one until the last, so that requests wait,
        work and are posted at every kill.
        """
        self.requests = requests
        await self.model.start()
        for replica in self.replicas:
            replica.environment["ANTHROPIC_BASE_URL"] = self.model.url
            await replica.start()
        numbers = range(1, requests + 1)
        work = [asyncio.create_task(self._ask(number)) for number in numbers]
        approvers = [
            asyncio.create_task(self._approve(name, replica)) for name in ("bo", "cy") for replica in self.replicas
        ]
        try:
            await self._kill_at_random(kills)
            async with asyncio.timeout(patience):
                await asyncio.gather(*work)
                await self._until_finished(requests)
        except TimeoutError:
            pass  # the findings say what is unfinished
        finally:
            for task in (*work, *approvers):
                task.cancel()
            await asyncio.gather(*work, *approvers, return_exceptions=True)
            for client in self._opened:
                await client.aclose()
            for replica in self.replicas:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(15):
                        await replica.end(signal.SIGTERM)
                await replica.end(signal.SIGKILL)
            await self.nursery.close()
            await self.model.stop()
        return self._look(requests)

    async def _kill_at_random(self, kills: int) -> None:
        for _ in range(kills):
            replica = self.chance.choice(self.replicas)
            await self._until_up(replica)
            await asyncio.sleep(self.chance.uniform(0.0, 0.8))
            await replica.end(signal.SIGKILL)
            self.kills += 1
            self.done = self.kills / kills
            await replica.start()
        self.done = 1.0

    async def _until_up(self, replica: Replica) -> None:
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{replica.url}/healthz")).status_code == 200:
                        return
                if not replica.lives:
                    raise RuntimeError(f"replica {replica.number} ended by itself:\n{replica.log.read_text()[-3000:]}")
                await asyncio.sleep(0.02)

    async def _client(self, person: str, replica: Replica) -> httpx.AsyncClient:
        known = self.people.get((person, replica.url))
        if known is not None:
            return known
        cookies = await self._cookies(replica)
        client = httpx.AsyncClient(
            base_url=replica.url,
            headers={"origin": replica.url, "x-bosun": "1"},
            cookies=cookies,
            timeout=10,
            follow_redirects=True,
        )
        self._opened.append(client)
        answer = await client.post("/api/persona", json={"person": person})
        if answer.status_code != 200:
            raise httpx.TransportError(f"{person} cannot sign in yet: {answer.text[:200]}")
        self.people[(person, replica.url)] = client
        return client

    async def _cookies(self, replica: Replica) -> httpx.Cookies:
        """Signed in by a link, once: a link works one time, and the session outlives restarts."""
        async with self._signing_in:
            for link in reversed(replica.links()):
                if replica.url in self._sessions:
                    break
                async with httpx.AsyncClient(follow_redirects=True, timeout=10) as browser:
                    if (await browser.get(link)).status_code == 200 and browser.cookies:
                        self._sessions[replica.url] = browser.cookies
            if replica.url not in self._sessions:
                raise httpx.TransportError("no login link yet")
            return self._sessions[replica.url]

    async def _insist(
        self, person: str, method: str, path: str, body: Any = None, replica: Replica | None = None
    ) -> Any:
        """Send until it is taken; the same id makes sending it again harmless."""
        while True:
            at = replica or self.chance.choice(self.replicas)
            try:
                client = await self._client(person, at)
                answer = await client.request(method, path, json=body)
                if answer.status_code < 500 and answer.status_code != 401:
                    return answer.json()
                self.people.pop((person, at.url), None)
            except UNREACHABLE:
                pass
            await asyncio.sleep(0.05)

    async def _ask(self, number: int) -> None:
        at = self.chance.uniform(0, 0.5)
        while self.done < at:
            await asyncio.sleep(0.1)
        body = {"id": new_id(), "channel": "general", "text": f"@bosun finance: pay invoice {number}"}
        await self._insist("ann", "POST", "/api/messages", body)

    async def _approve(self, person: str, replica: Replica) -> None:
        while True:
            home = await self._insist(person, "GET", "/api/home", replica=replica)
            for waiting in home["waiting"]:
                card = waiting["card"]
                verbs = {action["verb"]: action for action in card["actions"]}
                verb = next((verb for verb in ("approve", "repeat") if verb in verbs), None)
                if verb is None:
                    continue
                subject = verbs[verb]["subject"]
                if subject not in self.decided and len(self.decided) > self.done * self.requests:
                    continue
                self.decided.add(subject)
                press = {"id": new_id(), "client": new_id(), "subject": subject}
                press |= {"revision": verbs[verb]["revision"], "verb": verb}
                await self._insist(person, "POST", "/api/press", press, replica)
            await asyncio.sleep(0.1)

    async def _until_finished(self, requests: int) -> None:
        store = open_store(self.database)
        try:
            while store.read_now(_done) < requests or store.read_now(_unsent):
                await asyncio.sleep(0.2)
        finally:
            store.close()

    def _look(self, requests: int) -> Findings:
        store = open_store(self.database)
        try:
            return store.read_now(lambda session: self._findings(session, requests))
        finally:
            store.close()

    def _findings(self, session: Session, requests: int) -> Findings:
        rows = session.exec(select(runs.Run)).all()
        paid = Counter(payment.reference for payment in session.exec(select(payments.Payment)))
        shown = Counter(row.id for row in session.exec(select(web.WebMessage)))
        wanted = [f"invoice-{number}" for number in range(1, requests + 1)]
        verification = ledger.verify(session)
        return Findings(
            requests=requests,
            kills=self.kills,
            unfinished=[f"{run.ref} is {run.state}" for run in rows if run.state != runs.DONE]
            + ([f"only {len(rows)} runs"] if len(rows) != requests else []),
            paid_twice=[reference for reference, count in paid.items() if count > 1],
            not_paid=[reference for reference in wanted if not paid[reference]],
            posted_twice=[message for message, count in shown.items() if count > 1],
            not_posted=[run.ref for run in rows if not shown[f"{run.id}-answer"]],
            ledger=verification.problem,
        )


def _done(session: Session) -> int:
    return runs.count(session, runs.DONE)


def _unsent(session: Session) -> bool:
    states = (outbox.QUEUED, outbox.SENDING)
    return session.exec(select(outbox.OutboxRow.id).where(outbox.OutboxRow.state.in_(states))).first() is not None  # type: ignore[attr-defined]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--postgres", help="URL of an empty database; without it SQLite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=180.0)
    chosen = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="bosun-soak-"))
    soak = Soak(folder, chosen.postgres, chosen.replicas, chosen.seed)
    found = asyncio.run(soak.run(chosen.requests, chosen.kills, patience=chosen.patience))
    print(f"{found.requests} requests, {found.kills} kills, logs in {folder}")
    print("\n".join(found.problems) or "nothing lost, nothing done twice")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
