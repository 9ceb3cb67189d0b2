"""The model for an installation without a key: it runs calls that people write out, and quotes the knowledge base.

It fulfils the same protocol as a real one, so its calls take the same way through the door. It invents nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.engine.model import ModelAnswer
from agents.engine.quoting import read_sources, unfence
from agents.engine.suggesting import as_call
from agents.engine.words import is_small_talk
from agents.engine.written_call import Written, written_calls
from kernel.types import ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.engine.model import Message, ModelRequest
    from kernel.types import Json

SEARCH = "search_knowledge"
QUERY = 400  # characters of a request that are searched for
SHOWN = 3  # passages quoted
NO_MODEL = (
    "_No language model is configured: I quote documents, do what is written out as a call, and know the commands that "
    "`help` lists. `ANTHROPIC_API_KEY` changes that._"
)
HELLO = (
    "Hello. Ask me something that stands in the team's documents, and I quote it with its sources. A call that is "
    "written out I make, or I ask the people who may decide; `tools` lists the calls. `home` shows what waits for you "
    "and what runs."
)


class OfflineModel:
    """Deterministic: the same request gives the same answer."""

    name = "offline"
    thinks = False

    async def answer(self, request: ModelRequest, on_text: Callable[[str], None] | None = None) -> ModelAnswer:
        """Calls for the first turn, an answer made of their results for the second."""
        last = request.messages[-1]
        results = [block for block in last.content if block["type"] == "tool_result"]
        answer = _report(request, results) if results else _begin(request, last)
        if on_text and answer.text:
            on_text(answer.text)
        return answer

    def ceiling(self, request: ModelRequest) -> float:
        """It costs nothing."""
        return 0.0

    def warm(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """There is nothing to give back."""


def _begin(request: ModelRequest, message: Message) -> ModelAnswer:
    text = message.content[-1]["text"]
    if is_small_talk(text):
        return said(f"{HELLO}\n\n{NO_MODEL}")
    written = written_calls(text, request.tools)
    if not written and any(tool.name == SEARCH for tool in request.tools):
        written = [(SEARCH, {"query": " ".join(text.split())[:QUERY]})]
    if not written:
        there = as_call(text, request.tools) or "There is no knowledge base that I could search for this."
        return said(f"{there}\n\n{NO_MODEL}")
    return asked_for(written, len(request.messages))


def asked_for(written: list[Written], turn: int) -> ModelAnswer:
    """The answer that asks for these calls."""
    calls = tuple(
        ToolCall(id=f"offline-{turn}-{index}", tool=tool, arguments=arguments)
        for index, (tool, arguments) in enumerate(written)
    )
    blocks = tuple({"type": "tool_use", "id": call.id, "name": call.tool, "input": call.arguments} for call in calls)
    return ModelAnswer(calls=calls, stop="tools", raw=blocks)


def _report(request: ModelRequest, results: list[dict[str, Json]]) -> ModelAnswer:
    found = results_in_words(request.messages, results)
    if len(request.messages) > 2 and request.messages[-2].content[-1].get("name") == SEARCH:
        others = (tool for tool in request.tools if tool.name != SEARCH)
        there = as_call(request.messages[-3].content[-1].get("text", ""), others)
        nothing = not read_sources(_blocks(results[-1]))
        found = [there] if there and nothing else [*found, there]
    return said("\n\n".join([*filter(None, found), NO_MODEL]))


def results_in_words(messages: tuple[Message, ...], results: list[dict[str, Json]]) -> list[str]:
    """What the calls of the last answer gave, one text for each."""
    names = {block["id"]: block["name"] for block in messages[-2].content if block["type"] == "tool_use"}
    return [_result(names.get(result["tool_use_id"], ""), result) for result in results]


def _result(tool: str, result: dict[str, Json]) -> str:
    content = _content(result)
    if result.get("is_error"):
        return f"`{tool}` did not work: {unfence(content)}"
    if tool != SEARCH:
        return f"`{tool}`: {unfence(content)}"
    sources = read_sources(_blocks(result))[:SHOWN]
    if not sources:
        return unfence(content)
    quoted = [
        f"**{title}** [{number}]\n\n" + "\n".join(f"> {line}".rstrip() for line in passage.splitlines())
        for number, title, passage in sources
    ]
    return "\n\n".join(["What I found:", *quoted])


def _blocks(result: dict[str, Json]) -> list[dict[str, Json]]:
    content = result["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _content(result: dict[str, Json]) -> str:
    return str(_blocks(result)[0]["text"])


def said(text: str) -> ModelAnswer:
    """An answer of prose."""
    return ModelAnswer(text=text, raw=({"type": "text", "text": text},))
