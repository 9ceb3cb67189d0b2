"""Which calls are promoted together: of one rule, agent and tool, and with the same values where the rule says so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.canonical import canonical, digest
from rules.engine import values
from rules.engine.conditions import shown
from rules.engine.ruleset import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json
    from rules.engine.language import Rule
    from rules.engine.promote_words import Promote
    from rules.engine.tooling import GovernedTool


@dataclass(frozen=True, kw_only=True, slots=True)
class CallKind:
    """Calls that count together."""

    rule: str  # id
    agent: str
    tool: str
    scope: str  # canonical JSON

    def in_words(self) -> str:
        """ "ops, pay_invoice, account ACME"."""
        same = [f"{name} {shown(value)}" for name, value in json.loads(self.scope).items()]
        return ", ".join((self.agent, self.tool, *same))


def kind_of(rule: Rule, promote: Promote, agent: str, tool: str, arguments: Mapping[str, Json]) -> CallKind | None:
    """The kind of a call; None where an argument that has to be the same is not given."""
    names = promote.per.same if promote.per is not None else ()
    found = {name: values.at_path(arguments, name) for name in names}
    if not all(there and value is not None for there, value in found.values()):
        return None
    scope = canonical({name: value for name, (_, value) in found.items()}).decode()
    return CallKind(rule=rule.id, agent=agent, tool=tool, scope=scope)


def fingerprint(rule: Rule, tool: GovernedTool, agent: str) -> str:
    """What a promotion is agreed for: when the rule, the tool's schema or the agent's definition changes, it ends.

    `agent` is the digest of the agent's instructions, model and tools.
    """
    return digest({"rule": digest_of(rule), "tool": tool.schema.model_dump(mode="json"), "agent": agent})
