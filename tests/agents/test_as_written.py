"""With a model configured: a call that is written out is made as it stands, and the model is not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.engine.as_written import AsWritten
from agents.engine.model import Message, ModelAnswer, ModelRequest
from kernel.types import ToolSchema

if TYPE_CHECKING:
    from collections.abc import Callable

LISTING = ToolSchema(name="list_files", description="", arguments={"type": "object", "properties": {}})


class Thinker:
    """Says the same to everything, and counts."""

    name, thinks = "thinker", True

    def __init__(self) -> None:
        self.asked = 0

    async def answer(self, request: ModelRequest, on_text: Callable[[str], None] | None = None) -> ModelAnswer:
        self.asked += 1
        return ModelAnswer(text="I thought about it.")

    def ceiling(self, _request: ModelRequest) -> float:
        return 0.5

    def warm(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to close."""


def request(*messages: Message) -> ModelRequest:
    return ModelRequest(model="thinker", system=(), messages=messages, tools=(LISTING,))


def says(text: str) -> Message:
    return Message(role="user", content=({"type": "text", "text": text},))


async def test_a_written_call_is_made_and_answered_without_the_model() -> None:
    thinker = Thinker()
    model = AsWritten(thinker)
    first = await model.answer(request(says("/tool list_files")))
    assert [(call.tool, call.arguments) for call in first.calls] == [("list_files", {})]
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": first.calls[0].id, "content": "notes.md"}
    asked = Message(role="assistant", content=first.raw)
    last = await model.answer(request(says("/tool list_files"), asked, Message(role="user", content=(result,))))
    assert last.text == "`list_files`: notes.md"
    assert thinker.asked == 0


async def test_anything_else_is_for_the_model() -> None:
    thinker = Thinker()
    model = AsWritten(thinker)
    for text in ("list_files", "which files are there?", "/tool is a nice word", "please /tool list_files"):
        assert (await model.answer(request(says(text)))).text == "I thought about it."
    assert thinker.asked == 4
