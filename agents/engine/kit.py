"""What every segment works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agents.engine.model import Model, ModelAnswer, ModelRequest
    from agents.engine.ports import Budgets, Closing, Door, Live, Recall, Timing
    from kernel.clock import Clock
    from kernel.store import Store
    from kernel.types import Place

MAX_TURNS = 30


@dataclass(frozen=True, kw_only=True)
class Kit:
    """One for all segments of a process."""

    store: Store
    clock: Clock
    door: Door
    model: Model
    timing: Callable[[Place], Timing]
    live: Live | None
    closing: Closing | None
    ask: Callable[[str, ModelRequest, Callable[[str], None]], Awaitable[ModelAnswer]]  # an answer that can be stopped
    stopping: set[str]  # runs that are to stop and work in this process
    budgets: Budgets
    recall: Recall | None = None  # what a request begins with; None: with nothing
    max_turns: int = MAX_TURNS
