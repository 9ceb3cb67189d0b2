"""Who answers: whoever is addressed, else whoever the channel belongs to, else the lead.

With a model the lead hands on to a specialist by itself (`handover.py`). Without one, the specialist whose
description and tools share the most words with the request answers. A call that is written out goes to somebody who
has that tool, whoever was addressed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Literal

from agents.engine.words import words
from agents.engine.written_call import PREFIX, written_calls
from kernel.types import Frozen, ToolSchema

if TYPE_CHECKING:
    from agents.engine.definition import AgentDefinition, Roster

How = Literal["addressed", "channel", "thread", "call", "words", "lead"]

_ADDRESS = re.compile(r"^\s*(?:@|ask\s+)?([\w-]{1,31}(?: [\w-]{1,20})?)\s*[:,]\s+(?=\S)", re.UNICODE)


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
    chosen = _chosen(roster, text, channel, thread_agent, thinks=thinks)
    if thinks and not chosen.text.lstrip().startswith(PREFIX):
        return chosen
    called = _called(roster, chosen.text)
    able = [one.name for one in roster.agents.values() if all(map(one.may_ask_for, called))]
    if not called or not able or chosen.agent in able:
        return chosen
    return Choice(agent=able[0], text=chosen.text, how="call")


def _called(roster: Roster, text: str) -> list[str]:
    """The names of the tools that a request consists of calls of."""
    listed = {name for agent in roster.agents.values() for name in agent.tools}
    schemas = (ToolSchema(name=name, description="", arguments={}) for name in listed)
    return [name for name, _ in written_calls(text, schemas)]


def _chosen(roster: Roster, text: str, channel: str, thread_agent: str | None, *, thinks: bool) -> Choice:
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
    """The specialist who shares the rarest words with the request; None if none shares any."""
    described = {one.name: words(" ".join((one.name, one.description, *one.tools))) for one in roster.specialists}
    spread = Counter(word for known in described.values() for word in known)
    asked = words(text)
    scores = {
        name: sum(math.log(1 + len(described) / spread[word]) for word in asked & known)
        for name, known in described.items()
    }
    best = max(sorted(scores), key=lambda name: scores[name], default=None)
    return roster.agents[best] if best is not None and scores[best] > 0 else None
