"""A model in front of which people can write a call out themselves: `/tool NAME key=value` is done as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.engine.offline_model import asked_for, results_in_words, said
from agents.engine.written_call import PREFIX, written_calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.engine.model import Message, Model, ModelAnswer, ModelRequest


class AsWritten:
    """The model behind it is asked for everything else. Costs nothing, and the call takes the same way to the door."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = model.name
        self.thinks = model.thinks

    async def answer(self, request: ModelRequest, on_text: Callable[[str], None] | None = None) -> ModelAnswer:
        """The calls that were written out, then what they gave; anything else is for the model."""
        results = [block for block in request.messages[-1].content if block["type"] == "tool_result"]
        asked = request.messages[-3] if results and len(request.messages) > 2 else request.messages[-1]
        text = _text(asked)
        written = written_calls(text, request.tools) if text.strip().startswith(PREFIX) else []
        if not written:
            return await self.model.answer(request, on_text)
        if results:
            return said("\n\n".join(results_in_words(request.messages, results)))
        return asked_for(written, len(request.messages))

    def warm(self) -> None:
        """Load what the model needs."""
        self.model.warm()

    async def close(self) -> None:
        """Give back what the model holds."""
        await self.model.close()


def _text(message: Message) -> str:
    last = message.content[-1]
    return str(last["text"]) if message.role == "user" and last["type"] == "text" else ""
