"""The client of the Messages API, and the only place that imports the vendor's library.

The library takes two seconds of CPU to import, so it is imported when the first answer is wanted, or by `warm`.
Its own retries stay off: they wait as long as the service's retry-after says, hours if need be, in the middle of a
segment. Here a failure is tried again twice within seconds; after that the run waits in the database.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import orjson

from agents.engine.answer_blocks import AnswerBlocks
from agents.engine.model import Usage
from agents.engine.prices import PriceTable
from agents.engine.quoting import in_text
from kernel.errors import ModelBusy, ModelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2
    from anthropic import AsyncAnthropic

    from agents.engine.model import Message, ModelAnswer, ModelRequest
    from kernel.types import Json

PAUSES = (0.5, 1.0)  # seconds before the second and the third try
LONGEST_PAUSE = 5.0  # seconds; if the service asks for more, the run waits in the database instead
BUSY = frozenset({408, 409, 429})  # and everything from 500 up
REFUSES_KEY = frozenset({401, 403})
BUSY_TYPES = frozenset({"overloaded_error", "api_error", "rate_limit_error", "timeout_error"})  # sent in a stream
BYTES_PER_TOKEN = 2  # of JSON, at least: text in English has about four, other scripts and numbers down to two
CACHED = {"type": "ephemeral"}
RESULT_WORDS = ("search_result", "citations")  # in what a service says that does not know them
THINKING = ("thinking", "redacted_thinking")


class AnthropicModel:
    """Answers from the Anthropic API or a service that is compatible with it. Server-side tools are never asked for."""

    name = "anthropic"
    thinks = True

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str | None = None,
        prices: PriceTable | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timeout: float = 600.0,
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._prices = prices or PriceTable()
        self._sleep = sleep
        self._timeout = timeout  # seconds without a byte from the service
        self._client: AsyncAnthropic | None = None
        self._lock = threading.Lock()
        self._knows_results = True  # the service takes search results, until it refuses some

    def warm(self) -> None:
        """Import the library and make the client; call it in a thread, the first answer is quicker then."""
        with self._lock:
            if self._client is None:
                from anthropic import AsyncAnthropic, DefaultAioHttpClient

                self._client = AsyncAnthropic(
                    api_key=self._api_key,
                    base_url=self._base_url,
                    max_retries=0,
                    timeout=self._timeout,
                    http_client=DefaultAioHttpClient(),  # half the CPU of the default one
                    open_telemetry=False,  # nobody here collects its spans
                )

    async def _warmed(self) -> AsyncAnthropic:
        if self._client is None:
            await asyncio.to_thread(self.warm)
        assert self._client is not None  # noqa: S101  warm made it
        return self._client

    async def reach(self) -> None:
        """Ask the service for something that costs nothing. ModelError where it is away or does not take the key."""
        from anthropic import APIStatusError

        client = await self._warmed()
        try:
            await client.models.list(limit=1)
        except APIStatusError as error:  # services that only answer messages know no models, and that is fine
            if error.status_code in REFUSES_KEY:
                raise ModelError("The model service does not accept ANTHROPIC_API_KEY.") from error
        except Exception as error:
            raise as_model_error(error) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def answer(self, request: ModelRequest, on_text: Callable[[str], None] | None = None) -> ModelAnswer:
        """The complete answer. ModelBusy after three tries in vain, ModelError where a try more would not help."""
        body = request_body(request)
        if not self._knows_results:
            results_in_text(body)
        for pause in PAUSES:
            try:
                return self._priced(request, await self._ask(body, on_text))
            except ModelBusy as error:
                if (error.retry_after or 0) > LONGEST_PAUSE:
                    raise
                await self._sleep(error.retry_after or pause)
        return self._priced(request, await self._ask(body, on_text))

    def ceiling(self, request: ModelRequest) -> float:
        """Its whole prompt written to the cache, and an answer as long as it may be."""
        price, _ = self._prices.of(request.model)
        size = sum(len(orjson.dumps(part)) for part in request_body(request).values())
        return price.cost(Usage(cache_write=-(-size // BYTES_PER_TOKEN), output=request.max_tokens))

    async def _ask(self, body: dict[str, Any], on_text: Callable[[str], None] | None) -> ModelAnswer:
        client, blocks = await self._warmed(), AnswerBlocks(on_text)
        try:
            async with await client.messages.create(**body) as events:
                async for event in events:
                    blocks.take(event)
        except Exception as error:
            if thinking_is_refused(error) and drop_thinking(body):
                return await self._ask(body, on_text)
            if results_are_refused(error) and results_in_text(body):
                self._knows_results = False
                return await self._ask(body, on_text)
            raise as_model_error(error) from error
        if not blocks.done:
            raise ModelBusy("The model's answer broke off.")
        return blocks.answer()

    def _priced(self, request: ModelRequest, answer: ModelAnswer) -> ModelAnswer:
        price, known = self._prices.of(request.model)
        return answer.model_copy(update={"cost_usd": price.cost(answer.usage), "cost_known": known})


def request_body(request: ModelRequest) -> dict[str, Any]:
    """The request as the API has it, with at most three marks for its cache: tools, system, the last message.

    The last message is marked only where tools are offered: then another turn is likely to read what this one wrote.
    """
    system: list[dict[str, Json]] = [{"type": "text", "text": part} for part in request.system]
    if system:
        system[-1]["cache_control"] = CACHED
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "system": system,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
    }
    if request.tools:
        tools = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.arguments}
            for tool in request.tools
        ]
        body["tools"] = [*tools[:-1], {**tools[-1], "cache_control": CACHED}]
        content = body["messages"][-1]["content"]
        content[-1] = {**content[-1], "cache_control": CACHED}
    return body


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "content": list(message.content)}


def thinking_is_refused(error: Exception) -> bool:
    """Whether the service no longer accepts a thinking block: its signature binds it to a model, key and history."""
    return getattr(error, "status_code", None) in (400, 429) and "`thinking` block" in str(error)


def drop_thinking(body: dict[str, Any]) -> bool:
    """Take the thinking blocks out of the history; False if there was none."""
    found = False
    for message in body["messages"]:
        kept = [block for block in message["content"] if block["type"] not in THINKING]
        if len(kept) != len(message["content"]):
            found = True
            message["content"] = kept or [{"type": "text", "text": "(thought)"}]
    return found


def results_are_refused(error: Exception) -> bool:
    """Whether the service does not know search results as blocks: an older model, or one that is only compatible."""
    return getattr(error, "status_code", None) in (400, 422) and any(word in str(error) for word in RESULT_WORDS)


def results_in_text(body: dict[str, Any]) -> bool:
    """Make text of the search results in the history; False if there was none. The model cites by number then."""
    found = False
    for message in body["messages"]:
        made = [_marked(block, in_text(block)) for block in message["content"]]
        found = found or made != message["content"]
        message["content"] = made
    return found


def _marked(block: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "cache_control": CACHED} if "cache_control" in block else made


def as_model_error(error: Exception) -> Exception:
    """The vendor's error in our family; what is not the service's fault comes back as it is."""
    import httpx2
    from anthropic import APIConnectionError, APIError, APIStatusError

    if isinstance(error, APIStatusError):
        said = error.api_message or f"HTTP {error.status_code}"
        in_stream = error.status_code == 200 and error.type in BUSY_TYPES
        if in_stream or error.status_code in BUSY or error.status_code >= 500:
            return ModelBusy(f"The model service is busy: {said}.", retry_after=_retry_after(error.response.headers))
        return ModelError(f"The model service refused the request: {said}.")
    if isinstance(error, APIConnectionError | httpx2.TransportError):
        return ModelBusy("The model service cannot be reached.")
    if isinstance(error, APIError | ValueError | UnicodeError):
        return ModelBusy(f"The model service sent something that cannot be read: {type(error).__name__}.")
    return error


def _retry_after(headers: httpx2.Headers) -> float | None:
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None
