"""What the Messages API insists on: a request that breaks one of these rules is refused with 400, as there."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

import orjson

TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
KEYS = {"model", "max_tokens", "system", "messages", "stream", "tools", "metadata"}
BLOCKS = {
    "user": {"text", "tool_result", "image", "search_result"},
    "assistant": {"text", "tool_use", "thinking", "redacted_thinking"},
}
PICTURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
BINDING = (
    "messages.{at}.content.{block}: Invalid `signature` in `thinking` block. The block is bound to a different "
    "conversation. Remove the block."
)


class Fault(Exception):
    """The request breaks a rule; the text is the API's message."""


def check(body: dict[str, Any]) -> None:
    """Raise Fault for the first rule that the request breaks."""
    if unknown := set(body) - KEYS:
        raise Fault(f"{min(unknown)}: Extra inputs are not permitted")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Fault("model: Field required")
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        raise Fault("max_tokens: Input should be greater than or equal to 1")
    _check_tools(body.get("tools", []))
    _check_messages(body.get("messages") or [], has_tools=bool(body.get("tools")))
    if marks(body) > 4:
        raise Fault("A maximum of 4 blocks with cache_control may be provided.")
    _check_search_results(search_results(body))
    _check_signatures(body)


def search_results(body: dict[str, Any]) -> list[dict[str, Any]]:
    """All search results of the request, in the order in which citations count them."""
    blocks = [block for message in body["messages"] for block in message["content"]]
    found = []
    for block in blocks:
        inside = block.get("content") if block["type"] == "tool_result" else None
        found += [part for part in ([block] if inside is None else inside) if _is_search_result(part)]
    return found


def _is_search_result(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "search_result"


def _check_search_results(results: list[dict[str, Any]]) -> None:
    for number, result in enumerate(results):
        where = f"search_result {number}"
        if set(result) - {"type", "source", "title", "content", "citations", "cache_control"}:
            raise Fault(f"{where}: Extra inputs are not permitted")
        if not all(isinstance(result.get(name), str) and result[name] for name in ("source", "title")):
            raise Fault(f"{where}: source and title must be non-empty")
        texts = result.get("content") or []
        if not texts or not all(part.get("type") == "text" and part["text"].strip() for part in texts):
            raise Fault(f"{where}: content must be non-empty text blocks")
    if len({bool((result.get("citations") or {}).get("enabled")) for result in results}) > 1:
        raise Fault("citations must be enabled on all search results or on none")


def marks(value: Any) -> int:
    """How many cache marks the request carries."""
    if isinstance(value, dict):
        return ("cache_control" in value) + sum(marks(item) for item in value.values())
    return sum(marks(item) for item in value) if isinstance(value, list) else 0


def signature(body: dict[str, Any], upto: int) -> str:
    """What binds a thinking block to the model, the tools, the system prompt and the messages before it."""
    start = [body["model"], body.get("system"), body.get("tools"), body["messages"][:upto]]
    return hashlib.sha256(orjson.dumps(_unmarked(start))).hexdigest()[:24]


def _check_tools(tools: list[dict[str, Any]]) -> None:
    names = [tool.get("name", "") for tool in tools]
    for index, tool in enumerate(tools):
        if "type" in tool:
            raise Fault(f"tools.{index}: server tools are not to be asked for")
        if not TOOL_NAME.match(tool["name"]):
            raise Fault(f"tools.{index}.name: String should match pattern")
        if tool.get("input_schema", {}).get("type") != "object":
            raise Fault(f"tools.{index}.input_schema.type: Field required")
    if len(set(names)) != len(names):
        raise Fault("tools: Tool names must be unique.")


def _check_messages(messages: list[dict[str, Any]], *, has_tools: bool) -> None:
    if not messages:
        raise Fault("messages: at least one message is required")
    for index, message in enumerate(messages):
        if message.get("role") != ("user", "assistant")[index % 2]:
            raise Fault(f"messages.{index}: roles must alternate, beginning with user")
        _check_content(index, message, has_tools=has_tools)
        _check_results(index, messages)
    if messages[-1]["role"] != "user":
        raise Fault("This model does not support assistant message prefill.")


def _check_content(index: int, message: dict[str, Any], *, has_tools: bool) -> None:
    if not isinstance(message.get("content"), list) or not message["content"]:
        raise Fault(f"messages.{index}: content must be non-empty")
    for number, block in enumerate(message["content"]):
        if block.get("type") not in BLOCKS[message["role"]]:
            raise Fault(f"messages.{index}.content.{number}: unexpected block {block.get('type')}")
        if block["type"] == "text" and not block["text"].strip():
            raise Fault(f"messages.{index}.content.{number}: text content blocks must contain non-whitespace text")
        if block["type"] == "image":
            _check_image(f"messages.{index}.content.{number}.image.source", block.get("source") or {})
        if block["type"] in {"tool_use", "tool_result"} and not has_tools:
            raise Fault("Requests which include `tool_use` or `tool_result` blocks must define tools.")


def _check_image(where: str, source: dict[str, Any]) -> None:
    """A picture is base64 of one of four kinds, is of the kind that it says, and has at most 5 MB."""
    if source.get("type") != "base64" or source.get("media_type") not in PICTURES:
        raise Fault(f"{where}: Input should be a base64 image of one of {', '.join(PICTURES)}")
    try:
        data = base64.b64decode(source.get("data") or "", validate=True)
    except binascii.Error as error:
        raise Fault(f"{where}.base64: invalid base64 data") from error
    if len(data) > 5 * 2**20:
        raise Fault(f"{where}.base64: image exceeds 5 MB maximum")
    if not data.startswith(PICTURES[source["media_type"]]):
        raise Fault(f"{where}.base64.media_type: the image appears to be another type")


def _check_results(index: int, messages: list[dict[str, Any]]) -> None:
    before = messages[index - 1]["content"] if index else []
    asked = [block["id"] for block in before if block["type"] == "tool_use"]
    if messages[index]["role"] == "assistant":
        return
    given = [block["tool_use_id"] for block in messages[index]["content"] if block["type"] == "tool_result"]
    if sorted(asked) != sorted(given) or len(set(asked)) != len(asked):
        raise Fault(f"messages.{index}: tool_use ids {asked} need exactly one tool_result each, found {given}")
    kinds = [block["type"] for block in messages[index]["content"]]
    if "tool_result" in kinds[len(given) :]:
        raise Fault(f"messages.{index}: tool_result blocks come first")


def _check_signatures(body: dict[str, Any]) -> None:
    for index, message in enumerate(body["messages"]):
        for number, block in enumerate(message["content"]):
            if block["type"] == "thinking" and block["signature"] != signature(body, index):
                raise Fault(BINDING.format(at=index, block=number))


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unmarked(item) for key, item in value.items() if key != "cache_control"}
    return [_unmarked(item) for item in value] if isinstance(value, list) else value
