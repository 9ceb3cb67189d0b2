"""A Messages API that thinks for no time: it answers with the request's word, or asks for one tool call first."""

from __future__ import annotations

import re
from typing import Any

import orjson
from aiohttp import web

from benchmarks.world.requests import APPROVAL

Json = dict[str, Any]

WORD = re.compile(rb"\b([mp]\d{6,})\b")
PAYMENT = {"payee": "Acme Paper", "amount": 90, "currency": "EUR", "why": "the invoice of March"}
TEXT = "answer-{word}: the shop opens at nine and closes at six, on Saturdays at four."


class Model:
    """The model service of one subject."""

    def __init__(self) -> None:
        self.calls = 0

    async def messages(self, http: web.Request) -> web.StreamResponse:
        """POST /v1/messages, streamed or not."""
        raw = await http.read()
        found = WORD.findall(raw)
        word = found[-1].decode() if found else "m000000"
        self.calls += 1
        content = self._content(word, returned=b'"tool_result"' in raw)
        stop = "tool_use" if content["type"] == "tool_use" else "end_turn"
        if b'"stream":true' in raw or b'"stream": true' in raw:
            return web.Response(body=_events(self.calls, content, stop), content_type="text/event-stream")
        message = {**_message(self.calls), "content": [content], "stop_reason": stop}
        return web.Response(body=orjson.dumps(message), content_type="application/json")

    def _content(self, word: str, *, returned: bool) -> Json:
        if word.startswith(APPROVAL) and not returned:
            arguments = {**PAYMENT, "reference": word}
            return {"type": "tool_use", "id": f"toolu_{word}", "name": "queue_payment", "input": arguments}
        return {"type": "text", "text": TEXT.format(word=word)}


def _message(number: int) -> Json:
    usage = {"input_tokens": 100, "output_tokens": 20}
    return {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "bench", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": usage}  # fmt: skip


def _events(number: int, content: Json, stop: str) -> bytes:
    if content["type"] == "text":
        start: Json = {"type": "text", "text": ""}
        half = len(content["text"]) // 2
        deltas = [{"type": "text_delta", "text": part} for part in (content["text"][:half], content["text"][half:])]
    else:
        start = {**content, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": orjson.dumps(content["input"]).decode()}]
    events: list[Json] = [
        {"type": "message_start", "message": _message(number)},
        {"type": "content_block_start", "index": 0, "content_block": start},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": 20},
        },
        {"type": "message_stop"},
    ]
    return b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event)) for event in events)
