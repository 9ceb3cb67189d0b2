"""Yardstick B: a durable run with nothing but the work in it, on plain HTTP.

The event is committed before it is acknowledged; a DBOS workflow asks the model and posts; what was not finished
when the process died is finished when it starts again. No SDK, no rules, no ledger, no outbox.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time
from typing import Any

import aiohttp
import orjson
from dbos import DBOS, SetWorkflowID
from sqlalchemy import Engine, create_engine, event

Json = dict[str, Any]

DATA = Path(os.environ["BOSUN_DATA"])
SLACK, MODEL = os.environ["SLACK_API_URL"], os.environ["ANTHROPIC_BASE_URL"]


class Durable:
    """The whole bot."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.thread = ThreadPoolExecutor(1)
        self.database = sqlite3.connect(DATA / "events.sqlite3", isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, body TEXT)")

    async def run(self) -> None:
        """Take up what is unfinished, then serve for ever."""
        self._launch()
        newest = "SELECT id, body FROM event ORDER BY rowid DESC LIMIT 500"
        for key, body in self.database.execute(newest).fetchall():  # DBOS knows those that have run
            await self._start(key, orjson.loads(body))
        opened = await self._post(f"{SLACK}apps.connections.open", {}, os.environ["SLACK_APP_TOKEN"])
        async with self.http.ws_connect(opened["url"]) as socket:
            async for message in socket:
                envelope = orjson.loads(message.data)
                if envelope["type"] == "events_api":
                    asyncio.ensure_future(self._receive(socket, envelope))  # noqa: RUF006  kept by its executor call

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse, envelope: Json) -> None:
        happened = envelope["payload"]["event"]
        key = f"{happened['channel']}/{happened['ts']}"
        store = "INSERT OR IGNORE INTO event VALUES (?, ?)"
        await self._execute(store, key, orjson.dumps(happened).decode())
        await socket.send_str(orjson.dumps({"envelope_id": envelope["envelope_id"]}).decode())
        await self._start(key, happened)

    async def _start(self, key: str, happened: Json) -> None:
        with SetWorkflowID(key):
            handle = await DBOS.start_workflow_async(self._work, happened)
        await handle.get_result()

    def _launch(self) -> None:
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        url = f"sqlite:///{DATA / 'dbos.sqlite3'}"
        DBOS(
            config={
                "name": "durable", "application_version": "1", "executor_id": "1", "max_executor_threads": 8,
                "log_level": "CRITICAL", "system_database_url": url, "system_database_engine": _engine(url),
            }
        )  # fmt: skip

        async def work(happened: Json) -> None:
            await self._say(happened, await self._think(happened["text"]))

        self._work = DBOS.workflow(name="work")(work)
        DBOS.launch()

    async def _think(self, text: str) -> str:
        body = {"model": "bench", "max_tokens": 1024, "messages": [{"role": "user", "content": text}]}
        answer = await self._post(f"{MODEL}/v1/messages", body, os.environ["ANTHROPIC_API_KEY"])
        return "".join(block["text"] for block in answer["content"])

    async def _say(self, happened: Json, text: str) -> None:
        body = {"channel": happened["channel"], "thread_ts": happened["ts"], "text": text}
        await self._post(f"{SLACK}chat.postMessage", body, os.environ["SLACK_BOT_TOKEN"])

    async def _post(self, url: str, body: Json, token: str) -> Json:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        async with self.http.post(url, data=orjson.dumps(body), headers=headers) as response:
            answer: Json = orjson.loads(await response.read())
            return answer

    async def _execute(self, statement: str, *values: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self.thread, self.database.execute, statement, values)


def _engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")
        if sqlite3.sqlite_version_info < (3, 42):  # older libraries lack the subseconds that DBOS asks for
            connection.create_function("unixepoch", -1, lambda *subseconds: time() if subseconds else int(time()))

    return engine


async def main() -> None:
    """Serve for ever."""
    async with aiohttp.ClientSession() as http:
        await Durable(http).run()


if __name__ == "__main__":
    asyncio.run(main())
