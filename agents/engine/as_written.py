"""A model in front of which people can write a call out themselves: `/tool NAME key=value` is done as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.engine.offline_model import asked_for, results_in_words, said
from agents.engine.written_call import PREFIX, Written, written_calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.engine.model import Message, Model, ModelAnswer, ModelRequest
    from kernel.types import Json


class AsWritten:
    """The model behind it is asked for everything else. Costs nothing, and the call takes the same way to the door."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = model.name
        self.thinks = model.thinks

    async def answer(self, request: ModelRequest, on_text: Callable[[str], None] | None = None) -> ModelAnswer:
        """The calls that were written out, then what they gave; anything else is for the model."""
        written = _written(request)
        if not written:
            return await self.model.answer(request, on_text)
        results = _results(request)
        if results:
            return said("\n\n".join(results_in_words(request.messages, results)))
        return asked_for(written, len(request.messages))

    def ceiling(self, request: ModelRequest) -> float:
        """Nothing where the calls were written out."""
        return 0.0 if _written(request) else self.model.ceiling(request)

    def warm(self) -> None:
        """Load what the model needs."""
        self.model.warm()

    async def close(self) -> None:
        """Give back what the model holds."""
        await self.model.close()


def _written(request: ModelRequest) -> list[Written]:
    """The calls that the request, or that to which it brings the results, consists of."""
    asked = request.messages[-3] if _results(request) and len(request.messages) > 2 else request.messages[-1]
    text = _text(asked)
    return written_calls(text, request.tools) if text.strip().startswith(PREFIX) else []


def _results(request: ModelRequest) -> list[dict[str, Json]]:
    return [block for block in request.messages[-1].content if block["type"] == "tool_result"]


def _text(message: Message) -> str:
    last = message.content[-1]
    return str(last["text"]) if message.role == "user" and last["type"] == "text" else ""
