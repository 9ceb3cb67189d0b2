"""What a rule file may name: the tools, agents, roles and channels that there are."""

from __future__ import annotations

from collections.abc import Mapping

from kernel.types import Effect, Frozen, Json


class KnownTool(Frozen):
    """What the rules have to know of a tool."""

    effect: Effect
    arguments: Mapping[str, Json]  # JSON Schema
    authority: tuple[str, ...] = ()  # arguments that say who, where or what it acts on
    free_text: tuple[str, ...] = ()  # arguments without an origin
    always_asked: bool = False  # no rule lets it through without people
    is_open: bool = False  # its arguments are known once its server has been asked: names are not checked


class Known(Frozen):
    """Everything that a rule may name. A set that is None is not checked."""

    tools: Mapping[str, KnownTool]
    agents: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    channels: frozenset[str] | None = None  # "#finance"
    workflows: frozenset[str] | None = None
    platforms: frozenset[str] = frozenset({"web", "slack", "discord"})
