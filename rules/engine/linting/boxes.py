"""Rules as boxes: for one tool, the part of every finite fact that fits a rule, and what it says of lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rules.engine import schema
from rules.engine.linting import spans
from rules.engine.linting.spans import NameSpan
from rules.engine.linting.values_seen import ValuesSeen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rules.engine.known import Known, KnownTool
    from rules.engine.language import Condition, Rule

OTHER = "¤"  # some other name
Masks = dict[str, int]


@dataclass(frozen=True, slots=True)
class Several:
    """What a rule says of things of which there can be several: all of them fit, or for each part some one does."""

    all_fit: bool
    parts: tuple[int, ...]  # of the bits that fit; one part where all have to fit
    none_fits: bool = False  # it holds as well where there are none

    def within(self, other: Several) -> bool:
        """Whether what fits this fits the other."""
        if other.all_fit:
            if not self.all_fit:
                return False  # there may be a further one that does not fit
            return not self.parts[0] & ~other.parts[0] and (other.none_fits or not self.none_fits)
        if self.all_fit:
            return not self.none_fits and all(not self.parts[0] & ~part for part in other.parts)
        return all(any(not mine & ~part for mine in self.parts) for part in other.parts)

    def holds_never(self) -> bool:
        """Whether nothing fits."""
        return not self.none_fits and any(not part for part in self.parts)


@dataclass(frozen=True, slots=True)
class Box:
    """One rule for one tool. What is not there is not asked."""

    rule: Rule
    masks: Masks
    several: Mapping[str, Several] = field(default_factory=dict)
    whole: bool = True  # False: it asks for more than is seen here, so it may hold for less

    def holds_never(self) -> bool:
        """Whether no call fits."""
        return not all(self.masks.values()) or any(each.holds_never() for each in self.several.values())


class Cell(NamedTuple):
    """What the rules say of one tool."""

    boxes: list[Box]
    everything: Masks  # all bits of every fact


class Boxes:
    """Makes boxes of the rules for one tool after the other."""

    def __init__(self, rules: Iterable[Rule], known: Known) -> None:
        rules = tuple(rules)
        self.known = known
        named = {
            word: {name for rule in rules for name in getattr(rule, word) or ()}
            for word in ("agent", "channel", "workflow")
        }
        agents = known.agents
        self.agents = NameSpan(named["agent"], others=[OTHER]) if agents is None else NameSpan(agents, others=[])
        self.channels = NameSpan(named["channel"], others=["", OTHER, None])
        self.platforms = NameSpan(known.platforms, others=[None])
        self.workflows = NameSpan(named["workflow"], others=[OTHER, None])
        self._facts = {rule.id: self._of_run(rule) for rule in rules}
        self._everything = {
            "agent": self.agents.everything,
            "channel": self.channels.everything,
            "platform": self.platforms.everything,
            "workflow": self.workflows.everything,
            "outside_text_read": spans.ANY_FLAG,
            "personal_data_read": spans.ANY_FLAG,
            "wider_readers": spans.ANY_FLAG,
            **{f"time {rule.time.zone}": spans.ANY_TIME for rule in rules if rule.time is not None},
        }

    def of(self, rules: Iterable[Rule], tool: KnownTool) -> Cell:
        """The boxes of these rules, of which each concerns the tool; not those that cannot hold for it at all."""
        rules = list(rules)
        conditions: dict[str, list[Condition]] = {}
        for rule in rules:
            for name, condition in (rule.args or {}).items():
                conditions.setdefault(name, []).append(condition)
        seen = {name: ValuesSeen(tool, name, each) for name, each in conditions.items()}
        everything = self._everything | {f"from {name}": spans.ANY_ORIGIN for name in seen}
        everything |= {f"value {name}": each.everything for name, each in seen.items()}
        found = [box for rule in rules if (box := self._box(rule, tool, seen)) is not None]
        for box in found:  # what fits everything asks nothing
            for name in [name for name, mask in box.masks.items() if mask == everything[name]]:
                del box.masks[name]
        return Cell(found, everything)

    def _of_run(self, rule: Rule) -> Masks:
        """What does not depend on the tool."""
        allows = rule.verdict == "allow"
        masks: Masks = {}
        if rule.agent:
            masks["agent"] = self.agents.of(rule.agent)
        if rule.channel:
            masks["channel"] = self.channels.of(rule.channel if allows else (*rule.channel, None))
        if rule.platform:
            masks["platform"] = self.platforms.of(rule.platform if allows else (*rule.platform, None))
        if rule.workflow:
            masks["workflow"] = self.workflows.of(rule.workflow)
        if rule.attended is not None:
            alone = self.workflows.of([None])
            masks["workflow"] = masks.get("workflow", self.workflows.everything) & (
                alone if rule.attended else self.workflows.but(None)
            )
        if rule.time is not None:
            masks[f"time {rule.time.zone}"] = spans.minutes_of(rule.time) | (0 if allows else spans.NO_TIME)
        for word in ("outside_text_read", "personal_data_read", "wider_readers"):
            wanted = getattr(rule.context, word) if rule.context is not None else None
            if wanted is not None:
                masks[word] = spans.FLAGS[wanted] | (0 if allows else spans.FLAGS[None])
        return masks

    def _box(self, rule: Rule, tool: KnownTool, seen: Mapping[str, ValuesSeen]) -> Box | None:
        allows = rule.verdict == "allow"
        if allows and tool.always_asked:
            return None
        masks, several = dict(self._facts[rule.id]), dict[str, Several]()
        whole = not rule.budget and not rule.limit if allows else True
        for name, condition in (rule.args or {}).items():
            if name in schema.names(tool.arguments):
                whole = _argument(masks, several, name, condition, seen[name], allows=allows) and whole
            elif not tool.is_open and (allows or condition.from_ or condition.only_from or condition.links_from):
                return None  # there is no such argument, so nothing of it can fit
            else:
                whole = False  # it may not be there
        if rule.targets is not None:
            if not tool.authority and not tool.is_open:
                return None
            parts = _origin_parts(rule.targets.from_, rule.targets.only_from)
            several["targets"] = _several(parts, allows=allows)
        if rule.links_from:
            if not tool.free_text and not tool.is_open and not allows:
                return None
            several["links"] = _several([spans.found_in(rule.links_from, only=False)], allows=allows, none_fits=allows)
        return Box(rule, masks, several, whole)


def _argument(
    masks: Masks, several: dict[str, Several], name: str, condition: Condition, seen: ValuesSeen, *, allows: bool
) -> bool:
    """Add what is asked of one argument; False where that is not all that is asked."""
    words = seen.words_of(condition, allows=allows)
    origins = _origin_parts(condition.from_, condition.only_from)
    if seen.single:
        if words:
            masks[f"value {name}"] = _all(words)
        if origins:
            masks[f"from {name}"] = _all(origins) | (0 if allows else spans.NOT_COMPUTED)
    else:
        if words:
            several[f"value {name}"] = _several(words, allows=allows)
        if origins:
            several[f"from {name}"] = _several(origins, allows=allows)
    if condition.links_from:
        links = [spans.found_in(condition.links_from, only=False)]
        several[f"links {name}"] = _several(links, allows=allows, none_fits=allows)
    return condition.length is None and not (condition.matches and not seen.clear)


def _origin_parts(found: tuple[str, ...] | None, only: tuple[str, ...] | None) -> list[int]:
    parts = [spans.found_in(found, only=False)] if found else []
    return [*parts, spans.found_in(only, only=True)] if only else parts


def _several(parts: list[int], *, allows: bool, none_fits: bool = False) -> Several:
    return Several(allows, (_all(parts),) if allows else tuple(parts), none_fits)


def _all(parts: list[int]) -> int:
    found = parts[0]
    for part in parts[1:]:
        found &= part
    return found
