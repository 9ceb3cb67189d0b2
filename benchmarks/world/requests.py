"""What the world knows of each request that it put to a subject. Times are seconds of the monotonic clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic, time
from typing import Any, Literal

Kind = Literal["mention", "approval"]

MENTION, APPROVAL = "m", "p"  # first letter of a request's word


@dataclass(kw_only=True)
class Request:
    """One mention, and when each of its consequences was seen."""

    word: str  # stands in the mention's text, and as "answer-WORD" in the model's answer
    channel: str
    ts: str  # of the mention
    sent: float = 0.0
    sign: float | None = None  # the first thing that the person could see
    card: dict[str, Any] | None = None  # its ts, and the button that approves
    clicked: bool = True  # False: the card is left alone
    parked: asyncio.Event = field(default_factory=asyncio.Event)
    click: float | None = None
    clicked_at: float | None = None  # the same by the wall clock, to compare with the subject's own records
    reply: float | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def saw_sign(self) -> None:
        """Something was shown."""
        if self.sign is None:
            self.sign = monotonic()

    def saw_reply(self) -> None:
        """The answer was shown."""
        self.saw_sign()
        if self.reply is None:
            self.reply = monotonic()
            self.done.set()

    def clicks(self) -> None:
        """Somebody presses the button now."""
        self.click, self.clicked_at = monotonic(), time()

    def spans(self) -> dict[str, float]:
        """Milliseconds between what was seen."""
        found = {"sign": _span(self.sent, self.sign), "reply": _span(self.sent, self.reply)}
        if self.click is not None:
            found["click_reply"] = _span(self.click, self.reply)
        return {name: value for name, value in found.items() if value is not None}


def _span(start: float, end: float | None) -> float | None:
    return None if end is None else (end - start) * 1000
