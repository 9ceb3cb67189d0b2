"""What the loop asks of a language model, and what comes back. No vendor is known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from kernel.types import Frozen, Json, ToolCall, ToolSchema

if TYPE_CHECKING:
    from collections.abc import Callable

Stop = Literal[
    "end",  # the model has said what it wanted to say
    "tools",  # it waits for the results of its calls
    "max_tokens",  # cut at the length limit; calls of a cut answer are dropped, their arguments may be cut too
    "refusal",  # it declined
    "pause",  # the service interrupts a long turn and wants it sent back
    "unknown",  # a reason that this version does not know; see `detail`
]


class Message(Frozen):
    """One turn of the conversation. Roles alternate, the first and the last message are the user's."""

    role: Literal["user", "assistant"]
    content: tuple[dict[str, Json], ...]  # blocks: text, tool_use, tool_result, thinking, as the Messages API has them


class ModelRequest(Frozen):
    """Everything that one answer depends on."""

    model: str  # the service's name of the model
    system: tuple[str, ...]  # the stable prefix, in parts; the same for every run of an agent, so that it is cached
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...] = ()
    max_tokens: int = 8192


class Usage(Frozen):
    """Tokens of one answer, as the service counts them. The four kinds do not overlap."""

    input: int = 0  # read at the full price
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def prompt(self) -> int:
        """All tokens that went in."""
        return self.input + self.cache_read + self.cache_write

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
        )


class ModelAnswer(Frozen):
    """A complete answer. Whatever breaks off before it is complete raises instead, and nothing is done with it."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    stop: Stop = "end"
    detail: str = ""  # why it declined or stopped, in the service's words
    usage: Usage = Usage()
    cost_usd: float = 0.0
    most_usd: float = 0.0  # what it might have cost at most
    cost_known: bool = True  # False: the model is not in the price table, a default price was taken
    raw: tuple[dict[str, Json], ...] = ()  # the service's own blocks, sent back unchanged, signatures included

    @property
    def empty(self) -> bool:
        """There is nothing in it that could be shown or done."""
        return not self.text.strip() and not self.calls


class Model(Protocol):
    """A language model.

    Errors: ModelBusy (worth another try later), ModelError (not worth it).
    """

    name: str  # for people: "offline", "anthropic"
    thinks: bool  # False: only quotes and runs written commands; it cannot choose a specialist

    async def answer(self, request: ModelRequest, on_text: Callable[[str], None] | None = None) -> ModelAnswer:
        """The answer to `request`, once it is complete. `on_text` gets the whole text so far as it grows."""
        ...

    def ceiling(self, request: ModelRequest) -> float:
        """What the answer may cost at most, in US dollars; an estimate that is rather too high than too low."""
        ...

    def warm(self) -> None:
        """Load what the first answer would otherwise wait for. Blocks: call it in a thread."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
