"""Who answers: whoever is addressed, else whoever the channel belongs to, else the lead.

With a model the lead hands on to a specialist by itself (`handover.py`). Without one, the specialist whose
description shares the most words with the request answers.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Literal

from kernel.types import Frozen

if TYPE_CHECKING:
    from agents.engine.definition import AgentDefinition, Roster

How = Literal["addressed", "channel", "thread", "words", "lead"]

_ADDRESS = re.compile(r"^\s*(?:@|ask\s+)?([\w-]{1,31}(?: [\w-]{1,20})?)\s*[:,]\s+(?=\S)", re.UNICODE)
_WORD = re.compile(r"[^\W\d_]{3,}", re.UNICODE)
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "the and for are was were with that this from have has had you your our what which who how when where why can "
        "could would should will shall not but all any please about into them they their there here its also than then",
    )
)


class Choice(Frozen):
    """Who answers which text."""

    agent: str
    text: str  # the request without the address
    how: How


def choose(
    roster: Roster, text: str, *, channel: str = "", thread_agent: str | None = None, thinks: bool = True
) -> Choice:
    """Who answers `text`.

    `channel` is the charter's name of the channel, `thread_agent` the one that answers in this thread already,
    `thinks` whether a model is configured that can choose.
    """
    addressed = _addressed(roster, text)
    if addressed is not None:
        return addressed
    if thread_agent in roster.agents:
        return Choice(agent=thread_agent or "", text=text, how="thread")
    bound = next((agent for agent in roster.agents.values() if channel and channel in agent.channels), None)
    if bound is not None:
        return Choice(agent=bound.name, text=text, how="channel")
    closest = None if thinks else _closest(roster, text)
    if closest is not None:
        return Choice(agent=closest.name, text=text, how="words")
    return Choice(agent=roster.lead.name, text=text, how="lead")


def _addressed(roster: Roster, text: str) -> Choice | None:
    found = _ADDRESS.match(text)
    if not found:
        return None
    for name in (found[1], found[1].split()[0]):
        agent = roster.get(name)
        if agent is not None and name == found[1]:
            return Choice(agent=agent.name, text=text[found.end() :].strip(), how="addressed")
    return None


def _closest(roster: Roster, text: str) -> AgentDefinition | None:
    """The specialist whose description shares the rarest words with the request; None if none shares any."""
    described = {agent.name: _words(f"{agent.name} {agent.description}") for agent in roster.specialists}
    spread = Counter(word for words in described.values() for word in words)
    asked = _words(text)
    scores = {
        name: sum(math.log(1 + len(described) / spread[word]) for word in asked & words)
        for name, words in described.items()
    }
    best = max(sorted(scores), key=lambda name: scores[name], default=None)
    return roster.agents[best] if best is not None and scores[best] > 0 else None


def _words(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.casefold())} - _COMMON


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return (word[: -len(ending)] + ("y" if ending == "ies" else "")).removesuffix("e")
    return word.removesuffix("e")
