"""A Messages API over HTTP with streaming, scripted by the test: a queue of replies, else a function of the request.

    async with FakeAnthropic() as fake:
        fake.queue(Reply(calls=[("write_file", {"path": "a.md"})]), Reply("Written."))
        model = AnthropicModel(api_key=fake.key, base_url=fake.url)

Stand-alone: `python -m tests.fakes.anthropic --port 8123` echoes, and calls a tool where the user writes
`use TOOL {"argument": 1}`. Requests that break a rule of the API are answered with 400 and kept in `faults`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import orjson

from tests.fakes.anthropic_rules import Fault, check, search_results, signature

USE = re.compile(r"\buse ([a-z][a-z0-9_]*)\s*(\{.*\})?", re.DOTALL)
ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What the service says that it has counted."""

    input_tokens: int = 100
    output_tokens: int = 20
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0


@dataclass(frozen=True)
class Reply:
    """One answer of the service, or one way to fail."""

    text: str = ""
    calls: Sequence[tuple[str, Any]] = ()  # tool and arguments; text instead of a dict is sent as it is
    stop: str | None = None  # stop_reason; else what fits
    cited: Sequence[tuple[str, Sequence[int]]] = ()  # in place of text: pieces, and which search results each cites
    thinking: str = ""
    detail: str = ""  # explanation of a refusal
    pieces: int = 1  # into how many deltas the text is cut
    tokens: Tokens = field(default_factory=Tokens)
    ids: Sequence[str] = ()  # of the calls; else fresh ones
    status: int = 200
    retry_after: float | None = None
    drop_after: int | None = None  # the connection breaks after that many events
    end_after: int | None = None  # the stream ends there, as if it were complete
    error_after: tuple[int, str] | None = None  # an error event of that type comes after that many events
    hold_after: int | None = None  # the rest waits for `FakeAnthropic.release`


Script = Callable[[dict[str, Any]], Reply]


def echo(body: dict[str, Any]) -> Reply:
    """The default script."""
    last = body["messages"][-1]["content"]
    results = [block["content"] for block in last if block["type"] == "tool_result"]
    if results:
        said = (result if isinstance(result, str) else result[0]["text"] for result in results)
        return Reply("Done. " + " ".join(str(each)[:400] for each in said))
    text = last[-1]["text"]
    found = USE.search(text)
    if found:
        return Reply(calls=[(found[1], json.loads(found[2] or "{}"))])
    return Reply(f"You said: {text}")


class FakeAnthropic:
    """The server. `requests` holds the bodies that were accepted, `faults` why others were not."""

    key = "sk-fake"

    def __init__(self, script: Script = echo, *, latency: float = 0.0) -> None:
        self.script = script
        self.latency = latency  # seconds before the first byte
        self.requests: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.holding = asyncio.Event()  # set when a reply begins to be held
        self.observers: list[Callable[[], None]] = []  # called with each request that is accepted
        self.url = ""
        self._queue: deque[Reply] = deque()
        self._given: dict[bytes, Reply] = {}  # what was asked -> the reply of the queue that it was given
        self._again = False
        self._held = asyncio.Event()
        self._ids = itertools.count(1)
        self._writers: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._server: asyncio.Server | None = None

    def queue(self, *replies: Reply) -> None:
        """Answer the next requests with these."""
        self._queue.extend(replies)

    def release(self) -> None:
        """Let held answers go on."""
        self._held.set()

    def again(self) -> None:
        """Who asked may have died before it kept the reply: give the same one to the same question."""
        self._again = True

    def forget(self) -> None:
        """Be as new: nothing is queued, nothing is held, the default script answers."""
        self._held.set()
        self._queue.clear()
        self._given.clear()
        self._again = False
        self._held, self.holding, self.script = asyncio.Event(), asyncio.Event(), echo

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns the base URL."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=16 * 2**20)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self.url

    async def stop(self) -> None:
        """Close everything, also in the middle of an answer."""
        if self._server is not None:
            self._server.close()
            self._held.set()
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.gather(*filter(None, self._writers.values()))
            await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers[writer] = asyncio.current_task()
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._request(reader, writer):
                pass
        self._writers.pop(writer, None)
        writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        if self.latency:
            await asyncio.sleep(self.latency)
        if head[0].startswith("GET /v1/models") and self._is_key(headers):
            writer.write(_models())
            return True
        try:
            body = self._accept(head[0], headers, raw)
        except Fault as fault:
            self.faults.append(str(fault))
            status = 401 if str(fault) == "invalid x-api-key" else 400
            writer.write(_error(Reply(status=status, detail=str(fault))))
            return True
        self.requests.append(body)
        reply = self._reply(body)
        for observer in self.observers:
            observer()
        if reply.status != 200:
            writer.write(_error(reply))
            return True
        return await self._stream(writer, body, reply)

    def _reply(self, body: dict[str, Any]) -> Reply:
        asked = orjson.dumps(body["messages"])
        if self._again and asked in self._given:
            return self._given[asked]
        if not self._queue:
            return self.script(body)
        self._given[asked] = self._queue.popleft()
        return self._given[asked]

    def _is_key(self, headers: dict[str, str]) -> bool:
        return self.key in (headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer "))

    def _accept(self, line: str, headers: dict[str, str], raw: bytes) -> dict[str, Any]:
        if not line.startswith(("POST /v1/messages ", "GET /v1/models")):
            raise Fault(f"Not found: {line}")
        if not self._is_key(headers):
            raise Fault("invalid x-api-key")
        if "anthropic-version" not in headers:
            raise Fault("anthropic-version: header is required")
        body: dict[str, Any] = orjson.loads(raw)
        check(body)
        return body

    async def _stream(self, writer: asyncio.StreamWriter, body: dict[str, Any], reply: Reply) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: req_fake\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        events = list(self._events(body, reply))
        if reply.hold_after is not None:
            writer.write(_chunk(events[: reply.hold_after]))
            await writer.drain()
            self.holding.set()
            await self._held.wait()
            events = events[reply.hold_after :]
        if reply.drop_after is not None:
            writer.write(_chunk(events[: reply.drop_after]))
            await writer.drain()
            return False
        if reply.error_after is not None:
            count, kind = reply.error_after
            error = {"type": "error", "error": {"type": kind, "message": "Overloaded"}}
            events = [*events[:count], _event("error", error)]
        writer.write(_chunk(events[: reply.end_after]) + b"0\r\n\r\n")
        await writer.drain()
        return True

    def _events(self, body: dict[str, Any], reply: Reply) -> Iterator[bytes]:
        usage = dict(vars(reply.tokens))
        message = {"id": f"msg_{next(self._ids)}", "type": "message", "role": "assistant", "model": body["model"]}
        start = {
            **message,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**usage, "output_tokens": 1},
        }
        yield _event("message_start", {"type": "message_start", "message": start})
        yield _event("ping", {"type": "ping"})
        for index, (block, deltas) in enumerate(self._blocks(body, reply)):
            yield _event("content_block_start", {"type": "content_block_start", "index": index, "content_block": block})
            for delta in deltas:
                yield _event("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta})
            yield _event("content_block_stop", {"type": "content_block_stop", "index": index})
        stop = reply.stop or ("tool_use" if reply.calls else "end_turn")
        end: dict[str, Any] = {"stop_reason": stop, "stop_sequence": None}
        if reply.detail:
            end["stop_details"] = {"type": "refusal", "category": None, "explanation": reply.detail}
        yield _event("message_delta", {"type": "message_delta", "delta": end, "usage": usage})
        yield _event("message_stop", {"type": "message_stop"})

    def _blocks(self, body: dict[str, Any], reply: Reply) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        if reply.thinking:
            sealed = {"type": "signature_delta", "signature": signature(body, len(body["messages"]))}
            thought = {"type": "thinking_delta", "thinking": reply.thinking}
            yield {"type": "thinking", "thinking": "", "signature": ""}, [thought, sealed]
        if reply.text:
            size = -(-len(reply.text) // reply.pieces)
            cut = [reply.text[at : at + size] for at in range(0, len(reply.text), size)]
            yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in cut]
        results = search_results(body)
        for piece, cited in reply.cited:
            citations = [{"type": "citations_delta", "citation": _citation(results, at)} for at in cited]
            yield {"type": "text", "text": ""}, [*citations, {"type": "text_delta", "text": piece}]
        for index, (tool, arguments) in enumerate(reply.calls):
            use_id = reply.ids[index] if reply.ids else f"toolu_{next(self._ids)}"
            written = arguments if isinstance(arguments, str) else json.dumps(arguments)
            half = len(written) // 2
            parts = [{"type": "input_json_delta", "partial_json": part} for part in (written[:half], written[half:])]
            yield {"type": "tool_use", "id": use_id, "name": tool, "input": {}}, parts


def _citation(results: list[dict[str, Any]], at: int) -> dict[str, Any]:
    result = results[at]
    return {
        "type": "search_result_location",
        "cited_text": result["content"][0]["text"],
        "search_result_index": at,
        "source": result["source"],
        "title": result["title"],
        "start_block_index": 0,
        "end_block_index": 1,
    }


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


def _chunk(events: Sequence[bytes]) -> bytes:
    payload = b"".join(events)
    return b"%x\r\n%s\r\n" % (len(payload), payload) if payload else b""


def _error(reply: Reply) -> bytes:
    unlisted = "api_error" if reply.status >= 500 else "invalid_request_error"
    kind = ERRORS.get(reply.status, unlisted)
    body = orjson.dumps({"type": "error", "error": {"type": kind, "message": reply.detail or kind}})
    wait = b"" if reply.retry_after is None else b"retry-after: %g\r\n" % reply.retry_after
    return b"HTTP/1.1 %d Error\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s" % (
        reply.status,
        wait,
        len(body),
        body,
    )


def _models() -> bytes:
    body = orjson.dumps({"data": [], "has_more": False, "first_id": None, "last_id": None})
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


async def _main(port: int) -> None:
    fake = FakeAnthropic()
    print(await fake.start(port), flush=True)  # noqa: T201  says where it listens
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args().port))
