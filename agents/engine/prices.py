"""What tokens cost. One table, in US dollars per million tokens; the charter's `prices` override and extend it.

From platform.claude.com/docs/en/about-claude/pricing and the model pages there, read in October 2026. Cache writes
are those with a life of five minutes, the only ones that Bosun makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.engine.model import Usage

MILLION = 1_000_000


class Price(Frozen):
    """US dollars per million tokens of one model."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    long_prompt: int | None = None  # prompts with more tokens than this cost `long_factor` times as much
    long_factor: float = 1.0

    def cost(self, usage: Usage) -> float:
        """US dollars for one answer."""
        dollars = (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_read * self.cache_read
            + usage.cache_write * self.cache_write
        ) / MILLION
        is_long = self.long_prompt is not None and usage.prompt > self.long_prompt
        return dollars * self.long_factor if is_long else dollars


def _price(input_: float, output: float, cache_read: float) -> Price:
    return Price(input=input_, output=output, cache_read=cache_read, cache_write=input_ * 1.25)


PRICES: Mapping[str, Price] = {
    "claude-fable-5-2": _price(10, 50, 0.25),  # not listed yet when this was read: as 5.1
    "claude-mythos-5-2": _price(10, 50, 0.25),  # the same
    "claude-fable-5-1": _price(10, 50, 0.25),
    "claude-mythos-5-1": _price(10, 50, 0.25),
    "claude-fable-5": _price(10, 50, 1.0),
    "claude-mythos-5": _price(10, 50, 1.0),
    "claude-opus-5-5": _price(4, 20, 0.20),
    "claude-opus-5": _price(5, 25, 0.50),
    "claude-opus-4-8": _price(5, 25, 0.50),
    "claude-opus-4-7": _price(5, 25, 0.50),
    "claude-opus-4-6": _price(5, 25, 0.50),
    "claude-opus-4-5": _price(5, 25, 0.50),
    "claude-sonnet-5-5": _price(2, 10, 0.10),
    "claude-sonnet-5": _price(2, 10, 0.20),
    "claude-sonnet-4-6": _price(3, 15, 0.30),
    "claude-sonnet-4-5": _price(3, 15, 0.30),
    "claude-haiku-5-5": Price(
        input=0.10, output=0.50, cache_read=0.01, cache_write=0.125, long_prompt=100_000, long_factor=5.0
    ),
    "claude-haiku-4-5": _price(1, 5, 0.10),
}

UNKNOWN = _price(5, 25, 0.50)  # rather too dear than too cheap: budgets are kept with it


class PriceTable:
    """Prices by model name; a dated name ("claude-haiku-4-5-20251001") costs what the name without its date costs."""

    def __init__(self, overrides: Mapping[str, Price] | None = None) -> None:
        self._prices = {**PRICES, **(overrides or {})}

    def of(self, model: str) -> tuple[Price, bool]:
        """The price of `model`, and whether it is known; an unknown model gets a default price."""
        undated, _, date = model.rpartition("-")
        for name in (model, undated if date.isdigit() and len(date) == 8 else model):
            if name in self._prices:
                return self._prices[name], True
        return UNKNOWN, False
